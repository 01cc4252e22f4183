"""Protocol objects on the compositor's side.

A `Resource` subclass names its neutral interface and has a method for each
request. Its life is that of the `wl_resource`: libwayland destroys that when
the client asks, when the client dies, or when the display ends, and only then
does this module let go of the Python object, after `on_destroy`. Whoever else
holds one can ask `alive`; events sent to a dead one vanish, as they would have
on the wire.

Handlers get ints, floats, strings, bytes for arrays, a `ReceivedFd` for an fd,
a `NewId` for a new object, and for an object the `Resource` if it was made
through the same `Display` object, else a `ForeignResource`: a plugin sees the
surfaces of its host in the same way whatever the host is written in.

A handler raises `ViolationError` for misuse, or lets a `MisuseError` of the
object that the request was made on pass, and libwayland processes nothing more
of that client. Where memory or file descriptors run out the client ends with
`wl_display.error no_memory`, and a line of the log says so. Anything else that
it raises is logged and ends the client with `wl_display.error implementation`,
and so does a `NewId` left unused, because the client would go on to speak to
an object that is not there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence, Sized
from typing import TYPE_CHECKING, ClassVar

from _cffi_backend import cast  # `ffi.cast` of a type that is known, without its detours

from heapwire.compositor_plugin.server.arguments import (
    Arrived,
    EventEncoder,
    EventRow,
    RequestDecoder,
)
from heapwire.compositor_plugin.server.client import Client
from heapwire.compositor_plugin.server.encoded_events import EncodedEvents
from heapwire.compositor_plugin.server.errors import (
    ViolationError,
    is_shortage,
    post_error,
    post_invalid_arguments,
    post_invalid_object,
)
from heapwire.compositor_plugin.server.interface import interface_struct
from heapwire.compositor_plugin.server.libwayland_server import (
    CData,
    address,
    callback,
    ffi,
    library,
)
from heapwire.compositor_plugin.server.listener import Listener
from heapwire.protocol import PeerError, UsageError
from heapwire.protocol.make_room import make_room
from heapwire.protocol.wire import Interface, MisuseError

if TYPE_CHECKING:
    from heapwire.compositor_plugin.server.display import Display

log = logging.getLogger(__name__)

_ADDRESS = ffi.typeof("uintptr_t")
_NULL = ffi.NULL
_ROWS = 64  # of events, by their names; what is told of a machine has a handful
_resources: dict[int, Resource] = {}
_left: dict[int, Resource] = {}  # what `leave` has ended, and libwayland still has
_MOST_LEFT = 1024  # of these: what a client can destroy while no slice comes is not bounded
_handled = 0


class NewId:
    """The id of an object that is to be created; hand it to a `Resource`.

    Ids come from clients; id 0 lets libwayland choose one, for an object that
    an event introduces. `owner` is what the object belongs to: the `Display`
    object through which it was made.
    """

    __slots__ = ("client", "id", "owner", "used", "version")

    def __init__(
        self, client: Client, id_: int, version: int, owner: Display | None = None
    ) -> None:
        self.client = client
        self.id = id_
        self.version = version
        self.owner = owner
        self.used = False


class ForeignResource:
    """A `wl_resource` that someone else made, such as the host's `wl_surface`.

    It is good within the handler that received it. Who keeps it longer must
    listen for its end: the address may name another resource afterwards.
    """

    __slots__ = ("pointer",)
    alive: ClassVar[bool] = True

    def __init__(self, pointer: CData) -> None:
        self.pointer = ffi.cast("struct wl_resource *", pointer)

    @property
    def address(self) -> int:
        """The number that names the resource for as long as it lives."""
        return address(self.pointer)

    def on_destroy(self, callback: Callable[[], None]) -> Listener:
        """Call back when the resource is gone."""
        return Listener.on_resource(self.pointer, callback)

    def post_error(self, code: int, message: str) -> None:
        """End the client with an error of this object's interface."""
        post_error(self.pointer, code, message)


class Resource:
    """One object of a client's; subclass it, set `INTERFACE`, write the handlers.

    `VERSION` is the highest version that the handlers are written for; requests
    that came later need none. `destroy` and `release` are destructors unless a
    subclass says otherwise. `WEIGHT` is what one counts where its display bounds the
    objects of clients.
    """

    INTERFACE: ClassVar[Interface]
    VERSION: ClassVar[int]
    WEIGHT: ClassVar[int] = 1
    _struct: ClassVar[CData]
    _events: ClassVar[dict[str, EventEncoder]]
    _rows: ClassVar[dict[tuple[str, ...], EventRow]]
    _requests: ClassVar[tuple[RequestDecoder, ...]]

    def __init_subclass__(cls) -> None:
        interface = cls.__dict__.get("INTERFACE")
        if interface is None:
            return
        cls.VERSION = cls.__dict__.get("VERSION", interface.version)
        missing = [
            request.name
            for request in interface.requests
            if request.since <= cls.VERSION and not callable(getattr(cls, request.name, None))
        ]
        if missing:
            raise TypeError(f"{cls.__name__} does not handle {', '.join(missing)}")
        cls._struct = None  # made when the first object is
        cls._events = {
            event.name: EventEncoder(interface.name, opcode, event)
            for opcode, event in enumerate(interface.events)
        }
        cls._rows = {}
        cls._requests = tuple(RequestDecoder(request) for request in interface.requests)

    def __init__(self, new_id: NewId) -> None:
        """Create the object; raises `MemoryError` if the client has too many, or none is there."""
        self.client = client = new_id.client
        self.version = new_id.version
        self.owner = owner = new_id.owner
        bound = owner.bound if owner is not None else None
        if bound is not None and not bound.take(client, self.WEIGHT):
            raise MemoryError("more objects than a client may have")
        lib = library()
        struct = self._struct
        if struct is None:
            struct = type(self)._struct = interface_struct(self.INTERFACE)
        pointer = lib.wl_resource_create(client.pointer, struct, new_id.version, new_id.id)
        new_id.used = True
        if not pointer:
            if bound is not None:
                bound.give_back(client, self.WEIGHT)
            client.post_no_memory()
            raise MemoryError("wl_resource_create")
        self.pointer = pointer
        self.address = number = int(cast(_ADDRESS, pointer))
        _resources[number] = self
        lib.wl_resource_set_dispatcher(pointer, _DISPATCHER, _NULL, _NULL, _DESTROYER)

    @property
    def alive(self) -> bool:
        """Whether the client still has the object."""
        return _resources.get(self.address) is self

    def send(self, event: str, *arguments: object) -> None:
        """Send an event; nothing happens if the object is dead.

        An fd is duplicated: it stays the caller's. Raises `UsageError` if the
        arguments are not those of the event, or the object's version has none.
        """
        if _resources.get(self.address) is not self:
            return
        encoder = self._events[event]
        array, kept = encoder.encode(arguments, self.version)
        library().wl_resource_post_event_array(self.pointer, encoder.opcode, array)
        del kept  # libwayland has copied what the arguments point to

    def encode(self, events: Sequence[tuple[str, Sequence[object]]]) -> EncodedEvents:
        """Events with their arguments, to be sent any number of times by `send_encoded`.

        Of this object or another of its class and version. They must not name an object or
        have an fd. Raises `UsageError` as `send` does.
        """
        names, values = zip(*events, strict=True) if events else ((), ())
        row = self._rows.get(names)
        if row is None:
            make_room(self._rows, _ROWS)
            row = self._rows[names] = EventRow([self._events[name] for name in names])
        block = row.words(values, self.version)
        if block is not None:
            return EncodedEvents(row.opcodes, row.sizes, block)
        kept: list[Sized] = []
        words = [
            self._events[name].words(arguments, self.version, kept)
            for name, arguments in zip(names, values, strict=True)
        ]
        return EncodedEvents(row.opcodes, tuple(map(len, words)), b"".join(words), kept)

    def send_encoded(self, events: EncodedEvents, last: str = "", *arguments: object) -> None:
        """Send events, and then a `last` one if it is named; nothing if the object is dead.

        All go out in one call where a function in C posts them. Raises as `send` does.
        """
        if _resources.get(self.address) is not self:
            return
        if not last:
            events.post(self.pointer, self.client.pointer)
            return
        encoder = self._events[last]
        kept: list[Sized] = []
        words = encoder.words(arguments, self.version, kept)
        events.post(self.pointer, self.client.pointer, (encoder.opcode, words))
        del kept  # libwayland has copied what the arguments point to

    def has_event(self, event: str) -> bool:
        """Whether the object's version has an event."""
        return self.version >= self._events[event].since

    def destroy_resource(self) -> None:
        """Destroy the object, as its destructor request does."""
        if _resources.get(self.address) is self:
            library().wl_resource_destroy(self.pointer)

    def leave(self) -> None:
        """End the object for its client as `destroy_resource` does; libwayland's goes in `end`.

        That is half of what it takes, and a client destroys hundreds at once. Until then the
        client is told no `delete_id`, and to use the object is the error that it would be.
        """
        if len(_left) >= _MOST_LEFT:
            self.destroy_resource()
        elif _resources.pop(self.address, None) is not None:
            _left[self.address] = self
            self.on_destroy()

    def end(self) -> None:
        """Let go of what `leave` left, if it is still there."""
        if _left.get(self.address) is self:
            library().wl_resource_destroy(self.pointer)

    def post_error(self, code: int, message: str) -> None:
        """End the client with an error of this object's interface."""
        if self.alive:
            post_error(self.pointer, code, message)
        else:
            self.client.post_implementation_error(message)

    def child(self, new_id: int = 0) -> NewId:
        """The id of an object that this one introduces to the client in an event."""
        return NewId(self.client, new_id, self.version, self.owner)

    def destroy(self) -> None:
        """The usual destructor request."""
        self.destroy_resource()

    def release(self) -> None:
        """The other usual destructor request."""
        self.destroy_resource()

    def on_destroy(self) -> None:
        """The object is gone; subclasses let go of what they hold."""


def requests_handled() -> int:
    """How many requests of clients' our objects have handled since the process began."""
    return _handled


def live_resources() -> tuple[Resource, ...]:
    """All objects that clients have of us now."""
    return tuple(_resources.values())


class _LeftError(PeerError):
    """A request names an object that its client has destroyed."""


def _object(word: int, receiver: Resource) -> Resource | ForeignResource | None:
    if not word:
        return None
    resource = _resources.get(word)
    if resource is not None and resource.owner is receiver.owner:
        return resource
    if word in _left:
        raise _LeftError
    return ForeignResource(ffi.cast("struct wl_resource *", word))


# Pointers come as numbers: nothing is done with them that a number is not enough for.
@callback("int(uintptr_t, uintptr_t, uint32_t, uintptr_t, char *)")
def _dispatch(_impl: int, target: int, opcode: int, _message: int, arguments: CData) -> int:
    global _handled
    resource = _resources.get(target)
    if resource is None:
        if target in _left:
            post_invalid_object(_left[target].pointer)
        return 0
    _handled += 1
    request = resource._requests[opcode]
    try:
        if request.plain:
            getattr(resource, request.name)(*request.decode(arguments))
        elif request.makes is not None:
            values = list(request.decode(arguments))
            number = values[request.makes]
            new_id = NewId(resource.client, number, resource.version, resource.owner)
            values[request.makes] = new_id
            getattr(resource, request.name)(*values)
            if not new_id.used:
                raise UsageError("the new object was not made")
        elif request.names is not None:
            values = list(request.decode(arguments))
            values[request.names] = _object(values[request.names], resource)
            getattr(resource, request.name)(*values)
        else:
            _handle(resource, request, arguments)
    except MisuseError as error:
        resource.post_error(error.code, error.message)
    except ViolationError as error:
        error.resource.post_error(error.code, error.message)
    except _LeftError:
        post_invalid_arguments(resource.pointer, resource.INTERFACE.name, request.name)
    except Exception as error:
        _failed(resource, request.name, error)
    return 0


def _handle(resource: Resource, request: RequestDecoder, arguments: CData) -> None:
    """Handle a request that comes with fds, or with several objects and ids to be filled."""
    arrived = Arrived(resource, _object, NewId)
    try:
        getattr(resource, request.name)(*request.decode_all(arguments, arrived))
        for new_id in arrived.new_ids:
            if not new_id.used:
                raise UsageError("the new object was not made")
    finally:
        for fd in arrived.fds:
            fd.close()


def _failed(resource: Resource, request: str, error: Exception) -> None:
    what = f"{resource.INTERFACE.name}.{request}"
    if is_shortage(error):
        # Not the error itself: who keeps what was logged would keep the object, by its frames.
        log.warning("%s: out of memory or file descriptors: %s", what, str(error))
        resource.client.post_no_memory()
    else:
        log.exception("%s failed", what)
        resource.client.post_implementation_error(f"{what} failed")


@callback("void(uintptr_t)")
def _destroyed(pointer: int) -> None:
    left = _left.pop(pointer, None)
    resource = left or _resources.pop(pointer, None)
    if resource is None:
        return
    if resource.owner is not None and resource.owner.bound is not None:
        resource.owner.bound.give_back(resource.client, resource.WEIGHT)
    if left is not None:
        return
    try:
        resource.on_destroy()
    except Exception:
        log.exception("%s: the end failed", resource.INTERFACE.name)


_DISPATCHER = ffi.cast(
    "int(*)(const void *, void *, uint32_t, const struct wl_message *, union wl_argument *)",
    _dispatch,
)
_DESTROYER = ffi.cast("void(*)(struct wl_resource *)", _destroyed)
