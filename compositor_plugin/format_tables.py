"""Format tables as linux-dmabuf and its like send them: sealed files."""

from __future__ import annotations

import os

from heapwire.kernel.system import sealed_copy

MAX_TABLES = 64  # files that are kept; a client can make up sets of formats without end


class FormatTables:
    """The files of the format tables that clients have been sent; equal tables share one."""

    def __init__(self) -> None:
        self._fds: dict[bytes, int] = {}

    def fd(self, content: bytes) -> int:
        """A file with a table's bytes that nobody can change; the fd stays this object's.

        It is good until the next call: send it at once, which duplicates it. Raises
        `OSError` if there is no file to be had.
        """
        fd = self._fds.get(content)
        if fd is None:
            if len(self._fds) >= MAX_TABLES:
                self.close()
            fd = self._fds[content] = sealed_copy("heapwire-formats", content)
        return fd

    def close(self) -> None:
        """Close all files; those that clients were sent are theirs, and stay."""
        for fd in self._fds.values():
            os.close(fd)
        self._fds.clear()
