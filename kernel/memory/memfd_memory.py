"""Simulated heaps: sealed memfds that go by the name of a source.

They behave as dma-bufs do for everything but DMA: an fd to pass on, a fixed
size, zeroed pages, memory that lives until its last fd is closed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from heapwire.kernel.memory.dma_buf import DmaBuf
from heapwire.kernel.memory.ledger import Ledger
from heapwire.kernel.memory.memfd_holders import reopened
from heapwire.kernel.memory.picture_shape import PictureShape
from heapwire.kernel.system import sealed_memfd
from heapwire.protocol import MachineError, UsageError
from heapwire.protocol.values import Source, SourceId

DEFAULT_BUDGET = 1 << 30  # bytes of simulated memory that a process may hold at a time

_PREFIX = "heapwire:"
_LINK = "/memfd:" + _PREFIX  # how /proc/self/fd shows it (mm/shmem.c), followed by " (deleted)"
_DELETED = " (deleted)"
_MAX_NAME = 249 - len(_PREFIX)  # memfd_create(2)


class MemfdMemory:
    """Allocates memfds for some sources, within their capacity and a budget.

    `budget` bounds the bytes of all buffers together. A buffer counts until it
    is closed or detached; whoever takes a detached fd accounts for it. May be
    used from several threads. Raises `UsageError` for a source that has a
    `simulated_name_fault`.
    """

    def __init__(self, sources: Iterable[Source], *, budget: int = DEFAULT_BUDGET) -> None:
        self._sources = {source.id: source for source in sources}
        self._by_name = {source.name: source.id for source in self._sources.values()}
        for name in self._by_name:
            fault = simulated_name_fault(name)
            if fault is not None:
                raise UsageError(fault)
        self._ledger = Ledger(budget=budget)

    @property
    def openable(self) -> frozenset[SourceId]:
        """See `Memory.openable`: a simulated source always is."""
        return frozenset(self._sources)

    def allocate(
        self, source: SourceId, size: int, *, name: str = "", shape: PictureShape | None = None
    ) -> DmaBuf:
        """See `Memory.allocate`."""
        properties = self._sources.get(source)
        if properties is None:
            raise MachineError(f"there is no {source} on this platform")
        rounded, released = self._ledger.charge(properties, size)
        try:
            memory = sealed_memfd(_PREFIX + properties.name, rounded)
            try:
                fd = reopened(memory)  # the kernel counts who opened it, and not who made it
            finally:
                os.close(memory)
        except OSError as error:
            released()
            raise MachineError(f"{properties.name}: {rounded} bytes: {error.strerror}") from error
        return DmaBuf(
            fd,
            size=rounded,
            source=source,
            name=name or properties.name,
            cpu_sync=False,
            released=released,
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
        return self._ledger.live(source)


def simulated_name_fault(name: str) -> str | None:
    """Why a simulated source cannot have a name, in words; None if it can.

    A memfd's name has 249 bytes and no NUL (memfd_create(2)), the prefix included.
    """
    if len(name.encode()) > _MAX_NAME or "\0" in name:
        return f"{name!r} cannot be the name of a simulated heap"
    return None
