"""Arguments of messages, between Python values and `union wl_argument`.

Each message's codec is put together once, when its interface's class is made.
The union is one word, so that a message's arguments are one row of bytes: they are
taken apart, and put together, in one call instead of one for each argument. Requests
come a hundred at a time, and nobody else has a turn meanwhile.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable, Sequence, Sized
from itertools import chain
from typing import TYPE_CHECKING, Any

from _cffi_backend import cast, from_buffer  # of a type that is known, without a detour

from heapwire.compositor_plugin.server.libwayland_server import CData, ffi
from heapwire.compositor_plugin.server.received_fd import ReceivedFd
from heapwire.protocol import UsageError
from heapwire.protocol.wire import Argument, ArgumentKind, Message

if TYPE_CHECKING:
    from heapwire.compositor_plugin.server.client import Client
    from heapwire.compositor_plugin.server.display import Display
    from heapwire.compositor_plugin.server.resource import Resource

MESSAGE_BYTES = 4096  # what libwayland's buffers hold, wayland-private.h

# The 32-bit members of the union lie in the upper half of a big-endian 64-bit word.
_SHIFT = 32 if sys.byteorder == "big" and sys.maxsize > 1 << 32 else 0
_WORD = 0xFFFFFFFF
_ADDRESS = ffi.typeof("uintptr_t")
_ARGUMENTS = ffi.typeof("union wl_argument *")
_ARRAY = ffi.typeof("struct wl_array *")
_ONE_ARRAY = ffi.typeof("struct wl_array[1]")
_WORD_BYTES = ffi.sizeof(_ADDRESS)
_CHARS = ffi.typeof("char[]")
_ANYTHING = ffi.typeof("void *")
_CHAR_POINTER = ffi.typeof("char *")
_buffer = ffi.buffer

_Encode = Callable[[Any, list[Any]], int]
_Decode = Callable[[int, "Arrived"], object]

# All members of the union begin where it does.
_REST = f"{_WORD_BYTES - 4}x"
_MEMBERS = {
    ArgumentKind.INT: f"i{_REST}",
    ArgumentKind.UINT: f"I{_REST}",
    ArgumentKind.FIXED: f"i{_REST}",
    ArgumentKind.NEW_ID: f"I{_REST}",
    ArgumentKind.FD: f"i{_REST}",
}
_NUMBERS_AND_TEXTS = frozenset((ArgumentKind.INT, ArgumentKind.UINT, ArgumentKind.STRING))
_POINTER = "Q" if _WORD_BYTES == 8 else "I"


class Arrived:
    """What came with one request and must not get lost: fds, and ids to be filled."""

    __slots__ = ("fds", "make_new_id", "new_ids", "objects", "resource")

    def __init__(
        self,
        resource: Resource,
        objects: Callable[[int, Resource], object],
        new_id: Callable[[Client, int, int, Display | None], Any],
    ) -> None:
        self.resource = resource
        self.fds: list[ReceivedFd] = []
        self.new_ids: list[Any] = []
        self.objects = objects
        self.make_new_id = new_id


class RequestDecoder:
    """Makes Python values of a request's arguments.

    `name` is the request's; `plain` says that it comes with nothing but numbers, texts and
    arrays, `makes` where the id is if all else is plain and it makes one object, and `names`
    where the object is if all else is plain and it names one. `decode` gives the values in
    order, of the array of arguments at a `char *`; an object's is its address, a new one's its id.
    """

    __slots__ = ("_looked_up", "decode", "makes", "name", "names", "plain")

    def __init__(self, message: Message) -> None:
        self.name = message.name
        kinds = [argument.kind for argument in message.arguments]
        # Fds are owned by somebody before anything can go wrong.
        self._looked_up = tuple(
            (index, _LOOK_UP[kind])
            for _, index, kind in sorted(
                (kind is not ArgumentKind.FD, index, kind) for index, kind in enumerate(kinds)
            )
            if kind in _LOOK_UP
        )
        self.plain = not self._looked_up
        found = [kinds[index] for index, _ in self._looked_up]
        self.makes = kinds.index(ArgumentKind.NEW_ID) if found == [ArgumentKind.NEW_ID] else None
        self.names = kinds.index(ArgumentKind.OBJECT) if found == [ArgumentKind.OBJECT] else None
        self.decode = _decoder(kinds)

    def decode_all(self, arguments: CData, arrived: Arrived) -> Sequence[Any]:
        """The values of any request; what is not plain is `arrived`'s."""
        values = list(self.decode(arguments))
        for index, look_up in self._looked_up:
            values[index] = look_up(values[index], arrived)
        return values


def _decoder(kinds: Sequence[ArgumentKind]) -> Callable[[CData], Sequence[Any]]:
    """What takes apart arguments of these kinds: as little of it as they need."""
    unpack = struct.Struct("=" + "".join(_MEMBERS.get(kind, _POINTER) for kind in kinds)).unpack
    size = len(kinds) * _WORD_BYTES
    copied = tuple((index, _COPY[kind]) for index, kind in enumerate(kinds) if kind in _COPY)

    def nothing(_arguments: CData) -> Sequence[Any]:
        return ()

    def numbers(arguments: CData) -> Sequence[Any]:
        return unpack(_buffer(arguments, size))

    def all_kinds(arguments: CData) -> Sequence[Any]:
        values = list(unpack(_buffer(arguments, size)))
        for index, copy in copied:
            values[index] = copy(values[index])
        return values

    if copied:
        return all_kinds
    return numbers if kinds else nothing


class EventEncoder:
    """Makes an event's `union wl_argument` array of Python values."""

    __slots__ = ("_encode", "_name", "_plain", "_texts", "numbers", "opcode", "since")

    def __init__(self, interface: str, opcode: int, message: Message) -> None:
        self._name = f"{interface}.{message.name}"
        self.opcode = opcode
        self.since = message.since
        self._encode = tuple(
            _encoder(argument, f"{self._name}: {argument.name}") for argument in message.arguments
        )
        # All events of an answer but a few are numbers and texts: all of them in one call.
        kinds = [argument.kind for argument in message.arguments]
        self._texts = tuple([n for n, kind in enumerate(kinds) if kind is ArgumentKind.STRING])
        self._plain = (
            struct.Struct("=" + "".join([_MEMBERS.get(kind, _POINTER) for kind in kinds]))
            if kinds and _NUMBERS_AND_TEXTS.issuperset(kinds)
            else None
        )
        self.numbers = self._plain if not self._texts else None
        """What packs all of the arguments; None where some are no numbers, or there are none."""

    def encode(self, values: Sequence[object], version: int) -> tuple[CData, list[Sized]]:
        """The array, and what must outlive the call that uses it; raises as `words` does."""
        keep: list[Sized] = []
        array = from_buffer(_CHARS, self.words(values, version, keep))
        keep.append(array)
        return cast(_ARGUMENTS, array), keep

    def words(self, values: Sequence[object], version: int, kept: list[Sized]) -> bytes:
        """The array's bytes; what they point to, and must outlive their use, is added to `kept`.

        Raises `UsageError` if the values are not the event's, if they do not
        fit into a message, or if an object of `version` has no such event.
        """
        if self._plain is not None and version >= self.since:
            try:
                if not self._texts:
                    return self._plain.pack(*values)
                return self._plain.pack(*self._with_texts(list(values), kept))
            except (struct.error, AttributeError, IndexError):
                pass  # what is wrong with them, the long way tells
        if len(values) != len(self._encode):
            raise UsageError(f"{self._name} has {len(self._encode)} arguments, not {len(values)}")
        if version < self.since:
            raise UsageError(f"{self._name} is there since version {self.since}, not {version}")
        keep: list[Sized] = []
        words = [
            encode(value, keep) for encode, value in zip(self._encode, values, strict=True)
        ] or [0]
        if keep:
            size = 8 + 4 * len(words) + sum(4 + len(raw) for raw in keep if isinstance(raw, bytes))
            if size > MESSAGE_BYTES - 4 * len(words):
                raise UsageError(f"{self._name}: {size} bytes do not fit into a message")
        kept += keep
        return struct.pack(f"={len(words)}{_POINTER}", *words)

    def _with_texts(self, values: list[Any], kept: list[Sized]) -> list[Any]:
        """The values with addresses for texts; `struct.error` for what the long way looks at."""
        room = MESSAGE_BYTES - 8 - 8 * len(values)
        for index in self._texts:
            raw = values[index].encode("utf-8", "replace") + b"\0"
            room -= 4 + len(raw)
            if room < 0 or raw.find(b"\0") != len(raw) - 1:
                raise struct.error
            kept.append(raw)  # it stays where it is; libwayland copies, and writes nothing
            values[index] = int(cast(_ADDRESS, from_buffer(_CHARS, raw)))
        return values


class EventRow:
    """Makes the words of events that come one after the other, as most answers have the same.

    `opcodes` has that of each, and `sizes` the bytes of its words.
    """

    __slots__ = ("_counts", "_numbers", "_since", "opcodes", "sizes")

    def __init__(self, encoders: Sequence[EventEncoder]) -> None:
        self.opcodes = tuple([encoder.opcode for encoder in encoders])
        self._since = max([encoder.since for encoder in encoders], default=1)
        packers = [encoder.numbers for encoder in encoders if encoder.numbers is not None]
        self.sizes = tuple([packer.size for packer in packers])
        self._counts = tuple([size // _WORD_BYTES for size in self.sizes])
        self._numbers = (
            struct.Struct("=" + "".join([packer.format[1:] for packer in packers]))
            if len(packers) == len(encoders)
            else None
        )

    def words(self, values: Sequence[Sequence[object]], version: int) -> bytes | None:
        """All words, of the values of each; None for what has to be looked at one by one."""
        numbers = self._numbers
        if numbers is None or version < self._since or self._counts != tuple(map(len, values)):
            return None
        try:
            return numbers.pack(*chain.from_iterable(values))
        except struct.error:
            return None


def _text(word: int) -> str | None:
    if not word:
        return None
    raw: bytes = ffi.string(cast(_CHAR_POINTER, word))
    return raw.decode("utf-8", "replace")


def _bytes(word: int) -> bytes:
    array = cast(_ARRAY, word)
    size = array.size
    return _buffer(array.data, size)[:] if size else b""


def _new_id(id_: int, arrived: Arrived) -> object:
    maker = arrived.resource
    new_id = arrived.make_new_id(maker.client, id_, maker.version, maker.owner)
    arrived.new_ids.append(new_id)
    return new_id


def _received_fd(number: int, arrived: Arrived) -> object:
    fd = ReceivedFd(number)
    arrived.fds.append(fd)
    return fd


_COPY: dict[ArgumentKind, Callable[[int], object]] = {
    ArgumentKind.FIXED: lambda number: number / 256,
    ArgumentKind.STRING: _text,
    ArgumentKind.ARRAY: _bytes,
}
"""What becomes of a member of the union where that is not the value itself."""
_LOOK_UP: dict[ArgumentKind, _Decode] = {
    ArgumentKind.OBJECT: lambda word, arrived: arrived.objects(word, arrived.resource),
    ArgumentKind.NEW_ID: _new_id,
    ArgumentKind.FD: _received_fd,
}
"""The same where it takes to know who has sent it."""


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
        data = cast(_ANYTHING, pointer(value, keep))
        struct = ffi.new(_ONE_ARRAY, [(len(value), len(value), data)])
        keep.append(struct)
        return int(cast(_ADDRESS, struct))

    def pointer(raw: bytes, keep: list[Any]) -> int:
        keep.append(raw)  # it stays where it is; libwayland copies, and writes nothing
        return int(cast(_ADDRESS, from_buffer(_CHARS, raw)))

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
