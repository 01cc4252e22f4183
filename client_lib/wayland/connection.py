"""The connection to a compositor: opened, dispatched and closed in one place.

pywayland's own `Display` blocks without a limit, tells a protocol error as a
bare errno and crashes the interpreter when it is left open at exit. A
`Connection` wraps one, its own or an application's, and gives every wait a
deadline and every fault an exception.
"""

from __future__ import annotations

import errno
import os
import select
import time
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from pywayland import ffi, lib
from pywayland.client.display import Display
from pywayland.protocol_core.interface import Interface
from pywayland.protocol_core.proxy import Proxy

from heapwire.client_lib.errors import (
    DisconnectedError,
    MissingGlobalError,
    NoAnswerError,
    NoCompositorError,
    ProtocolError,
)
from heapwire.client_lib.wayland import libwayland
from heapwire.client_lib.wayland.abandoned import end_when_abandoned, watch_collections
from heapwire.client_lib.wayland.default_timeout import DEFAULT_TIMEOUT
from heapwire.client_lib.wayland.interfaces import AnyProxy, CData, end, listen
from heapwire.kernel.system import Owner
from heapwire.protocol import PeerError, UsageError
from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.wire.bindings import INTERFACES

Shared = TypeVar("Shared")

if TYPE_CHECKING:
    from pywayland.protocol.wayland import WlRegistryProxy  # elsewhere in pywayland 0.4.18

MOST_FAULTS = 16  # exceptions of handlers that are kept for an application that never looks

_ERRNO_HOLDER: CData = ffi  # its stubs leave `errno` out


class Global(NamedTuple):
    """A global: the number to bind it by, and the version on offer."""

    number: int
    version: int


class Connection(Owner):
    """A connection to a compositor.

    `target` is the name of a socket (None: that of `$WAYLAND_DISPLAY`), the fd
    of a connected socket, which this object then owns, or a connected pywayland
    `Display` of the application's, which stays the application's: closing then
    only destroys what this package created on it.

    All events arrive on the display's default queue. `fileno()` can be polled;
    when it is readable, call `dispatch(0)`. With a display of the application's,
    its own `dispatch` will do too, and `check()` afterwards raises what a
    handler of this package's met with. There is no thread: use a connection,
    and all that is made on it, from one thread.

    Raises `NoCompositorError` if there is nobody to connect to, `UsageError` for a
    display that is not connected.
    """

    def __init__(self, target: str | int | Display | None = None) -> None:
        self._owned = not isinstance(target, Display)
        if isinstance(target, Display):
            if target._ptr is None:
                raise UsageError("the display is not connected")
            self.display = target
        else:
            libwayland.LOG.install()
            self.display = _connect(target)
        self._globals: dict[str, list[Global]] = {}
        self._registry: WlRegistryProxy | None = None
        self._registry_synced = False
        self._faults: list[BaseException] = []
        self._closers: dict[int, Callable[[], None]] = {}
        self._watchers: dict[int, Callable[[], None]] = {}
        self._kept: set[AnyProxy] = set()
        self._shared: dict[type, object] = {}
        self._dispatching = 0
        self._closing = False
        self._finalizer: Callable[[], object] = lambda: None
        if self._owned:
            watch_collections()
            # Also runs at interpreter exit, before libwayland's objects are torn down.
            self._finalizer = weakref.finalize(self, end_when_abandoned, self.display)

    @property
    def closed(self) -> bool:
        """Whether nothing more can be sent."""
        return self.display._ptr is None

    def close(self) -> None:
        """Destroy what was made on this connection, and end it if it is ours.

        In a handler it takes effect when the dispatching is over.
        """
        if self._dispatching:
            self._closing = True
            return
        for closer in reversed(list(self._closers.values())):
            closer()
        self._closers.clear()
        self._shared.clear()
        for proxy in self._kept:
            proxy._destroy()
        self._kept.clear()
        if self._registry is not None:
            self._registry._destroy()
            self._registry = None
        if not self.closed and self._owned:
            lib.wl_display_flush(self._pointer)
        self._finalizer()

    def fileno(self) -> int:
        """The fd to poll for reading."""
        return int(lib.wl_display_get_fd(self._pointer))

    def flush(self) -> bool:
        """Send what is waiting; False if the socket takes no more for now.

        A broken connection is not told here but by the next `dispatch`, which
        can still read why the compositor ended it.
        """
        if lib.wl_display_flush(self._pointer) >= 0:
            return True
        return bool(_ERRNO_HOLDER.errno != errno.EAGAIN)

    def dispatch(self, timeout: float | None = 0.0, *others: int) -> bool:
        """Send, wait for events, and run their handlers.

        Waits at most `timeout` seconds (None: without a limit; 0: not at all),
        or until one of the fds `others` is readable. Returns whether any events
        were dispatched. Raises what a handler raised; `ProtocolError` or
        `DisconnectedError` when the connection is dead.
        """
        self.check()
        pointer = self._pointer
        if lib.wl_display_prepare_read(pointer) != 0:
            return self._dispatch_pending()
        reading = False
        try:
            reading = self._wait_readable(timeout, others)
        finally:
            if not reading:
                libwayland.cancel_read(pointer)
        if reading and lib.wl_display_read_events(pointer) < 0:
            raise self._fault()
        return self._dispatch_pending()

    def wait(
        self, condition: Callable[[], bool], *, timeout: float = DEFAULT_TIMEOUT, what: str
    ) -> None:
        """Dispatch until the condition holds.

        Raises `NoAnswerError`, which says that `what` did not come, after
        `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise NoAnswerError(f"no {what} from the compositor within {timeout:g} s")
            self.dispatch(remaining)

    def sync(self, done: Callable[[], None]) -> None:
        """Call `done` when the compositor has seen all requests made so far."""
        callback = self.display.sync()
        self.keep(callback)

        def answered(_data: int) -> None:
            self.release(callback)
            done()

        listen(callback, self.handler_failed, {"done": answered})

    def roundtrip(self, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        """Wait until the compositor has seen all requests made so far.

        Raises `NoAnswerError` after `timeout` seconds.
        """
        answered: list[bool] = []
        self.sync(lambda: answered.append(True))
        self.wait(lambda: bool(answered), timeout=timeout, what="answer to a sync")

    def globals(self, *, timeout: float = DEFAULT_TIMEOUT) -> Mapping[str, Global]:
        """The globals on offer, by interface; of several the first.

        Waits for the list once, at most `timeout` seconds (`NoAnswerError`).
        """
        if self._registry is None:
            self._registry = self.display.get_registry()
            listen(
                self._registry,
                self.handler_failed,
                {"global": self._announced, "global_remove": self._removed},
            )
        if not self._registry_synced:
            self.roundtrip(timeout=timeout)
            self._registry_synced = True
        return {name: entries[0] for name, entries in self._globals.items() if entries}

    def bind(
        self,
        interface: type[Interface],
        *,
        minimum: int = 1,
        maximum: int | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> tuple[AnyProxy, int]:
        """Bind a global; gives the proxy, which the caller keeps, and its version.

        Waits for the list of globals if need be, at most `timeout` seconds.
        Raises `MissingGlobalError` if it is not on offer in a version that fits.
        """
        entry = self.globals(timeout=timeout).get(interface.name)
        if entry is None or entry.version < minimum:
            raise MissingGlobalError(interface.name, minimum)
        version = min(entry.version, maximum or interface.version)
        assert self._registry is not None
        return self._registry.bind(entry.number, interface, version), version

    def bind_all(
        self, bound: dict[int, AnyProxy], interface: type[Interface], *, minimum: int = 1
    ) -> list[AnyProxy]:
        """Bind every global of an interface that is there in a version from `minimum` on.

        Those that `globals` has seen, and that are not in `bound` yet, which has them by their
        numbers; what is there and is no longer offered is taken out and returned.
        """
        assert self._registry is not None, "globals() comes first"
        offered = {one.number: one for one in self._globals.get(interface.name, ())}
        for number, entry in offered.items():
            if number not in bound and entry.version >= minimum:
                version = min(entry.version, interface.version)
                bound[number] = self._registry.bind(number, interface, version)
        return [bound.pop(number) for number in bound.keys() - offered.keys()]

    def on_globals(self, owner: object, changed: Callable[[], None]) -> None:
        """Have `changed` called when a global has come or gone, until `forget`."""
        self._watchers[id(owner)] = changed

    def shared(self, kind: type[Shared], make: Callable[[], Shared]) -> Shared:
        """The one object of a kind on this connection, made when it is first asked for."""
        made = self._shared.get(kind)
        if not isinstance(made, kind):
            made = self._shared[kind] = make()
        return made

    def check(self) -> None:
        """Raise what a handler has met with since the last call."""
        if self._faults:
            raise self._faults.pop(0)

    def handler_failed(self, error: BaseException) -> None:
        """Keep what a handler raised until the next `dispatch` or `check`."""
        if len(self._faults) < MOST_FAULTS:
            self._faults.append(error)

    def on_close(self, owner: object, closer: Callable[[], None]) -> None:
        """Have `closer` called when the connection is closed before its owner is."""
        self._closers[id(owner)] = closer

    def forget(self, owner: object) -> None:
        """The owner is closed: undo `on_close` and `on_globals`."""
        self._closers.pop(id(owner), None)
        self._watchers.pop(id(owner), None)

    def keep(self, proxy: AnyProxy) -> None:
        """Hold a proxy until `release`; pywayland itself only holds it weakly."""
        self._kept.add(proxy)

    def release(self, proxy: AnyProxy) -> None:
        """Destroy a proxy that was kept, and that the compositor has destroyed."""
        self._kept.discard(proxy)
        end(proxy)

    @property
    def _pointer(self) -> CData:
        if self.display._ptr is None:
            raise DisconnectedError("the connection to the compositor is closed")
        return self.display._ptr

    def _wait_readable(self, timeout: float | None, others: tuple[int, ...]) -> bool:
        """Wait for the socket, sending meanwhile what it takes; False if nothing came."""
        fd = self.fileno()
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            poll = select.poll()
            poll.register(fd, select.POLLIN if self.flush() else select.POLLIN | select.POLLOUT)
            for other in others:
                poll.register(other, select.POLLIN)
            left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
            ready = dict(poll.poll(left))
            if ready.get(fd, 0) & ~select.POLLOUT:
                return True
            if not ready or ready.keys() - {fd}:
                return False

    def _dispatch_pending(self) -> bool:
        self._dispatching += 1
        try:
            count = lib.wl_display_dispatch_pending(self._pointer)
        finally:
            self._dispatching -= 1
        try:
            self.check()
            if count < 0:
                raise self._fault()
        finally:
            if self._closing and not self._dispatching:
                self.close()
        return bool(count > 0)

    def _fault(self) -> PeerError:
        """The exception for what libwayland says is wrong with the connection."""
        code = lib.wl_display_get_error(self._pointer)
        if code == errno.EPROTO:
            return _protocol_error(self.display)
        if code in (0, errno.EPIPE, errno.ECONNRESET):
            return DisconnectedError("the compositor closed the connection")
        return DisconnectedError(f"the connection to the compositor broke: {os.strerror(code)}")

    def _announced(self, number: int, name: str, version: int) -> None:
        self._globals.setdefault(name, []).append(Global(number, version))
        self._tell_watchers()

    def _removed(self, number: int) -> None:
        for entries in self._globals.values():
            entries[:] = [entry for entry in entries if entry.number != number]
        self._tell_watchers()

    def _tell_watchers(self) -> None:
        for changed in tuple(self._watchers.values()):
            changed()


def _connect(target: str | int | None) -> Display:
    display = Display(target)
    try:
        display.connect()
    except ValueError:
        if isinstance(target, int):
            raise NoCompositorError(f"fd {target} is not a socket to a compositor") from None
        name = target or os.environ.get("WAYLAND_DISPLAY") or "wayland-0"
        directory = os.environ.get("XDG_RUNTIME_DIR")
        where = name if name.startswith("/") else f"{directory or '$XDG_RUNTIME_DIR'}/{name}"
        hint = "" if directory or name.startswith("/") else " (XDG_RUNTIME_DIR is not set)"
        raise NoCompositorError(f"no compositor at {where}{hint}") from None
    return display


def _protocol_error(display: Display) -> ProtocolError:
    raw = libwayland.protocol_error(display._ptr)
    return ProtocolError(
        interface=raw.interface,
        object_id=raw.object_id,
        code=raw.code,
        name=_error_name(display, raw.interface, raw.code),
        message=raw.words(libwayland.LOG.last),
    )


def _error_name(display: Display, interface: str, code: int) -> str:
    """What an interface calls its error, as far as this package or pywayland knows."""
    for table in INTERFACES:
        if table.name == interface:
            return next((n for n, c in table.enums.get("error", {}).items() if c == code), "")
    classes = (type(proxy).interface for proxy in display._children if isinstance(proxy, Proxy))
    spoken: CData = next((spoken for spoken in classes if spoken.name == interface), None)
    entries = list(getattr(spoken, "error", ()))
    return next((str(entry.name) for entry in entries if entry.value == code), "")
