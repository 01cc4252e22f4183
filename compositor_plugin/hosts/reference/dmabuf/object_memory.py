"""One memory object of a client's buffer, read without trusting the client.

A simulated dma-buf is a memfd. If its client could shrink it while it is
mapped, reading would end the compositor with SIGBUS; so it is mapped only where
a seal forbids that, and otherwise copied with pread, which just comes back
short. A real dma-buf has a fixed size and is mapped.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from heapwire.compositor_plugin.hosts.reference.dmabuf.client_descriptors import KeptDescriptor
from heapwire.kernel.memory import FACTS_OF_EXPORTERS, BufferInfo, CpuAccess, DmaBuf
from heapwire.protocol.values import SourceId

_DMA_BUF = "/dmabuf"  # how /proc/self/fd shows one (drivers/dma-buf/dma-buf.c, dmabuffs_dname)


class ObjectMemory:
    """Takes over `fd` and closes it, once.

    `size` is in bytes, as it was when the object came. `source` is where the
    memory seems to come from. `kept` counts the descriptor for its client.
    """

    __slots__ = ("__weakref__", "_closer", "_dma_buf", "_fd", "_kept", "size", "source")

    def __init__(
        self,
        fd: int,
        *,
        size: int,
        source: SourceId | None,
        kept: KeptDescriptor | None = None,
    ) -> None:
        self._kept = kept
        self._closer = weakref.finalize(self, os.close, fd)
        self._fd = fd
        self.size = size
        self.source = source
        self._dma_buf: DmaBuf | None = None
        if is_dma_buf(fd):
            self._closer.detach()
            self._dma_buf = DmaBuf(fd, size=size, source=source)

    @property
    def fd(self) -> int:
        """Its descriptor, which stays its own."""
        return self._fd

    @property
    def scattered(self) -> bool:
        """Whether it is known to be no single run of pages, by the kernel's name for its maker."""
        info = BufferInfo.of(self._fd)
        facts = None if info is None else FACTS_OF_EXPORTERS.get(info.exporter)
        return facts is not None and facts.contiguous is False

    @property
    def can_be_read(self) -> bool:
        """Whether the CPU reaches it: an exporter may have memory that it maps for nobody.

        One page is tried, and let go of: who is only scanned out is not mapped as a whole.
        """
        if self._dma_buf is None:
            return True
        try:
            mmap.mmap(self._dma_buf.fd, mmap.PAGESIZE, prot=mmap.PROT_READ).close()
        except (OSError, ValueError):
            return False
        return True

    @contextmanager
    def bytes(self, length: int) -> Iterator[memoryview]:
        """The first `length` bytes, read-only, for the time of a `with` block."""
        if self._dma_buf is not None:
            with self._dma_buf.map(CpuAccess.READ) as view:
                yield view[:length]
        elif self._cannot_shrink(length):
            mapping = mmap.mmap(self._fd, length, prot=mmap.PROT_READ)
            view = memoryview(mapping)
            try:
                yield view
            finally:
                with suppress(BufferError):  # whoever still looks at it unmaps it
                    view.release()
                    mapping.close()
        else:
            yield memoryview(self._copy(length))

    def _cannot_shrink(self, length: int) -> bool:
        try:
            seals = fcntl.fcntl(self._fd, fcntl.F_GET_SEALS)
        except OSError:
            return False  # not a memfd
        return bool(seals & fcntl.F_SEAL_SHRINK) and os.fstat(self._fd).st_size >= length

    def _copy(self, length: int) -> bytearray:
        """The bytes that are there, and zeros for those that are not."""
        copy = bytearray(length)
        view, done = memoryview(copy), 0
        with suppress(OSError):
            while done < length:
                count = os.preadv(self._fd, [view[done:]], done)
                if count == 0:
                    break
                done += count
        return copy


def is_dma_buf(fd: int) -> bool:
    """Whether an fd is a dma-buf of the kernel's; no other file has such a name."""
    return str(Path(f"/proc/self/fd/{fd}").readlink()).startswith(_DMA_BUF)
