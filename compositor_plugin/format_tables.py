"""Format tables as linux-dmabuf and its like send them: sealed files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from heapwire.kernel.system import read_only, sealed_copy

MAX_TABLES = 64  # files that are kept; a client can make up sets of formats without end


class FormatTables:
    """The files of the format tables that clients have been sent; equal tables share one."""

    def __init__(self) -> None:
        self._fds: dict[bytes, int] = {}

    @contextmanager
    def opened(self, content: bytes) -> Iterator[int]:
        """An fd to send within a `with` block, of a file with a table's bytes.

        The file is shared, and nobody can change it. What is opened is not: a client that
        reads, seeks or locks does so for itself alone. Raises `OSError` if there is no file
        to be had.
        """
        fd = read_only(self._file(content))
        try:
            yield fd
        finally:
            os.close(fd)

    def close(self) -> None:
        """Close all files; those that clients were sent are theirs, and stay."""
        for fd in self._fds.values():
            os.close(fd)
        self._fds.clear()

    def _file(self, content: bytes) -> int:
        fd = self._fds.get(content)
        if fd is None:
            if len(self._fds) >= MAX_TABLES:
                self.close()
            fd = self._fds[content] = sealed_copy("heapwire-formats", content)
        return fd
