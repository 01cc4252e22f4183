"""Simulated heaps: sealed memfds that go by the name of a source.

They behave as dma-bufs do for everything but DMA: an fd to pass on, a fixed
size, zeroed pages, memory that lives until its last fd is closed.
"""

from __future__ import annotations

import fcntl
import os
from collections import Counter, deque
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from heapwire.kernel.dma_buf import DmaBuf
from heapwire.kernel.memory import OutOfMemoryError
from heapwire.protocol.model.errors import LocalError
from heapwire.protocol.model.source import PAGE_SIZE, Source, SourceId

DEFAULT_BUDGET = 1 << 30  # bytes of simulated memory that a process may hold at a time

_PREFIX = "heapwire:"
_LINK = "/memfd:" + _PREFIX  # how /proc/self/fd shows it (mm/shmem.c), followed by " (deleted)"
_DELETED = " (deleted)"
_MAX_NAME = 249 - len(_PREFIX)  # memfd_create(2)
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW


class MemfdMemory:
    """Allocates memfds for some sources, within their capacity and a budget.

    `budget` bounds the bytes of all buffers together. A buffer counts until it
    is closed or detached; whoever takes a detached fd accounts for it. May be
    used from several threads.
    """

    def __init__(self, sources: Iterable[Source], *, budget: int = DEFAULT_BUDGET) -> None:
        self._sources = {source.id: source for source in sources}
        self._by_name = {source.name: source.id for source in self._sources.values()}
        for name in self._by_name:
            if len(name.encode()) > _MAX_NAME or "\0" in name:
                raise LocalError(f"{name!r} cannot be the name of a simulated heap")
        self._budget = budget
        self._live: Counter[SourceId] = Counter()
        self._lock = Lock()
        # A finalizer may run at any point, even while this thread holds the
        # lock; it only leaves word here, and `_settle` does the sums.
        self._released: deque[tuple[SourceId, int]] = deque()

    def allocate(self, source: SourceId, size: int, *, name: str = "") -> DmaBuf:
        """See `Memory.allocate`."""
        known = self._sources.get(source)
        if known is None:
            raise LocalError(f"there is no {source} on this platform")
        if size < 1:
            raise LocalError(f"{size} is not a size in bytes")
        rounded = -(-size // PAGE_SIZE) * PAGE_SIZE
        self._charge(known, rounded)
        try:
            fd = _sealed(_PREFIX + known.name, rounded)
        except OSError as error:
            self._released.append((source, rounded))
            raise LocalError(f"{known.name}: {rounded} bytes: {error.strerror}") from error
        return DmaBuf(
            fd,
            size=rounded,
            source=source,
            name=name or known.name,
            cpu_sync=False,
            released=lambda: self._released.append((source, rounded)),
        )

    def identify(self, fd: int) -> SourceId | None:
        """See `Memory.identify`."""
        try:
            link = str(Path(f"/proc/self/fd/{fd}").readlink())
        except OSError:
            return None
        if not link.startswith(_LINK):
            return None
        return self._by_name.get(link.removeprefix(_LINK).removesuffix(_DELETED))

    def live(self, source: SourceId | None = None) -> int:
        """Bytes in buffers that are neither closed nor detached: of one source or of all."""
        with self._lock:
            self._settle()
            return self._live.total() if source is None else self._live[source]

    def _charge(self, source: Source, size: int) -> None:
        with self._lock:
            self._settle()
            here, everywhere = self._live[source.id], self._live.total()
            if source.capacity is not None and here + size > source.capacity:
                raise OutOfMemoryError(
                    f"{source.name}: {size} bytes do not fit: {here} of {source.capacity} "
                    "are in use"
                )
            if everywhere + size > self._budget:
                raise OutOfMemoryError(
                    f"{source.name}: {size} bytes do not fit the simulation's budget: "
                    f"{everywhere} of {self._budget} are in use"
                )
            self._live[source.id] += size

    def _settle(self) -> None:
        while self._released:
            source, size = self._released.popleft()
            self._live[source] -= size


def _sealed(name: str, size: int) -> int:
    """A memfd of a fixed size; the caller owns the fd."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(fd, size)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(fd)
        raise
    return fd
