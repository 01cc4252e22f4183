"""A connection that speaks the wire itself, and so can send what no client should.

libwayland would stop at the first error, and hides what comes after it. This keeps all that
the compositor sends, in its order, and every wait has a limit.
"""

from __future__ import annotations

import array
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import POLLIN, POLLOUT, poll

from heapwire.client_lib.compliance.interface_tables import error_name, interface_table
from heapwire.client_lib.errors import NoAnswerError, NoCompositorError
from heapwire.kernel.system import Owner
from heapwire.protocol import PeerError
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.wire import Argument, ArgumentKind

_HEADER = struct.Struct("=II")
_MOST_FDS = 253  # of one message on a unix socket (include/net/scm.h, SCM_MAX_FD)

Value = int | str | bytes | None


@dataclass(frozen=True, slots=True)
class WireObject:
    """An object of the connection; `version` is that of the global behind it."""

    id: int
    interface: str
    version: int = 1


@dataclass(frozen=True, slots=True)
class WireEvent:
    """An event as it came; a new object stands there as its id."""

    object: int
    name: str
    arguments: tuple[Value, ...]

    def number(self, position: int) -> int:
        """An argument that is a number, an object or a descriptor."""
        value = self.arguments[position]
        assert isinstance(value, int)
        return value

    def raw(self, position: int) -> bytes:
        """An argument that is an array."""
        value = self.arguments[position]
        assert isinstance(value, bytes)
        return value

    def text(self, position: int) -> str:
        """An argument that is a string, empty where there is none."""
        value = self.arguments[position]
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class FatalError:
    """A `wl_display.error`: the object's interface and id, the code, and its name there."""

    interface: str
    object: int
    code: int
    message: str

    @property
    def name(self) -> str:
        """The error by its name."""
        return error_name(self.interface, self.code)

    def __str__(self) -> str:
        told = f" ({self.message!r})" if self.message else ""
        return f"the error {self.interface}.{self.name}{told}"


class MalformedError(PeerError):
    """The compositor sent what is no message of an interface that it was sent on."""


class WireConnection(Owner):
    """A connection to the compositor of a socket's path; it owns it and every fd that comes.

    `timeout` is what one wait may take, in seconds. Raises `NoCompositorError`.
    """

    def __init__(self, path: str, *, timeout: float) -> None:
        self.timeout = timeout
        self.events: list[WireEvent] = []
        self.errors: list[FatalError] = []
        self.hung_up = False
        self.display = WireObject(1, "wl_display")
        self._objects: dict[int, WireObject] = {1: self.display}
        self._next = 2
        self._in = b""
        self._fds: list[int] = []  # not yet of any event
        self._held_back: bytearray | None = None
        self._owned: list[int] = []
        self._bases: set[int] = set()  # xdg_wm_base objects, which ping
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise NoCompositorError(f"no compositor at {path}: {error.strerror}") from None
        self._socket.setblocking(False)

    def close(self) -> None:
        """Hang up, and close what came."""
        self._socket.close()
        for fd in (*self._owned, *self._fds):
            os.close(fd)
        self._owned.clear()
        self._fds.clear()

    @property
    def ended(self) -> bool:
        """Whether the compositor has ended it, with an error or without."""
        return self.hung_up or bool(self.errors)

    def new(self, interface: str, version: int = 1) -> WireObject:
        """An object for a request to create."""
        made = WireObject(self._next, interface, version)
        self._objects[made.id] = made
        self._next += 1
        if interface == "xdg_wm_base":
            self._bases.add(made.id)
        return made

    def bind(self, registry: WireObject, number: int, interface: str, version: int) -> WireObject:
        """Bind a global by its number."""
        made = self.new(interface, version)
        self.request(registry, "bind", number, interface, version, made)
        return made

    def request(self, object_: WireObject, name: str, *values: Value | WireObject) -> None:
        """Send a request; new objects and objects are arguments, and fds stay the caller's."""
        requests = interface_table(object_.interface).requests
        opcode = next(place for place, one in enumerate(requests) if one.name == name)
        body, fds = b"", []
        for argument, value in zip(requests[opcode].arguments, values, strict=True):
            plain = value.id if isinstance(value, WireObject) else value
            if argument.kind is ArgumentKind.FD:
                assert isinstance(plain, int)
                fds.append(plain)
            else:
                body += _packed(argument, plain)
        size = _HEADER.size + len(body)
        self._send(_HEADER.pack(object_.id, size << 16 | opcode) + body, fds)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Send the requests of a block, which have no fds, in one piece when it ends.

        The compositor cannot have handled the first of them before the last has come.
        """
        held_back = self._held_back = bytearray()
        try:
            yield
        finally:
            self._held_back = None
        self._send(bytes(held_back), [])

    def of(self, object_: WireObject, *names: str) -> list[WireEvent]:
        """The events of an object so far, of all names or of some."""
        return [
            event
            for event in self.events
            if event.object == object_.id and (not names or event.name in names)
        ]

    def wait(self, condition: Callable[[], object], what: str) -> bool:
        """Read until something is so, or the compositor has ended the connection: False then.

        Raises `NoAnswerError` when neither happens.
        """
        deadline = time.monotonic() + self.timeout
        while not condition():
            if self.ended:
                return False
            if not self.read(max(0.0, deadline - time.monotonic())):
                raise NoAnswerError(f"no {what} within {self.timeout:g} s")
        return True

    def roundtrip(self) -> bool:
        """Let the compositor handle all that was sent; False if it ended the connection.

        An end is waited for until nothing more can come. Raises `NoAnswerError`.
        """
        callback = self.new("wl_callback")
        self.request(self.display, "sync", callback)
        if self.wait(lambda: self.of(callback), "answer to wl_display.sync"):
            return True
        deadline = time.monotonic() + self.timeout
        while not self.hung_up:
            if not self.read(max(0.0, deadline - time.monotonic())):
                break  # it keeps the socket of a client that is dead: its own affair
        return False

    def read(self, seconds: float) -> bool:
        """Take what comes within so many seconds; False if nothing did.

        Raises `MalformedError`.
        """
        if not self._ready(POLLIN, seconds):
            return False
        try:
            data, ancillary, _, _ = self._socket.recvmsg(
                1 << 16, socket.CMSG_SPACE(4 * _MOST_FDS), socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return True
        except OSError:
            data, ancillary = b"", []
        for _, _, raw in ancillary:
            self._fds += array.array("i", raw[: len(raw) // 4 * 4])
        self.hung_up = self.hung_up or not data
        self._in += data
        self._parse()
        return True

    def _send(self, data: bytes, fds: list[int]) -> None:
        if self._held_back is not None:
            assert not fds
            self._held_back += data
            return
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        while data:
            try:
                sent = self._socket.sendmsg([data], ancillary)
            except BlockingIOError:
                if not self._ready(POLLOUT, self.timeout):
                    raise NoAnswerError(f"requests unread for {self.timeout:g} s") from None
                continue
            except OSError:
                return  # what it said before it hung up is still to be read
            data, ancillary = data[sent:], []

    def _ready(self, what: int, seconds: float) -> bool:
        waiting = poll()
        waiting.register(self._socket, what)
        return bool(waiting.poll(seconds * 1000))

    def _parse(self) -> None:
        while len(self._in) >= _HEADER.size:
            id_, word = _HEADER.unpack_from(self._in)
            size = word >> 16
            if size < _HEADER.size or size % 4:
                raise MalformedError(f"a message of {size} bytes on object {id_}")
            if len(self._in) < size:
                break
            body, self._in = self._in[_HEADER.size : size], self._in[size:]
            self._event(id_, word & 0xFFFF, body)

    def _event(self, id_: int, opcode: int, body: bytes) -> None:
        source = self._objects.get(id_)
        if source is None:
            raise MalformedError(f"an event on object {id_}, which there is not")
        events = interface_table(source.interface).events
        if opcode >= len(events):
            raise MalformedError(f"event {opcode} of {source.interface}, which there is not")
        values: list[Value] = []
        for argument in events[opcode].arguments:
            if argument.kind is ArgumentKind.FD:
                if not self._fds:
                    raise MalformedError(f"{events[opcode].name} came without a descriptor")
                self._owned.append(self._fds.pop(0))
                values.append(self._owned[-1])
                continue
            try:
                value, body = _unpacked(argument, body)
            except (struct.error, UnicodeDecodeError, IndexError):
                raise MalformedError(f"{events[opcode].name} cannot be read") from None
            if argument.kind is ArgumentKind.NEW_ID and isinstance(value, int):
                made = argument.interface or ""
                self._objects[value] = WireObject(value, made, source.version)
            values.append(value)
        self._received(source, WireEvent(id_, events[opcode].name, tuple(values)))

    def _received(self, source: WireObject, event: WireEvent) -> None:
        self.events.append(event)
        if source is self.display and event.name == "error":
            culprit = self._objects.get(event.number(0))
            named = culprit.interface if culprit is not None else f"object {event.number(0)}"
            self.errors.append(FatalError(named, event.number(0), event.number(1), event.text(2)))
        elif source.id in self._bases:
            self.request(source, "pong", event.number(0))

    def object(self, id_: int) -> WireObject:
        """The object of an id that came with an event."""
        return self._objects[id_]


def _packed(argument: Argument, value: Value) -> bytes:
    match argument.kind:
        case ArgumentKind.INT:
            return struct.pack("=i", value)
        case ArgumentKind.STRING:
            assert isinstance(value, str)
            return _array(value.encode() + b"\0")
        case ArgumentKind.ARRAY:
            assert isinstance(value, bytes)
            return _array(value)
        case _:
            return struct.pack("=I", value or 0)


def _array(raw: bytes) -> bytes:
    return struct.pack("=I", len(raw)) + raw + bytes(-len(raw) % 4)


def _unpacked(argument: Argument, body: bytes) -> tuple[Value, bytes]:
    """An argument and what follows it."""
    letter = "=i" if argument.kind is ArgumentKind.INT else "=I"
    number: int = struct.unpack_from(letter, body)[0]
    if argument.kind not in (ArgumentKind.STRING, ArgumentKind.ARRAY):
        return number, body[4:]
    raw, rest = body[4 : 4 + number], body[4 + -(-number // 4) * 4 :]
    if len(raw) < number:
        raise IndexError
    if argument.kind is ArgumentKind.ARRAY:
        return raw, rest
    return (raw[:-1].decode() if raw else None), rest
