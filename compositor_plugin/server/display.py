"""A `wl_display`: the host's, or our own."""

from __future__ import annotations

import fcntl
import os
import select
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from heapwire.compositor_plugin.server.client import Client
from heapwire.compositor_plugin.server.event_loop import EventLoop
from heapwire.compositor_plugin.server.libwayland_server import (
    CData,
    address,
    callback,
    ffi,
    library,
    raise_kept,
)
from heapwire.compositor_plugin.server.listener import Listener
from heapwire.compositor_plugin.server.protocol_error_log import (
    log_protocol_errors,
    log_them_no_more,
)
from heapwire.protocol import MachineError

if TYPE_CHECKING:
    from heapwire.compositor_plugin.server.global_ import Global
    from heapwire.compositor_plugin.server.object_bound import ObjectBound

_SENT_TO = 64  # clients, some 0.5 us each
_NAMES = 33  # that libwayland tries itself (wayland-server.c, MAX_DISPLAYNUM)
_shows: dict[int, tuple[Display, Callable[[Client, Global | None], bool]]] = {}


class Display:
    """A display that somebody else made and will destroy."""

    __slots__ = ("bound", "globals", "loop", "pointer")

    def __init__(self, display: int, bound: ObjectBound | None = None) -> None:
        """`display` is the address of a `wl_display`, `bound` that of objects made through this."""
        self.bound = bound
        self.pointer: CData = ffi.cast("struct wl_display *", display)
        self.globals: set[Global] = set()
        self.loop = EventLoop(library().wl_display_get_event_loop(self.pointer))

    @property
    def address(self) -> int:
        """The address of the `wl_display`."""
        return address(self.pointer)

    def flush(self) -> None:
        """Send what is queued for clients; who has hung up ends: not while a request is handled."""
        library().wl_display_flush_clients(self.pointer)

    def send_queued(self) -> None:
        """Send what is queued for the first clients, and end none.

        For while a request is handled: its client's end would be that of the objects in use.
        """
        lib = library()
        clients = lib.wl_display_get_client_list(self.pointer)
        link = clients.next
        for _ in range(_SENT_TO):
            if link == clients:
                break
            lib.wl_client_flush(lib.wl_client_from_link(link))
            link = link.next

    def next_serial(self) -> int:
        """A new serial number of the display."""
        return int(library().wl_display_next_serial(self.pointer))

    def on_destroy(self, callback: Callable[[], None]) -> Listener:
        """Call back when the display is being destroyed."""
        return Listener.on_display(self.pointer, callback)


class OwnDisplay(Display):
    """A display that is made here and ends with `destroy`. Protocol errors are logged."""

    __slots__ = ()

    def __init__(self, bound: ObjectBound | None = None) -> None:
        pointer = library().wl_display_create()
        if pointer == ffi.NULL:
            raise MemoryError("wl_display_create")
        super().__init__(address(pointer), bound)
        log_protocol_errors(self.pointer)

    def add_socket(self, name: str | None = None) -> str:
        """Listen below `$XDG_RUNTIME_DIR`; the name of the socket is returned.

        Without a name it is the first of `wayland-0` to `wayland-32` that nobody has. Raises
        `MachineError` if that is not possible.
        """
        folder = os.environ.get("XDG_RUNTIME_DIR", "")
        if name is None:
            for number in range(_NAMES) if folder else ():
                chosen = f"wayland-{number}"
                if not _is_locked(Path(folder, f"{chosen}.lock")) and self._listens_at(chosen):
                    return chosen
            raise MachineError("no Wayland socket can be made in $XDG_RUNTIME_DIR")
        if not name:  # libwayland would take the folder for the socket
            raise MachineError("a Wayland socket's name is not empty: leave it out for a free one")
        if not self._listens_at(name):
            where = folder or "$XDG_RUNTIME_DIR, which is not set,"
            raise MachineError(
                f"the Wayland socket {name!r} cannot be made in {where} or is in use"
            )
        return name

    def _listens_at(self, name: str) -> bool:
        failed = library().wl_display_add_socket(self.pointer, ffi.new("char[]", name.encode()))
        return not failed

    def add_client(self, fd: int) -> Client:
        """Take a connected socket as a client; the fd is libwayland's from then on."""
        pointer = library().wl_client_create(self.pointer, fd)
        if pointer == ffi.NULL:
            raise MemoryError("wl_client_create")
        return Client(pointer)

    def dispatch(self, timeout: int) -> None:
        """Wait up to `timeout` milliseconds (-1: for ever), handle what came, send what is due.

        The waiting is Python's, so that its signal handlers run: libwayland
        itself goes on to wait after a signal (since 1.22).
        """
        lib = library()
        lib.wl_event_loop_dispatch_idle(self.loop.pointer)
        self.flush()
        waiting = select.poll()
        waiting.register(lib.wl_event_loop_get_fd(self.loop.pointer), select.POLLIN)
        waiting.poll(timeout if timeout >= 0 else None)
        lib.wl_event_loop_dispatch(self.loop.pointer, 0)
        raise_kept()
        self.flush()

    def show_globals(self, shows: Callable[[Client, Global | None], bool]) -> None:
        """Announce a client only the globals that it is to see, and let it bind no others.

        libwayland's own globals are None.
        """
        _shows[self.address] = (self, shows)
        library().wl_display_set_global_filter(self.pointer, _is_shown, self.pointer)

    def destroy(self) -> None:
        """End all clients, and with them all resources; then globals, sources and the display.

        Safe to call twice.
        """
        if self.pointer == ffi.NULL:
            return
        # Clients first: their objects may still send, and use the loop, while they end.
        # wl_display_destroy would leave globals and sources of ours that point to nothing.
        library().wl_display_destroy_clients(self.pointer)
        for announced in tuple(self.globals):
            announced.destroy()
        self.loop.clear()
        _shows.pop(self.address, None)
        log_them_no_more(self.pointer)
        library().wl_display_destroy(self.pointer)
        self.pointer = self.loop.pointer = ffi.NULL
        raise_kept()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.destroy()


@callback("_Bool(struct wl_client *, struct wl_global *, void *)")
def _is_shown(client: CData, announced: CData, data: CData) -> int:
    display, shows = _shows[address(data)]
    number = address(announced)
    ours = (one for one in display.globals if one.address == number)
    return shows(Client(client), next(ours, None))


def _is_locked(lock: Path) -> bool:
    """Whether a compositor has a name, by the lock that it holds for as long as it runs.

    libwayland finds out by trying, and prints of each that is taken that it is.
    """
    try:
        held = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False  # nobody's yet, or it is for libwayland to say what is wrong
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(held)
    return False
