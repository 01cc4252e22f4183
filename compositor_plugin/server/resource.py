"""Protocol objects on the compositor's side.

A `Resource` subclass names its neutral interface and has a method for each
request. Its life is that of the `wl_resource`: libwayland destroys that when
the client asks, when the client dies, or when the display ends, and only then
does this module let go of the Python object, after `on_destroy`. Whoever else
holds one can ask `alive`; events sent to a dead one vanish, as they would have
on the wire.

Handlers get ints, floats, strings, bytes for arrays, a `ReceivedFd` for an fd,
a `NewId` for a new object, and for an object the `Resource` if it is one of
ours, else a `ForeignResource`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, ClassVar

from heapwire.compositor_plugin.server.client import Client
from heapwire.compositor_plugin.server.errors import ProtocolError
from heapwire.compositor_plugin.server.fd import ReceivedFd
from heapwire.compositor_plugin.server.interface import interface_struct
from heapwire.compositor_plugin.server.library import CData, address, callback, ffi, library
from heapwire.compositor_plugin.server.listener import Listener
from heapwire.protocol.model.errors import LocalError
from heapwire.protocol.wire.interface import ArgumentKind, Interface, Message

log = logging.getLogger(__name__)

_resources: dict[int, Resource] = {}
_Marshal = Callable[[CData, Any], CData]


class NewId:
    """The id of an object that a request creates; hand it to a `Resource`."""

    __slots__ = ("client", "id", "version")

    def __init__(self, client: Client, id_: int, version: int) -> None:
        self.client = client
        self.id = id_
        self.version = version


class ForeignResource:
    """A `wl_resource` that someone else made, such as the host's `wl_surface`."""

    __slots__ = ("pointer",)

    def __init__(self, pointer: CData) -> None:
        self.pointer = ffi.cast("struct wl_resource *", pointer)

    @property
    def address(self) -> int:
        """The number that names the resource for as long as it lives."""
        return address(self.pointer)

    def on_destroy(self, callback: Callable[[], None]) -> Listener:
        """Call back when the resource is gone."""
        return Listener.on_resource(self.pointer, callback)


class Resource:
    """One object of a client's; subclass it and set `INTERFACE`."""

    INTERFACE: ClassVar[Interface]
    _events: ClassVar[dict[str, tuple[int, tuple[_Marshal, ...]]]]
    _handlers: ClassVar[tuple[tuple[str, Message], ...]]

    def __init_subclass__(cls) -> None:
        interface = cls.__dict__.get("INTERFACE")
        if interface is None:
            return
        cls._events = {
            event.name: (opcode, tuple(_MARSHAL[argument.kind] for argument in event.arguments))
            for opcode, event in enumerate(interface.events)
        }
        cls._handlers = tuple((request.name, request) for request in interface.requests)

    def __init__(self, new_id: NewId) -> None:
        """Create the object; raises `MemoryError` if libwayland has none for it."""
        self.client = new_id.client
        self.version = new_id.version
        lib = library()
        pointer = lib.wl_resource_create(
            new_id.client.pointer, interface_struct(self.INTERFACE), new_id.version, new_id.id
        )
        if pointer == ffi.NULL:
            new_id.client.post_no_memory()
            raise MemoryError("wl_resource_create")
        self.pointer = pointer
        self.address = address(pointer)
        _resources[self.address] = self
        lib.wl_resource_set_dispatcher(pointer, _dispatch, ffi.NULL, ffi.NULL, _destroyed)

    @property
    def alive(self) -> bool:
        """Whether the client still has the object."""
        return _resources.get(self.address) is self

    def send(self, event: str, *arguments: object) -> None:
        """Send an event; nothing happens if the object is dead.

        An fd is duplicated: it stays the caller's. Raises `LocalError` if the
        arguments are not those of the event.
        """
        opcode, marshal = self._events[event]
        if len(arguments) != len(marshal):
            raise LocalError(f"{self.INTERFACE.name}.{event} has {len(marshal)} arguments")
        if _resources.get(self.address) is not self:
            return
        array = ffi.new("union wl_argument[]", len(marshal) or 1)
        kept = [
            put(array[position], value)
            for position, (put, value) in enumerate(zip(marshal, arguments, strict=True))
        ]
        library().wl_resource_post_event_array(self.pointer, opcode, array)
        del kept  # libwayland has copied what the arguments point to

    def destroy_resource(self) -> None:
        """Destroy the object, as its destructor request does."""
        if self.alive:
            library().wl_resource_destroy(self.pointer)

    def on_destroy(self) -> None:
        """The object is gone; subclasses let go of what they hold."""


def resource_at(pointer: CData) -> Resource | ForeignResource | None:
    """The Python side of a `wl_resource *`."""
    if pointer == ffi.NULL:
        return None
    return _resources.get(address(pointer)) or ForeignResource(pointer)


@callback("int(const void *, void *, uint32_t, const struct wl_message *, union wl_argument *)")
def _dispatch(_impl: CData, target: CData, opcode: int, _message: CData, arguments: CData) -> int:
    resource = _resources.get(address(target))
    if resource is None:
        return 0
    name, request = resource._handlers[opcode]
    received: list[ReceivedFd] = []
    try:
        values = _values(resource, request, arguments, received)
        getattr(resource, name)(*values)
    except ProtocolError as error:
        _post_error(error)
    except Exception:
        log.exception("%s.%s failed", resource.INTERFACE.name, name)
        resource.client.post_implementation_error(f"{resource.INTERFACE.name}.{name} failed")
    finally:
        for fd in received:
            fd.close()
    return 0


@callback("void(struct wl_resource *)")
def _destroyed(pointer: CData) -> None:
    resource = _resources.pop(address(pointer), None)
    if resource is None:
        return
    try:
        resource.on_destroy()
    except Exception:
        log.exception("%s: the end failed", resource.INTERFACE.name)


def _post_error(error: ProtocolError) -> None:
    if not error.resource.alive:
        error.resource.client.post_implementation_error(error.message)
        return
    text = ffi.new("char[]", error.message.encode().replace(b"\0", b" ")[:512])
    library().wl_resource_post_error(
        error.resource.pointer, ffi.cast("uint32_t", error.code), ffi.new("char[]", b"%s"), text
    )


def _values(
    resource: Resource, request: Message, arguments: CData, received: list[ReceivedFd]
) -> list[object]:
    values: list[object] = []
    for position, argument in enumerate(request.arguments):
        value = arguments[position]
        match argument.kind:
            case ArgumentKind.INT:
                values.append(value.i)
            case ArgumentKind.UINT:
                values.append(value.u)
            case ArgumentKind.FIXED:
                values.append(value.f / 256)
            case ArgumentKind.STRING:
                text = None if value.s == ffi.NULL else ffi.string(value.s)
                values.append(None if text is None else text.decode("utf-8", "replace"))
            case ArgumentKind.OBJECT:
                values.append(resource_at(value.o))
            case ArgumentKind.NEW_ID:
                values.append(NewId(resource.client, value.n, resource.version))
            case ArgumentKind.ARRAY:
                data = value.a
                values.append(bytes(ffi.buffer(data.data, data.size)) if data.size else b"")
            case ArgumentKind.FD:
                received.append(ReceivedFd(value.h))
                values.append(received[-1])
    return values


def _int(slot: CData, value: int) -> None:
    slot.i = value


def _uint(slot: CData, value: int) -> None:
    slot.u = value


def _fixed(slot: CData, value: float) -> None:
    slot.f = round(value * 256)


def _string(slot: CData, value: str | None) -> CData:
    text = ffi.NULL if value is None else ffi.new("char[]", value.encode())
    slot.s = text
    return text


def _object(slot: CData, value: Resource | ForeignResource | None) -> None:
    slot.o = ffi.NULL if value is None else ffi.cast("struct wl_object *", value.pointer)


def _array(slot: CData, value: bytes) -> CData:
    data = ffi.from_buffer(value)
    array = ffi.new("struct wl_array *", (len(value), len(value), ffi.cast("void *", data)))
    slot.a = array
    return (data, array)


def _fd(slot: CData, value: int) -> None:
    slot.h = value


_MARSHAL: dict[ArgumentKind, _Marshal] = {
    ArgumentKind.INT: _int,
    ArgumentKind.UINT: _uint,
    ArgumentKind.FIXED: _fixed,
    ArgumentKind.STRING: _string,
    ArgumentKind.OBJECT: _object,
    ArgumentKind.NEW_ID: _object,
    ArgumentKind.ARRAY: _array,
    ArgumentKind.FD: _fd,
}
