"""What a tester has to send: dma-bufs of a heap or udmabuf, what is none at all, and timelines."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

from heapwire.client_lib.compliance.verdict import SkippedCaseError
from heapwire.kernel.description import Platform
from heapwire.kernel.drm import Timeline, Timelines, open_timelines
from heapwire.kernel.memory import DmaBuf, read_only_buffer
from heapwire.kernel.system import Owner, read_only, sealed_memfd
from heapwire.protocol import MachineError, NotPossibleError
from heapwire.protocol.values import Source, SourceKind

_HEAPS = "/dev/dma_heap"  # a heap's name is that of its node there


class OwnBuffers(Owner):
    """What one case sends; all of it is closed with the case.

    The memory is the platform's. On one that is simulated a memfd is a dma-buf, as its
    compositor has it.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._kept: list[DmaBuf] = []
        self._fds: list[int] = []
        self._timelines: Timelines | None = None

    def close(self) -> None:
        """Close all of them."""
        for buffer in self._kept:
            buffer.close()
        for fd in self._fds:
            with suppress(OSError):
                os.close(fd)
        self._kept.clear()
        self._fds.clear()
        if self._timelines is not None:
            self._timelines.close()
            self._timelines = None

    @property
    def simulated(self) -> bool:
        """Whether memfds stand for dma-bufs."""
        return self._platform.simulated

    def timeline(self) -> tuple[Timeline, int]:
        """A timeline, and a descriptor to send it by; `SkippedCaseError` if there is none."""
        if self._timelines is None:
            self._timelines = open_timelines(simulated=self.simulated)
        if self._timelines is None:
            raise SkippedCaseError("this machine has no device with timelines that one may open")
        made = self._timelines.create()
        return made, self._keep(made.export())

    def heap(self, size: int) -> int:
        """A dma-buf of at least `size` bytes from a heap; `SkippedCaseError` if there is none."""
        return self._of_kind(SourceKind.HEAP, size)

    def udmabuf(self, size: int) -> int:
        """The same from udmabuf."""
        return self._of_kind(SourceKind.UDMABUF, size)

    def dma_buf(self, size: int) -> int:
        """A dma-buf of at least `size` bytes from wherever there is one."""
        for kind in (SourceKind.UDMABUF, SourceKind.HEAP):
            if self._openable(kind):
                return self._of_kind(kind, size)
        raise SkippedCaseError("this machine has neither a heap nor a udmabuf that one may open")

    def anything(self, size: int) -> int:
        """A dma-buf where there is one, else a memfd: for what arguments alone decide."""
        try:
            return self.dma_buf(size)
        except SkippedCaseError:
            return self._keep(sealed_memfd("no-dma-buf", size))

    def read_only(self, size: int) -> int:
        """A dma-buf that its holder may only read."""
        if self.simulated:
            return self._keep(read_only(self.dma_buf(size)))
        for source in self._openable(SourceKind.HEAP):
            with suppress(OSError):
                return self._keep(read_only_buffer(f"{_HEAPS}/{source.name}", size))
        raise SkippedCaseError(_WANTING[SourceKind.HEAP])

    def memfd(self, size: int) -> int:
        """A memfd, which is no dma-buf anywhere but on a simulated platform."""
        if self.simulated:
            raise SkippedCaseError("on a simulated platform a memfd is a dma-buf")
        return self._keep(sealed_memfd("no-dma-buf", size))

    def shared_memory(self, size: int) -> int:
        """A memfd, for wl_shm."""
        return self._keep(sealed_memfd("shared-memory", size))

    def empty(self) -> int:
        """A file without a byte in it."""
        return self._keep(sealed_memfd("empty", 0))

    def device(self) -> int:
        """/dev/null: it can be opened, and is no memory."""
        return self._keep(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC))

    def socket(self) -> int:
        """A socket, which has no size and no place to seek to."""
        return self.watched()[0]

    def watched(self) -> tuple[int, int]:
        """A socket to send, and its other end, which tells when nobody holds the first any more.

        The first has to be closed here once it is sent: `let_go`.
        """
        sent, kept = socket.socketpair()
        pair = self._keep(sent.detach()), self._keep(kept.detach())
        os.set_blocking(pair[1], False)
        return pair

    def let_go(self, fd: int) -> None:
        """Close one of the descriptors now."""
        self._fds.remove(fd)
        os.close(fd)

    def _openable(self, kind: SourceKind) -> list[Source]:
        openable = self._platform.memory.openable
        return [
            one
            for one in self._platform.sources
            if one.id.kind is kind and one.id in openable and one.protected is False
        ]

    def _of_kind(self, kind: SourceKind, size: int) -> int:
        why = _WANTING[kind]
        for source in self._openable(kind):
            try:
                buffer = self._platform.memory.allocate(source.id, size, name="compliance")
            except (MachineError, NotPossibleError) as error:
                why = str(error)
                continue
            self._kept.append(buffer)
            return buffer.fd
        raise SkippedCaseError(why)

    def _keep(self, fd: int) -> int:
        self._fds.append(fd)
        return fd


_WANTING = {
    SourceKind.HEAP: "this machine has no heap that one may open",
    SourceKind.UDMABUF: "this machine has no udmabuf that one may open",
}
