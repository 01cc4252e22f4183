"""A `wl_client` of the display: its credentials, and how it ends."""

from __future__ import annotations

import select
from collections.abc import Callable

from heapwire.compositor_plugin.server.errors import c_message
from heapwire.compositor_plugin.server.libwayland_server import CData, address, ffi, library
from heapwire.compositor_plugin.server.listener import Listener
from heapwire.protocol.late_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who connected, as the kernel tells it (SO_PEERCRED)."""

    pid: int
    uid: int
    gid: int


class Client:
    """A client, by its pointer; it is the display's, never ours."""

    __slots__ = ("_writable", "address", "pointer")

    def __init__(self, pointer: CData) -> None:
        self.pointer = ffi.cast("struct wl_client *", pointer)
        self.address = address(pointer)
        """The number that names the client for as long as it lives."""
        self._writable: select.poll | None = None

    @property
    def credentials(self) -> Credentials:
        """The process at the other end."""
        pid, uid, gid = ffi.new("int *"), ffi.new("unsigned int *"), ffi.new("unsigned int *")
        library().wl_client_get_credentials(self.pointer, pid, uid, gid)
        return Credentials(pid[0], uid[0], gid[0])

    @property
    def fd(self) -> int:
        """The connection's file descriptor, which stays libwayland's."""
        return int(library().wl_client_get_fd(self.pointer))

    @property
    def takes_more(self) -> bool:
        """Whether the connection has room for some 100 KiB.

        A socket can be written to, says the kernel, while a quarter of it is used
        (net/unix/af_unix.c, unix_writable). libwayland keeps 4 KiB beside it, and ends a
        client for which that is not enough.
        """
        if self._writable is None:  # it is asked before each answer
            self._writable = select.poll()
            self._writable.register(self.fd, select.POLLOUT)
        return bool(self._writable.poll(0))

    def flush(self) -> None:
        """Send what is queued for the client."""
        library().wl_client_flush(self.pointer)

    def disconnect(self) -> None:
        """End the client without a word; never from one of its own handlers."""
        library().wl_client_destroy(self.pointer)

    def on_destroy(self, callback: Callable[[], None]) -> Listener:
        """Call back when the client is gone."""
        return Listener.on_client(self.pointer, callback)

    def post_implementation_error(self, message: str) -> None:
        """End the client because of a fault of ours."""
        format_, text = c_message(message)
        library().wl_client_post_implementation_error(self.pointer, format_, text)

    def post_no_memory(self) -> None:
        """End the client because there is no memory for what it asked."""
        library().wl_client_post_no_memory(self.pointer)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Client) and other.address == self.address

    def __hash__(self) -> int:
        return hash(self.address)
