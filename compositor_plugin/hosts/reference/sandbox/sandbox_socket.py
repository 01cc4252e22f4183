"""A socket that a sandbox listens on, and the thread that accepts its clients.

Whoever gave the socket has it still: it may make it blocking, and take a connection
between the moment that it is ready and the moment that it is accepted. So the loop that
others depend on never accepts from it.
"""

from __future__ import annotations

import errno
import os
import select
import socket as sockets
import stat
import threading
from collections.abc import Callable
from contextlib import suppress

from heapwire.compositor_plugin.server import ReceivedFd, is_shortage
from heapwire.kernel.system import Owner

_PASSING = (errno.EAGAIN, errno.ECONNABORTED, errno.EINTR)
_PAUSE = 0.1  # seconds until the next try where memory or file descriptors ran out


def is_listening(fd: int) -> bool:
    """Whether a file descriptor is a socket that clients of a display can connect to."""
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        return False
    socket = sockets.socket(fileno=fd)
    try:
        stream = (socket.family, socket.type) == (sockets.AF_UNIX, sockets.SOCK_STREAM)
        return stream and bool(socket.getsockopt(sockets.SOL_SOCKET, sockets.SO_ACCEPTCONN))
    finally:
        socket.detach()  # the fd stays the caller's


class SandboxSocket(Owner):
    """Accepts from a listening socket until the sandbox hangs up, or `close`.

    `listening` and `closing` are this object's. `came` is called on the thread: with each
    connection, which it owns then, and with None when nobody can come any more. The next
    connection is accepted when `taken` has been called.

    Raises `MemoryError` if there can be no thread.
    """

    def __init__(
        self,
        listening: ReceivedFd,
        closing: ReceivedFd,
        came: Callable[[SandboxSocket, sockets.socket | None], None],
    ) -> None:
        self._listening = sockets.socket(fileno=listening.take())
        self._closing = closing
        self._came = came
        self._over = threading.Event()
        self._room = threading.Semaphore(1)
        self._thread = threading.Thread(target=self._run, name="heapwire-sandbox", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            self._listening.close()
            raise MemoryError(str(error)) from None

    def taken(self) -> None:
        """The last connection has become a client."""
        self._room.release()

    def close(self) -> None:
        """Accept nobody any more. Waits for the thread, which nothing keeps."""
        self._over.set()
        self._room.release()
        with suppress(OSError):  # it has been shut down by somebody else
            self._listening.shutdown(sockets.SHUT_RDWR)  # which ends poll and accept
        self._thread.join()
        self._listening.close()
        self._closing.close()

    def _run(self) -> None:
        waiting = select.poll()
        waiting.register(self._listening, select.POLLIN)
        waiting.register(self._closing, 0)  # a hang-up is always told
        while self._room.acquire() and not self._over.is_set():
            connection = self._accepted(waiting)
            if connection is None:
                break
            self._came(self, connection)
        self._came(self, None)

    def _accepted(self, waiting: select.poll) -> sockets.socket | None:
        """The next connection; None if there will be none."""
        while not self._over.is_set():
            ready = dict(waiting.poll())
            if not ready.get(self._listening.fileno(), 0) & select.POLLIN or len(ready) > 1:
                return None  # somebody hung up
            try:
                return self._listening.accept()[0]
            except OSError as error:
                if is_shortage(error):
                    self._over.wait(_PAUSE)
                elif error.errno not in _PASSING:
                    return None
        return None
