"""A file descriptor that came with a request, and its one owner."""

from __future__ import annotations

import os
import weakref

from heapwire.kernel.system import Owner


class ReceivedFd(Owner):
    """Closes its fd at the end of the request, unless a handler takes it."""

    __slots__ = ("__weakref__", "_fd", "_finalizer")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._finalizer = weakref.finalize(self, os.close, fd)

    def fileno(self) -> int:
        """The fd, which stays this object's; raises `ValueError` if it is not any more."""
        if not self._finalizer.alive:
            raise ValueError("the file descriptor was taken or closed")
        return self._fd

    def take(self) -> int:
        """The fd, which is the caller's from now on; raises `ValueError` if it is gone."""
        fd = self.fileno()
        self._finalizer.detach()
        return fd

    def close(self) -> None:
        """Close the fd if it has not been taken; safe to call twice."""
        self._finalizer()
