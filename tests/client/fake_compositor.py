"""A compositor of a few hundred lines that speaks the wire itself.

It uses no libwayland, so it can send what no compositor should, and it is an
independent peer for everything else. Each test scripts it: methods named
`on_<interface>_<request>` answer requests, and every request is recorded.
"""

from __future__ import annotations

import array
import contextlib
import os
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from patience import PATIENCE
from pywayland.protocol.linux_dmabuf_v1 import ZwpLinuxBufferParamsV1, ZwpLinuxDmabufV1
from pywayland.protocol.wayland import (
    WlBuffer,
    WlCallback,
    WlCompositor,
    WlDisplay,
    WlRegistry,
    WlSurface,
)
from pywayland.scanner.argument import ArgumentType

from heapwire.protocol.values import (
    FORMATS,
    BufferObject,
    Extent,
    FormatModifier,
    Layout,
    LayoutKind,
    Plan,
    PlaneLayout,
    SourceId,
    SourceKind,
    Usage,
    parse_fourcc,
)
from heapwire.protocol.wire import (
    Access,
    Argument,
    ArgumentKind,
    Batch,
    Interface,
    Message,
    Offer,
    Tranche,
    TrancheFlags,
    batch_events,
)
from heapwire.protocol.wire.batch import BatchParticipant
from heapwire.protocol.wire.bindings import INTERFACES

CMA = SourceId(SourceKind.HEAP, 250, 1)
SYSTEM = SourceId(SourceKind.HEAP, 250, 0)
SERVER_IDS = 0xFF000000  # objects that a compositor creates are numbered from here

_KINDS = {
    ArgumentType.Int: ArgumentKind.INT,
    ArgumentType.Uint: ArgumentKind.UINT,
    ArgumentType.Fixed: ArgumentKind.FIXED,
    ArgumentType.String: ArgumentKind.STRING,
    ArgumentType.Object: ArgumentKind.OBJECT,
    ArgumentType.NewId: ArgumentKind.NEW_ID,
    ArgumentType.Array: ArgumentKind.ARRAY,
    ArgumentType.FileDescriptor: ArgumentKind.FD,
}


def _table(interface: Any) -> Interface:
    def messages(entries: Any) -> tuple[Message, ...]:
        return tuple(
            Message(
                entry.name,
                tuple(
                    Argument(
                        str(index),
                        _KINDS[one.argument_type],
                        one.interface.name if one.interface else None,
                    )
                    for index, one in enumerate(entry.arguments)
                ),
                destructor=entry.name in ("destroy", "release"),
            )
            for entry in entries
        )

    return Interface(
        interface.name, interface.version, messages(interface.requests), messages(interface.events)
    )


TABLES = {table.name: table for table in INTERFACES} | {
    one.name: _table(one)
    for one in (
        WlDisplay,
        WlRegistry,
        WlCallback,
        WlCompositor,
        WlSurface,
        WlBuffer,
        ZwpLinuxDmabufV1,
        ZwpLinuxBufferParamsV1,
    )
}


class Request(NamedTuple):
    interface: str
    object: int
    name: str
    args: tuple[Any, ...]


class FakeCompositor:
    """Serves one client on its own thread; `socket` is the client's end."""

    globals: tuple[tuple[str, int], ...] = (
        ("wl_compositor", 6),
        ("zwp_linux_dmabuf_v1", 5),
        ("xx_dmabuf_negotiation_manager_v1", 1),
        ("xx_dmabuf_allocation_manager_v1", 1),
        ("xx_dmabuf_buffer_status_manager_v1", 1),
    )

    def __init__(self) -> None:
        self._peer, mine = socket.socketpair()
        self.socket = mine
        self.requests: list[Request] = []
        self.fds: list[int] = []
        self.objects: dict[int, str] = {1: "wl_display"}
        self.faults: list[BaseException] = []
        self.serial = 0
        self._next_server_id = SERVER_IDS
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hang up, and let go of everything."""
        with contextlib.suppress(OSError):
            self._peer.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self._peer.close()
        if self.socket.fileno() >= 0:
            self.socket.close()
        for fd in self.fds:
            os.close(fd)
        self.fds.clear()
        if self.faults:
            raise self.faults[0]

    def hang_up(self) -> None:
        """Die in the middle of things."""
        self._peer.shutdown(socket.SHUT_RDWR)

    def of(self, interface: str) -> list[Request]:
        """The recorded requests on objects of an interface."""
        return [request for request in self.requests if request.interface == interface]

    def names(self, interface: str) -> list[str]:
        return [request.name for request in self.of(interface)]

    # Answers; a test overrides what it is about.

    def on_wl_display_sync(self, _id: int, callback: int) -> None:
        self.event(callback, "done", 0)
        self.delete(callback)

    def on_wl_display_get_registry(self, _id: int, registry: int) -> None:
        for number, (name, version) in enumerate(self.globals, 1):
            self.event(registry, "global", number, name, version)

    def on_wl_registry_bind(
        self, _id: int, _number: int, interface: str, _version: int, new: int
    ) -> None:
        self.objects[new] = interface
        if interface == "xx_dmabuf_negotiation_manager_v1":
            self.announce(new)
        if interface == "xx_dmabuf_allocation_manager_v1":
            for source in (SYSTEM, CMA):
                self.event(new, "source", *_numbers(source))
            self.event(new, "done")

    def announce(self, manager: int) -> None:
        self.event(manager, "source", *_numbers(SYSTEM), 0, "system")
        self.event(manager, "source", *_numbers(CMA), 1, "linux,cma")
        self.event(manager, "supported_type", 1)
        self.event(manager, "done")

    def on_xx_dmabuf_negotiation_v1_commit(self, id_: int, cookie: int) -> None:
        self.answer(id_, cookie)

    def answer(self, negotiation: int, cookie: int) -> None:
        self.send_batch(negotiation, replace(plans(), cookie=cookie))

    def on_zwp_linux_buffer_params_v1_create(
        self, id_: int, _width: int, _height: int, _format: int, _flags: int
    ) -> None:
        buffer = self.server_object("wl_buffer")
        self.event(id_, "created", buffer)

    # The wire.

    def send_batch(self, negotiation: int, batch: Batch) -> Batch:
        """Send a batch with the next serial."""
        self.serial += 1
        batch = replace(batch, serial=self.serial)
        for name, arguments in batch_events(batch):
            self.event(negotiation, name, *arguments)
        return batch

    def server_object(self, interface: str) -> int:
        new = self._next_server_id
        self._next_server_id += 1
        self.objects[new] = interface
        return new

    def delete(self, id_: int) -> None:
        self.objects.pop(id_, None)
        if id_ < SERVER_IDS:
            self.event(1, "delete_id", id_)

    def protocol_error(self, object_id: int, code: int, text: str) -> None:
        self.event(1, "error", object_id, code, text)
        self.hang_up()

    def event(self, id_: int, name: str, *args: Any) -> None:
        events = TABLES[self.objects[id_]].events
        opcode = next(number for number, one in enumerate(events) if one.name == name)
        body, fds = bytearray(), []
        for argument, value in zip(events[opcode].arguments, args, strict=True):
            match argument.kind:
                case ArgumentKind.FD:
                    fds.append(value)
                case ArgumentKind.STRING:
                    raw = (value if isinstance(value, bytes) else value.encode()) + b"\0"
                    body += struct.pack("=I", len(raw)) + raw + bytes(-len(raw) % 4)
                case ArgumentKind.ARRAY:
                    body += struct.pack("=I", len(value)) + value + bytes(-len(value) % 4)
                case ArgumentKind.INT | ArgumentKind.FIXED:
                    body += struct.pack("=i", value)
                case _:
                    body += struct.pack("=I", value)
        header = struct.pack("=II", id_, (8 + len(body)) << 16 | opcode)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._peer.sendmsg([header + body], rights)

    def _run(self) -> None:
        try:
            self._serve()
        except BaseException as error:  # told by close(), where the test sees it
            self.faults.append(error)
            self.hang_up()  # rather than let the client wait

    def _serve(self) -> None:
        data, fds = b"", []
        while True:
            try:
                part, ancillary, _, _ = self._peer.recvmsg(65536, socket.CMSG_SPACE(4 * 28))
            except ConnectionResetError:
                break
            for _, _, raw in ancillary:
                fds += list(array.array("i", raw))
            self.fds += [fd for fd in fds if fd not in self.fds]
            if not part:
                break
            data += part
            while len(data) >= 8:
                id_, head = struct.unpack_from("=II", data)
                if len(data) < head >> 16:
                    break
                message, data = data[8 : head >> 16], data[head >> 16 :]
                self._handle(id_, head & 0xFFFF, message, fds)

    def _handle(self, id_: int, opcode: int, body: bytes, fds: list[int]) -> None:
        interface = self.objects[id_]
        request = TABLES[interface].requests[opcode]
        args = self._decode(request, body, fds)
        self.requests.append(Request(interface, id_, request.name, args))
        handler: Callable[..., None] | None
        handler = getattr(self, f"on_{interface}_{request.name}", None)
        if handler is not None:
            handler(id_, *args)
        if request.destructor:
            self.delete(id_)

    def _decode(self, request: Message, body: bytes, fds: list[int]) -> tuple[Any, ...]:
        args: list[Any] = []
        at = 0

        def word(code: str = "=I") -> int:
            nonlocal at
            at += 4
            return int(struct.unpack_from(code, body, at - 4)[0])

        def blob() -> bytes:
            nonlocal at
            size = word()
            at += size + -size % 4
            return body[at - size - -size % 4 :][:size]

        for argument in request.arguments:
            match argument.kind:
                case ArgumentKind.FD:
                    args.append(fds.pop(0))
                case ArgumentKind.STRING:
                    args.append(blob()[:-1].decode())
                case ArgumentKind.ARRAY:
                    args.append(blob())
                case ArgumentKind.INT | ArgumentKind.FIXED:
                    args.append(word("=i"))
                case ArgumentKind.NEW_ID if argument.interface is None:
                    args += (blob()[:-1].decode(), word(), word())
                case ArgumentKind.NEW_ID:
                    args.append(word())
                    self.objects[args[-1]] = argument.interface
                case _:
                    args.append(word())
        return tuple(args)


class Allocating(FakeCompositor):
    """Allocates memfds of these sizes for a client."""

    sizes: tuple[int, ...] = (1 << 16,)
    failure: tuple[int, str] | None = None

    def on_xx_dmabuf_allocation_manager_v1_allocate(self, _id, new, *_buffer):
        for size in self.sizes:
            fd = os.memfd_create("allocated")
            os.ftruncate(fd, size)
            self.event(new, "object", fd, 0, size)
            os.close(fd)
        if self.failure is not None:
            self.event(new, "failed", *self.failure)
        else:
            self.event(new, "done")


def _numbers(source: SourceId) -> tuple[int, int, int]:
    return source.kind, source.major, source.minor


XRGB = FormatModifier(parse_fourcc("XRGB8888"), 0)
NV12 = FormatModifier(parse_fourcc("NV12"), 0)


DISPLAY = BatchParticipant(0x80000000, Usage.SCANOUT, None, "display")


def plan(
    *,
    pair: FormatModifier = NV12,
    size: tuple[int, int] = (64, 48),
    count: int = 3,
    source: SourceId = CMA,
) -> Plan:
    """An exact plan of one object, with a padded pitch."""
    width, height = size
    pitch = -(-width // 32) * 32 + 32
    planes: tuple[PlaneLayout, ...]
    if len(FORMATS[pair.fourcc].planes) == 2:
        planes = (PlaneLayout(0, 0, pitch), PlaneLayout(0, pitch * height, pitch))
        bytes_ = pitch * height * 3 // 2
    else:
        planes = (PlaneLayout(0, 0, 4 * pitch),)
        bytes_ = 4 * pitch * height
    return Plan(
        fourcc=pair.fourcc,
        modifier=pair.modifier,
        goal="scanout",
        scanout=True,
        layout=Layout(
            kind=LayoutKind.EXACT,
            extent=Extent(width, height),
            objects=(BufferObject(source, bytes_),),
            planes=planes,
        ),
        buffer_count=count,
    )


def plans(*offered: Plan, access: Access = Access.CLIENT | Access.COMPOSITOR) -> Batch:
    """A batch with plans, by default one of NV12."""
    offers = tuple(
        Offer(index, one, (access,) * len(one.layout.objects))
        for index, one in enumerate(offered or (plan(),))
    )
    tranche = Tranche(flags=TrancheFlags.SCANOUT, offers=offers)
    return Batch(participants=(DISPLAY,), tranches=(tranche,))
