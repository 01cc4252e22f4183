"""A client that speaks the wire itself, in step with the display under test.

It uses no libwayland, so it can send what no client should. `pump` lets the
display work until nothing moves; nothing waits and nothing sleeps.
"""

from __future__ import annotations

import array
import fcntl
import os
import socket
import struct
import termios
from collections.abc import Callable
from typing import Any, NamedTuple

from patience import until

from heapwire.compositor_plugin.server import OwnDisplay, core_interface
from heapwire.protocol.wire import Argument, ArgumentKind, Interface

DISPLAY = 1


class Event(NamedTuple):
    object: int
    name: str
    args: tuple[Any, ...]


class Fatal(NamedTuple):
    object: int
    code: int
    message: str


class Wire:
    """One connection to something in this process that `dispatch(milliseconds)` drives."""

    def __init__(
        self, ours: socket.socket, dispatch: Callable[[int], None], *interfaces: Interface
    ) -> None:
        self.socket = ours
        self.socket.setblocking(False)
        self._dispatch = dispatch
        self.tables = {one.name: one for one in interfaces}
        self.objects: dict[int, str] = {DISPLAY: "wl_display"}
        self.events: list[Event] = []
        self.fds: list[int] = []
        self._fds_read = 0
        self.closed = False
        self._next = 2
        self._in = b""
        self._registry: int | None = None

    def close(self) -> None:
        """Hang up."""
        self.socket.close()
        for fd in self.fds:
            os.close(fd)
        self.fds.clear()
        self._fds_read = 0

    def table(self, name: str) -> Interface:
        return self.tables.get(name) or core_interface(name)

    # Sending.

    def new(self, interface: str) -> int:
        """An id for an object that a request will create."""
        self._next += 1
        self.objects[self._next - 1] = interface
        return self._next - 1

    def request(self, object_: int, name: str, *args: Any, pump: bool = True) -> None:
        """Send a request; the ids of new objects are arguments."""
        requests = self.table(self.objects[object_]).requests
        opcode = next(i for i, message in enumerate(requests) if message.name == name)
        body = b""
        fds = []
        values = iter(args)
        for argument in requests[opcode].arguments:
            value = next(values)
            if argument.kind is ArgumentKind.FD:
                fds.append(value)
            else:
                body += _pack(argument, value)
        self.raw(struct.pack("=II", object_, (len(body) + 8) << 16 | opcode) + body, fds)
        if pump:
            self.pump()

    def raw(self, data: bytes, fds: list[int] | None = None) -> None:
        """Send bytes as they are."""
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds or []))]
        try:
            self.socket.sendmsg([data], ancillary if fds else [])
        except BrokenPipeError:
            self.closed = True

    def registry(self) -> dict[str, tuple[int, int]]:
        """The globals: name to (number, version)."""
        if self._registry is None:
            self._registry = self.new("wl_registry")
            self.request(DISPLAY, "get_registry", self._registry)
        found = {}
        for event in self.of(self._registry):
            if event.name == "global":
                found[event.args[1]] = (event.args[0], event.args[2])
            else:
                found = {k: v for k, v in found.items() if v[0] != event.args[0]}
        return found

    def bind(self, interface: str, version: int | None = None) -> int:
        """Bind a global that is advertised."""
        number, highest = self.registry()[interface]
        return self.bind_number(number, interface, version or highest)

    def bind_number(self, number: int, interface: str, version: int) -> int:
        id_ = self.new(interface)
        assert self._registry is not None
        body = struct.pack("=I", number) + _string(interface) + struct.pack("=II", version, id_)
        self.raw(struct.pack("=II", self._registry, (len(body) + 8) << 16) + body)
        self.pump()
        return id_

    # Receiving.

    def pump(self) -> None:
        """Let the display handle all that was sent, and read all that it says."""
        until(lambda: self.closed or not self._unread(), "the display to read", self._turn)
        for _ in range(3):
            self._dispatch(0)
        self.read()

    def _turn(self) -> None:
        self._dispatch(0)
        self.read()

    def _unread(self) -> int:
        """Bytes that the display has not taken from the socket."""
        return struct.unpack("=i", fcntl.ioctl(self.socket, termios.TIOCOUTQ, bytes(4)))[0]

    def read(self) -> None:
        while not self.closed:
            try:
                data, ancillary, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(4 * 64))
            except BlockingIOError:
                break
            except ConnectionResetError:
                data, ancillary = b"", []
            for _, _, raw in ancillary:
                self.fds += array.array("i", raw[: len(raw) // 4 * 4])
            self.closed |= not data
            self._in += data
        while len(self._in) >= 8:
            object_, word = struct.unpack_from("=II", self._in)
            size = word >> 16
            if len(self._in) < size:
                break
            self._event(object_, word & 0xFFFF, self._in[8:size])
            self._in = self._in[size:]

    def _event(self, object_: int, opcode: int, body: bytes) -> None:
        message = self.table(self.objects[object_]).events[opcode]
        args = []
        for argument in message.arguments:
            if argument.kind is ArgumentKind.FD:
                args.append(self.fds[self._fds_read])
                self._fds_read += 1
                continue
            value, body = _unpack(argument, body)
            if argument.kind is ArgumentKind.NEW_ID:
                self.objects[value] = argument.interface or "?"
            args.append(value)
        self.events.append(Event(object_, message.name, tuple(args)))

    def of(self, object_: int) -> list[Event]:
        return [event for event in self.events if event.object == object_]

    def take(self, object_: int) -> list[tuple[Any, ...]]:
        """The events of an object that were not taken yet, as (name, argument...)."""
        taken = [(event.name, *event.args) for event in self.of(object_)]
        self.events = [event for event in self.events if event.object != object_]
        return taken

    @property
    def errors(self) -> list[Fatal]:
        """The protocol errors that came, and there should never be two."""
        return [Fatal(*event.args) for event in self.of(DISPLAY) if event.name == "error"]

    @property
    def error(self) -> Fatal | None:
        assert len(self.errors) <= 1
        return self.errors[0] if self.errors else None


class WireClient(Wire):
    """One connection to an `OwnDisplay` in this process."""

    def __init__(self, display: OwnDisplay, *interfaces: Interface) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.client = display.add_client(theirs.detach())
        super().__init__(ours, display.dispatch, *interfaces)


def _string(text: str) -> bytes:
    return _array(text.encode() + b"\0")


def _array(raw: bytes) -> bytes:
    return struct.pack("=I", len(raw)) + raw + b"\0" * (-len(raw) % 4)


def _pack(argument: Argument, value: Any) -> bytes:
    match argument.kind:
        case ArgumentKind.INT:
            return struct.pack("=i", value)
        case ArgumentKind.FIXED:
            return struct.pack("=i", round(value * 256))
        case ArgumentKind.STRING:
            return struct.pack("=I", 0) if value is None else _string(value)
        case ArgumentKind.ARRAY:
            return _array(value)
        case _:
            return struct.pack("=I", value or 0)


def _unpack(argument: Argument, body: bytes) -> tuple[Any, bytes]:
    match argument.kind:
        case ArgumentKind.INT:
            return struct.unpack_from("=i", body)[0], body[4:]
        case ArgumentKind.FIXED:
            return struct.unpack_from("=i", body)[0] / 256, body[4:]
        case ArgumentKind.STRING | ArgumentKind.ARRAY:
            size = struct.unpack_from("=I", body)[0]
            rest = body[4 + (size + 3) // 4 * 4 :]
            raw = body[4 : 4 + size]
            if argument.kind is ArgumentKind.ARRAY:
                return raw, rest
            return (raw[:-1].decode() if size else None), rest
        case _:
            return struct.unpack_from("=I", body)[0], body[4:]
