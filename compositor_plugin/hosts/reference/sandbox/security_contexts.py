"""Which clients came out of which sandbox."""

from __future__ import annotations

import os
import socket as sockets
from collections import deque

from heapwire.compositor_plugin import SecurityContext
from heapwire.compositor_plugin.hosts.reference.sandbox.sandbox_socket import SandboxSocket
from heapwire.compositor_plugin.server import Listener, OwnDisplay, ReceivedFd
from heapwire.kernel.system import Owner

MOST_SANDBOXES = 64
"""Sandboxes at a time: each has a thread and two file descriptors."""


class SecurityContexts(Owner):
    """The sandboxes that have registered, and the clients that came through their sockets.

    A client's context is what its sandbox said, for as long as the client lives, be the
    sandbox there still or not.
    """

    def __init__(self, display: OwnDisplay) -> None:
        self._display = display
        self._clients: dict[int, tuple[SecurityContext, Listener]] = {}
        self._sockets: dict[SandboxSocket, SecurityContext] = {}
        # What the sockets' threads leave for the loop: a connection, or None for the end.
        self._arrived: deque[tuple[SandboxSocket, sockets.socket | None]] = deque()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._source = display.loop.add_fd(self._wake, self._admit)

    def of(self, client: int) -> SecurityContext | None:
        """What a sandbox said of a `wl_client`; None if it came through none."""
        entry = self._clients.get(client)
        return entry[0] if entry is not None else None

    @property
    def full(self) -> bool:
        """Whether there are as many sandboxes as there may be."""
        return len(self._sockets) >= MOST_SANDBOXES

    def add(self, listening: ReceivedFd, closing: ReceivedFd, context: SecurityContext) -> None:
        """Let clients connect to a sandbox's socket, until `closing` hangs up."""
        self._sockets[SandboxSocket(listening, closing, self._leave)] = context

    def close(self) -> None:
        """Let nobody connect to a sandbox's socket any more; safe to call twice."""
        if self._wake < 0:
            return
        self._source.remove()
        for socket in self._sockets:
            socket.close()
        self._sockets.clear()
        for _, connection in self._arrived:
            if connection is not None:
                connection.close()
        self._arrived.clear()
        for _, listener in self._clients.values():
            listener.remove()
        self._clients.clear()
        os.close(self._wake)
        self._wake = -1

    def _leave(self, socket: SandboxSocket, connection: sockets.socket | None) -> None:
        """On a socket's thread."""
        self._arrived.append((socket, connection))
        os.eventfd_write(self._wake, 1)

    def _admit(self, _mask: int) -> None:
        os.eventfd_read(self._wake)
        while self._arrived:
            socket, connection = self._arrived.popleft()
            if connection is not None:
                self._connect(connection, self._sockets[socket])
                socket.taken()
            elif self._sockets.pop(socket, None) is not None:
                socket.close()

    def _connect(self, connection: sockets.socket, context: SecurityContext) -> None:
        try:
            client = self._display.add_client(connection.fileno())
        except MemoryError:
            connection.close()
            return
        connection.detach()  # it is libwayland's now
        number = client.address
        self._clients[number] = (context, client.on_destroy(lambda: self._forget(number)))

    def _forget(self, client: int) -> None:
        del self._clients[client]
