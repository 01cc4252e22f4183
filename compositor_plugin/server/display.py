"""A `wl_display`: the host's, or our own."""

from __future__ import annotations

from collections.abc import Callable

from heapwire.compositor_plugin.server.client import Client
from heapwire.compositor_plugin.server.event_loop import EventLoop
from heapwire.compositor_plugin.server.library import CData, address, ffi, library
from heapwire.compositor_plugin.server.listener import Listener
from heapwire.protocol.model.errors import LocalError


class Display:
    """A display that somebody else made and will destroy."""

    __slots__ = ("loop", "pointer")

    def __init__(self, display: int) -> None:
        """`display` is the address of a `wl_display`."""
        self.pointer: CData = ffi.cast("struct wl_display *", display)
        self.loop = EventLoop(library().wl_display_get_event_loop(self.pointer))

    @property
    def address(self) -> int:
        """The address of the `wl_display`."""
        return address(self.pointer)

    def next_serial(self) -> int:
        """A new serial number of the display."""
        return int(library().wl_display_next_serial(self.pointer))

    def on_destroy(self, callback: Callable[[], None]) -> Listener:
        """Call back when the display is being destroyed."""
        return Listener.on_display(self.pointer, callback)


class OwnDisplay(Display):
    """A display that is made here and ends with `destroy`."""

    __slots__ = ()

    def __init__(self) -> None:
        pointer = library().wl_display_create()
        if pointer == ffi.NULL:
            raise MemoryError("wl_display_create")
        super().__init__(address(pointer))

    def add_socket(self, name: str | None = None) -> str:
        """Listen below `$XDG_RUNTIME_DIR`; the name of the socket is returned.

        Raises `LocalError` if that is not possible.
        """
        lib = library()
        if name is None:
            chosen = lib.wl_display_add_socket_auto(self.pointer)
            if chosen == ffi.NULL:
                raise LocalError("no Wayland socket can be made in $XDG_RUNTIME_DIR")
            return str(ffi.string(chosen).decode())
        if lib.wl_display_add_socket(self.pointer, ffi.new("char[]", name.encode())) != 0:
            raise LocalError(f"the Wayland socket {name!r} cannot be made, or is in use")
        return name

    def add_client(self, fd: int) -> Client:
        """Take a connected socket as a client; the fd is libwayland's from then on."""
        pointer = library().wl_client_create(self.pointer, fd)
        if pointer == ffi.NULL:
            raise MemoryError("wl_client_create")
        return Client(pointer)

    def dispatch(self, timeout: int) -> None:
        """Wait up to `timeout` milliseconds (-1: for ever), handle what came, send what is due."""
        library().wl_display_flush_clients(self.pointer)
        library().wl_event_loop_dispatch(self.loop.pointer, timeout)
        library().wl_display_flush_clients(self.pointer)

    def destroy(self) -> None:
        """End all clients and the display."""
        if self.pointer != ffi.NULL:
            library().wl_display_destroy_clients(self.pointer)
            library().wl_display_destroy(self.pointer)
            self.pointer = ffi.NULL
