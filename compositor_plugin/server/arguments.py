"""Arguments of messages, between Python values and `union wl_argument`.

Each message's codec is put together once, when its interface's class is made.
The union is one word: it is read and written as an array of `uintptr_t`, which
costs one call into cffi for a message instead of one for each argument.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from heapwire.compositor_plugin.server.libwayland_server import CData, ffi
from heapwire.compositor_plugin.server.received_fd import ReceivedFd
from heapwire.protocol import UsageError
from heapwire.protocol.wire import Argument, ArgumentKind, Message

if TYPE_CHECKING:
    from heapwire.compositor_plugin.server.resource import Resource

MESSAGE_BYTES = 4096  # what libwayland's buffers hold, wayland-private.h

# The 32-bit members of the union lie in the upper half of a big-endian 64-bit word.
_SHIFT = 32 if sys.byteorder == "big" and sys.maxsize > 1 << 32 else 0
_WORD = 0xFFFFFFFF
_WORDS = ffi.typeof("uintptr_t[]")
_WORD_POINTER = ffi.typeof("uintptr_t *")
_ARGUMENTS = ffi.typeof("union wl_argument *")
_ARRAY = ffi.typeof("struct wl_array *")
_CHARS = ffi.typeof("char[]")
_CHAR_POINTER = ffi.typeof("char *")
_ADDRESS = ffi.typeof("uintptr_t")

_Encode = Callable[[Any, list[Any]], int]
_Decode = Callable[[int, "Arrived"], object]


class Arrived:
    """What came with one request and must not get lost: fds, and ids to be filled."""

    __slots__ = ("fds", "make_new_id", "new_ids", "objects", "resource")

    def __init__(
        self,
        resource: Resource,
        objects: Callable[[int, Resource], object],
        new_id: Callable[[Resource, int], Any],
    ) -> None:
        self.resource = resource
        self.fds: list[ReceivedFd] = []
        self.new_ids: list[Any] = []
        self.objects = objects
        self.make_new_id = new_id

    def close(self) -> None:
        """Close the fds that nobody took."""
        for fd in self.fds:
            fd.close()


class RequestDecoder:
    """Makes Python values of a request's arguments."""

    __slots__ = ("_decode", "_fds", "message")

    def __init__(self, message: Message) -> None:
        self.message = message
        self._decode = tuple(_DECODE[argument.kind] for argument in message.arguments)
        self._fds = tuple(
            index
            for index, argument in enumerate(message.arguments)
            if argument.kind is ArgumentKind.FD
        )

    def decode(self, arguments: CData, arrived: Arrived) -> list[object]:
        """The values in order; fds are owned by `arrived` before anything can go wrong."""
        if not self._decode:
            return []
        words = ffi.unpack(ffi.cast(_WORD_POINTER, arguments), len(self._decode))
        for index in self._fds:
            arrived.fds.append(ReceivedFd(_signed(words[index])))
        rest = iter(arrived.fds)
        return [
            next(rest) if index in self._fds else decode(word, arrived)
            for index, (decode, word) in enumerate(zip(self._decode, words, strict=True))
        ]


class EventEncoder:
    """Makes an event's `union wl_argument` array of Python values."""

    __slots__ = ("_encode", "_name", "opcode", "since")

    def __init__(self, interface: str, opcode: int, message: Message) -> None:
        self._name = f"{interface}.{message.name}"
        self.opcode = opcode
        self.since = message.since
        self._encode = tuple(
            _encoder(argument, f"{self._name}: {argument.name}") for argument in message.arguments
        )

    def encode(self, values: tuple[object, ...], version: int) -> tuple[CData, list[object]]:
        """The array, and what must outlive the call that uses it.

        Raises `UsageError` if the values are not the event's, if they do not
        fit into a message, or if an object of `version` has no such event.
        """
        if len(values) != len(self._encode):
            raise UsageError(f"{self._name} has {len(self._encode)} arguments, not {len(values)}")
        if version < self.since:
            raise UsageError(f"{self._name} is there since version {self.since}, not {version}")
        keep: list[object] = []
        words = [
            encode(value, keep) for encode, value in zip(self._encode, values, strict=True)
        ] or [0]
        if keep:
            size = 8 + 4 * len(words) + sum(4 + len(raw) for raw in keep if isinstance(raw, bytes))
            if size > MESSAGE_BYTES - 4 * len(words):
                raise UsageError(f"{self._name}: {size} bytes do not fit into a message")
        array = ffi.new(_WORDS, words)
        keep.append(array)
        return ffi.cast(_ARGUMENTS, array), keep


def _signed(word: int) -> int:
    value = (word >> _SHIFT) & _WORD
    return value - (1 << 32) if value >= 1 << 31 else value


def _text(word: int) -> str | None:
    if not word:
        return None
    raw: bytes = ffi.string(ffi.cast(_CHAR_POINTER, word))
    return raw.decode("utf-8", "replace")


def _bytes(word: int) -> bytes:
    array = ffi.cast(_ARRAY, word)
    return bytes(ffi.buffer(array.data, array.size)) if array.size else b""


def _new_id(word: int, arrived: Arrived) -> object:
    new_id = arrived.make_new_id(arrived.resource, (word >> _SHIFT) & _WORD)
    arrived.new_ids.append(new_id)
    return new_id


_DECODE: dict[ArgumentKind, _Decode] = {
    ArgumentKind.INT: lambda word, _: _signed(word),
    ArgumentKind.UINT: lambda word, _: (word >> _SHIFT) & _WORD,
    ArgumentKind.FIXED: lambda word, _: _signed(word) / 256,
    ArgumentKind.STRING: lambda word, _: _text(word),
    ArgumentKind.OBJECT: lambda word, arrived: arrived.objects(word, arrived.resource),
    ArgumentKind.NEW_ID: _new_id,
    ArgumentKind.ARRAY: lambda word, _: _bytes(word),
    ArgumentKind.FD: lambda word, _: _signed(word),
}


def _encoder(argument: Argument, what: str) -> _Encode:
    """The function that turns one argument's value into a word."""

    def number(low: int, high: int) -> _Encode:
        def encode(value: int, _keep: list[Any]) -> int:
            if not low <= value < high:
                raise UsageError(f"{what}: {value} is out of range")
            return (value & _WORD) << _SHIFT

        return encode

    def fixed(value: float, keep: list[Any]) -> int:
        return signed(round(value * 256), keep)

    def text(value: str | None, keep: list[Any]) -> int:
        if value is None:
            return null()
        raw = value.encode("utf-8", "replace") + b"\0"
        if b"\0" in raw[:-1]:
            raise UsageError(f"{what}: a string cannot hold a NUL")
        return pointer(raw, keep)

    def array(value: bytes, keep: list[Any]) -> int:
        value = bytes(value)
        data = ffi.cast("void *", pointer(value, keep))
        struct = ffi.new(_ARRAY, (len(value), len(value), data))
        keep.append(struct)
        return int(ffi.cast(_ADDRESS, struct))

    def pointer(raw: bytes, keep: list[Any]) -> int:
        data = ffi.from_buffer(_CHARS, raw)  # libwayland copies, and writes nothing
        keep += (raw, data)
        return int(ffi.cast(_ADDRESS, data))

    def object_(value: Any, _keep: list[Any]) -> int:  # noqa: ANN401  # any kind of resource
        if value is None:
            return null()
        if not value.alive:
            raise UsageError(f"{what}: the object is destroyed")
        return int(value.address)

    def fd(value: Any, keep: list[Any]) -> int:  # noqa: ANN401  # an int or what has fileno()
        number_ = value if isinstance(value, int) else value.fileno()
        try:
            os.fstat(number_)
        except OSError:
            raise UsageError(f"{what}: {number_} is no open file descriptor") from None
        return signed(number_, keep)

    def null() -> int:
        if argument.nullable:
            return 0
        raise UsageError(f"{what} cannot be null")

    signed = number(-(1 << 31), 1 << 31)
    encoders: dict[ArgumentKind, _Encode] = {
        ArgumentKind.INT: signed,
        ArgumentKind.UINT: number(0, 1 << 32),
        ArgumentKind.FIXED: fixed,
        ArgumentKind.STRING: text,
        ArgumentKind.OBJECT: object_,
        ArgumentKind.NEW_ID: object_,
        ArgumentKind.ARRAY: array,
        ArgumentKind.FD: fd,
    }
    return encoders[argument.kind]
