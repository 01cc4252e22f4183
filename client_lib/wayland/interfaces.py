"""The protocol's interfaces as pywayland classes, made from the neutral tables.

pywayland 0.4 cannot send a `wl_array` (it asks cffi for an array of void), and
it gives the objects that come with an event to whichever connection it finds
first. `_Message` does both right; `send` and `listen` are the two ways in which
this package talks to proxies, its own and pywayland's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias, cast

from pywayland import ffi, lib
from pywayland.protocol.linux_dmabuf_v1 import ZwpLinuxDmabufFeedbackV1
from pywayland.protocol.wayland import WlBuffer, WlSurface
from pywayland.protocol_core.argument import Argument
from pywayland.protocol_core.interface import Interface, InterfaceMeta
from pywayland.protocol_core.message import Message as PywaylandMessage
from pywayland.protocol_core.proxy import Proxy
from pywayland.scanner.argument import ArgumentType

from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.wire import ArgumentKind, Interface as Table, Message
from heapwire.protocol.wire.bindings import (
    INTERFACES,
    XX_DMABUF_FEEDBACK_SOURCES_V1,
    XX_DMABUF_SOURCES_V1,
)

CData: TypeAlias = Any
"""What cffi hands out; it has no types of its own."""
AnyProxy: TypeAlias = "Proxy[Any]"
"""An object of a pywayland connection, whatever its interface."""
RequestArgument: TypeAlias = "int | str | bytes | AnyProxy | None"
Handler: TypeAlias = Callable[..., None]
"""What an event calls, with the event's arguments."""

_KINDS: Mapping[ArgumentKind, ArgumentType] = {
    ArgumentKind.INT: ArgumentType.Int,
    ArgumentKind.UINT: ArgumentType.Uint,
    ArgumentKind.FIXED: ArgumentType.Fixed,
    ArgumentKind.STRING: ArgumentType.String,
    ArgumentKind.OBJECT: ArgumentType.Object,
    ArgumentKind.NEW_ID: ArgumentType.NewId,
    ArgumentKind.ARRAY: ArgumentType.Array,
    ArgumentKind.FD: ArgumentType.FileDescriptor,
}


def _to_c(
    arguments: tuple[Argument, ...], values: tuple[RequestArgument, ...]
) -> tuple[CData, list[CData]]:
    """The `union wl_argument` array of a request, and what must outlive the call."""
    c_arguments: CData = ffi.new("union wl_argument []", max(1, len(arguments)))
    keep: list[CData] = []
    rest = iter(values)
    for slot, argument in zip(c_arguments, arguments, strict=False):
        if argument.argument_type is ArgumentType.NewId:
            slot.o = ffi.NULL
            continue
        value = next(rest)
        match argument.argument_type:
            case ArgumentType.Int:
                slot.i = value
            case ArgumentType.Uint:
                slot.u = value
            case ArgumentType.FileDescriptor:
                slot.h = value
            case ArgumentType.String:
                assert isinstance(value, str)
                keep.append(ffi.new("char []", value.encode()))
                slot.s = keep[-1]
            case ArgumentType.Array:
                assert isinstance(value, bytes)
                data: CData = ffi.new("char []", value or b"\0")
                array: CData = ffi.new("struct wl_array *")
                array.size = array.alloc = len(value)
                array.data = data
                keep += (data, array)
                slot.a = array
            case ArgumentType.Object:
                assert value is None or isinstance(value, Proxy)
                if value is not None and value.destroyed:
                    raise ValueError(f"{type(value).__name__} has been destroyed")
                pointer: CData = None if value is None else value._ptr
                slot.o = ffi.cast("struct wl_object *", pointer) if pointer else ffi.NULL
            case _:
                raise TypeError(f"no request of this package has a {argument.argument_type}")
    return c_arguments, keep


class _Message(PywaylandMessage):
    """A message whose arrays can be sent and whose strings always decode."""

    def c_to_arguments(self, args_ptr: CData, *_receiver: object) -> list[CData]:
        values: list[CData] = []
        for index, argument in enumerate(self.arguments):
            slot = args_ptr[index]
            match argument.argument_type:
                case ArgumentType.Int:
                    values.append(slot.i)
                case ArgumentType.Uint:
                    values.append(slot.u)
                case ArgumentType.FileDescriptor:
                    values.append(slot.h)
                case ArgumentType.String:
                    values.append(ffi.string(slot.s).decode("utf-8", "replace"))
                case ArgumentType.Array:
                    values.append(bytes(ffi.buffer(slot.a.data, slot.a.size)))
                case _:
                    raise TypeError(f"no event of this protocol has a {argument.argument_type}")
        return values

    def arguments_to_c(self, *args: CData) -> CData:
        raise TypeError("requests of this protocol go through send()")


class _NewObject(PywaylandMessage):
    """An event with a new object, which belongs to the connection of its proxy."""

    def __init__(self, message: PywaylandMessage, proxy: AnyProxy) -> None:
        super().__init__(message.py_func, message.arguments, message.version)
        self._display = proxy._display

    def c_to_arguments(self, args_ptr: CData, *_receiver: object) -> list[CData]:
        interface = self.arguments[0].interface
        assert interface is not None
        pointer: CData = ffi.cast("struct wl_proxy *", args_ptr[0].o)
        return [interface.proxy_class(pointer, self._display)]


def _make(table: Table, declared: dict[str, type[Interface]]) -> type[Interface]:
    """One interface; `declared` holds the interfaces that its messages name."""
    interface = declared[table.name]
    for messages, target in (
        (table.requests, interface.requests),
        (table.events, interface.events),
    ):
        for message in messages:
            target.append(_message(message, declared))
    interface._gen_c()
    # A class of its own for each interface: Display.disconnect() destroys through it.
    interface.proxy_class = type(f"{interface.__name__}Proxy", (Proxy,), {"interface": interface})
    return interface


def _message(message: Message, declared: Mapping[str, type[Interface]]) -> _Message:
    arguments = tuple(
        Argument(
            _KINDS[argument.kind],
            nullable=argument.nullable,
            interface=declared[argument.interface] if argument.interface else None,
        )
        for argument in message.arguments
    )

    def named() -> None: ...

    named.__name__ = message.name
    return _Message(named, arguments, message.since if message.since > 1 else None)


def _declare(table: Table) -> type[Interface]:
    name = "".join(part.title() for part in table.name.split("_"))
    made = InterfaceMeta(name, (Interface,), {"name": table.name, "version": table.version})
    return cast("type[Interface]", made)


_TABLES = (*INTERFACES, XX_DMABUF_SOURCES_V1, XX_DMABUF_FEEDBACK_SOURCES_V1)
_INTERFACES_BY_NAME: dict[str, type[Interface]] = {
    "wl_surface": WlSurface,
    "wl_buffer": WlBuffer,
    "zwp_linux_dmabuf_feedback_v1": ZwpLinuxDmabufFeedbackV1,
} | {table.name: _declare(table) for table in _TABLES}
_TABLES_BY_NAME: Mapping[str, Table] = {table.name: table for table in _TABLES}
for _table in _TABLES:
    _make(_table, _INTERFACES_BY_NAME)

NEGOTIATION_MANAGER = _INTERFACES_BY_NAME["xx_dmabuf_negotiation_manager_v1"]
"""The global of negotiations, as a class of pywayland's."""

DMABUF_SOURCES = _INTERFACES_BY_NAME["xx_dmabuf_sources_v1"]
"""The global of the protocol that adds to linux-dmabuf's feedback, likewise."""

ALLOCATION_MANAGER = _INTERFACES_BY_NAME["xx_dmabuf_allocation_manager_v1"]
"""The global through which a compositor allocates for its clients."""

BUFFER_STATUS_MANAGER = _INTERFACES_BY_NAME["xx_dmabuf_buffer_status_manager_v1"]
"""The global through which a compositor says what becomes of buffers."""


def send(proxy: AnyProxy, request: str, *values: RequestArgument) -> AnyProxy | None:
    """Make a request; returns the object that it creates, if it creates one.

    A destructor frees the proxy. Raises `ValueError` if the proxy, or one among
    the arguments, has been destroyed.
    """
    if proxy._ptr is None:
        raise ValueError(f"{type(proxy).__name__} has been destroyed")
    requests = proxy.interface.requests
    opcode = next(number for number, message in enumerate(requests) if message.name == request)
    arguments = requests[opcode].arguments
    c_arguments, keep = _to_c(arguments, values)
    created: AnyProxy | None = None
    new_ids = (argument for argument in arguments if argument.argument_type is ArgumentType.NewId)
    new = next(new_ids, None)
    if new is None:
        lib.wl_proxy_marshal_array(proxy._ptr, opcode, c_arguments)
    else:
        assert new.interface is not None
        pointer = lib.wl_proxy_marshal_array_constructor(
            proxy._ptr, opcode, c_arguments, new.interface._ptr
        )
        created = new.interface.proxy_class(pointer, proxy._display)
    del keep  # only now may what the arguments point to go
    table = _TABLES_BY_NAME.get(proxy.interface.name)
    if table is not None and table.requests[opcode].destructor:
        proxy._destroy()
    return created


def create(proxy: AnyProxy, request: str, *values: RequestArgument) -> AnyProxy:
    """Make a request that creates an object."""
    created = send(proxy, request, *values)
    assert created is not None, f"{request} creates nothing"
    return created


def listen(
    proxy: AnyProxy, failed: Callable[[BaseException], None], handlers: Mapping[str, Handler]
) -> None:
    """Set the handlers of a proxy's events; they get the arguments without the proxy.

    pywayland prints what a handler raises and goes on; here it goes to `failed`. It prints also
    that an event names an object that has been destroyed here, which any may that was on its way;
    here that is None.
    An event that carries a file descriptor must have a handler, or the
    descriptor would leak: one that is not named in `handlers` is an error.
    """
    names = {event.name for event in proxy.interface.events}
    assert handlers.keys() <= names, handlers.keys() - names
    messages: list[PywaylandMessage] = []
    for event in proxy.interface.events:
        kinds = [argument.argument_type for argument in event.arguments]
        assert ArgumentType.FileDescriptor not in kinds or event.name in handlers, event.name
        messages.append(_NewObject(event, proxy) if kinds == [ArgumentType.NewId] else _late(event))
    proxy.dispatcher.messages = messages
    for name, handler in handlers.items():
        proxy.dispatcher[name] = _guarded(handler, failed)


@cache
def _late(event: PywaylandMessage) -> PywaylandMessage:
    """An event that comes when the objects that it names may be gone."""
    arguments = tuple(
        replace(one, nullable=True) if one.argument_type is ArgumentType.Object else one
        for one in event.arguments
    )
    if arguments == event.arguments:
        return event
    return PywaylandMessage(event.py_func, arguments, event.version)


def _guarded(handler: Handler, failed: Callable[[BaseException], None]) -> Callable[..., None]:
    def dispatch(_proxy: AnyProxy, *arguments: CData) -> None:
        try:
            handler(*arguments)
        except BaseException as error:  # a Ctrl-C, too, would be lost in the C code above
            failed(error)

    return dispatch


def end(proxy: AnyProxy) -> None:
    """Destroy a proxy, in a handler of its own too, and let go of it at once.

    pywayland's proxies refer to themselves by a handle, and to their handlers, which refer to
    them: those of each frame would wait for a collector that comes every ten thousand frames.
    Nothing is dispatched to a proxy that is destroyed.
    """
    proxy._destroy()
    del proxy._handle, proxy.dispatcher
