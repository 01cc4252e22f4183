"""A dma-buf: the one owner of its file descriptor, and the CPU's way into it."""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntFlag

from heapwire.kernel.memory.buffer_info import BufferInfo
from heapwire.kernel.memory.memfd_holders import held_by_others, reopened
from heapwire.kernel.system import Owner, ioctl
from heapwire.protocol import MachineError, UsageError
from heapwire.protocol.values import SourceId

# include/uapi/linux/dma-buf.h
_IOCTL_SYNC = 0x40086200
_SYNC_START = 0
_SYNC_END = 4


class CpuAccess(IntFlag):
    """What the CPU is going to do; the values are DMA_BUF_SYNC_READ and _WRITE."""

    READ = 1
    WRITE = 2


class DmaBuf(Owner):
    """A buffer object: takes over `fd` and closes it, on every path, exactly once.

    `size` is in bytes. `source` is where the memory comes from, None where that
    is not known. With `cpu_sync` every CPU access is bracketed by
    DMA_BUF_IOCTL_SYNC; a memfd has no such ioctl and no such need. `released`
    is called once when the buffer is closed, detached or collected.

    Use it in a `with` block, call `close`, or let it be collected.
    """

    def __init__(
        self,
        fd: int,
        *,
        size: int,
        source: SourceId | None = None,
        name: str = "",
        cpu_sync: bool = True,
        released: Callable[[], object] | None = None,
    ) -> None:
        # First, so that the fd is closed whatever else fails here.
        self._closer = weakref.finalize(self, os.close, fd)
        self._releaser = weakref.finalize(self, released) if released is not None else None
        self._fd = fd
        self._mapping: mmap.mmap | None = None
        self._is_memfd = not cpu_sync
        self.size = size
        self.source = source
        self.name = name

    @property
    def fd(self) -> int:
        """The file descriptor, which stays this object's; `UsageError` when it is closed."""
        if not self._closer.alive:
            raise UsageError(f"{self!r} is closed")
        return self._fd

    @property
    def closed(self) -> bool:
        """Whether the fd has been closed or given away."""
        return not self._closer.alive

    def share(self) -> int:
        """A file descriptor to pass on, which the caller owns: `shared` tells as long as it lives.

        Raises `OSError`, and `UsageError` when the buffer is closed.
        """
        return reopened(self.fd) if self._is_memfd else os.dup(self.fd)

    def shared(self) -> bool | None:
        """Whether the memory has users besides this object; None where the kernel does not tell.

        That is whoever has a descriptor of it, open or under way in a socket, or has
        mapped it; this process too. Of a memfd only users that have it from `share` are
        seen. Raises `UsageError` when the buffer is closed.
        """
        if self._is_memfd:
            return held_by_others(self.fd)
        info = BufferInfo.of(self.fd)
        return None if info is None else info.references > 1

    def detach(self) -> int:
        """Give the fd away: from now on the caller closes it."""
        fd = self.fd
        self._closer.detach()
        self._end()
        return fd

    def close(self) -> None:
        """Close the fd; may be called again.

        Views that `map` gave out and that somebody still holds stay readable:
        the memory is unmapped when the last of them goes.
        """
        # The fd goes first: the mapping has a reference of its own, and views may outlive it.
        self._closer()
        self._end()

    def _end(self) -> None:
        if self._releaser is not None:
            self._releaser()
        mapping, self._mapping = self._mapping, None
        if mapping is not None:
            with suppress(BufferError):  # a view is still out: the mapping goes with it
                mapping.close()

    @contextmanager
    def map(self, access: CpuAccess = CpuAccess.READ | CpuAccess.WRITE) -> Iterator[memoryview]:
        """The buffer's bytes as a memoryview, for the time of a `with` block.

        The view is read-only where `access` has no WRITE. The memory is mapped
        once and kept mapped until the buffer is closed; each block brackets its
        access for the caches. Raises `UsageError` when the buffer is closed, and
        `MachineError` when the kernel will not map it (protected memory), or not for
        writing: an exporter may give out a descriptor for reading only, as a V4L2
        device does for whoever asks it so (VIDIOC_EXPBUF).
        """
        view = memoryview(self._mapped(access))
        if not access & CpuAccess.WRITE:
            view = view.toreadonly()
        self._sync(access, _SYNC_START)
        try:
            yield view
        finally:
            self._sync(access, _SYNC_END)
            with suppress(BufferError):  # an array made from it is still in use: it goes with that
                view.release()

    def start_access(self, access: CpuAccess) -> None:
        """Say that a driver is going to touch the memory with the CPU, until `end_access`.

        For drivers that do not say so themselves: those of videobuf2 that copy. Raises
        `MachineError` when the kernel refuses.
        """
        self._sync(access, _SYNC_START)

    def end_access(self, access: CpuAccess) -> None:
        """Say that it has: the caches are cleaned for those who have imported the buffer."""
        self._sync(access, _SYNC_END)

    def _mapped(self, access: CpuAccess) -> mmap.mmap:
        fd = self.fd
        for_writing = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR
        if access & CpuAccess.WRITE and not for_writing:
            raise MachineError(f"{self!r} was given out for reading only")
        if self._mapping is None:
            try:
                prot = mmap.PROT_READ | (mmap.PROT_WRITE if for_writing else 0)
                self._mapping = mmap.mmap(fd, self.size, prot=prot)
            except (OSError, ValueError) as error:
                raise MachineError(f"{self!r} cannot be mapped: {error}") from error
        return self._mapping

    def _sync(self, access: CpuAccess, edge: int) -> None:
        """Tell the exporter that the CPU's access starts or ends."""
        if self._is_memfd or self.closed:
            return
        try:
            ioctl(self._fd, _IOCTL_SYNC, bytearray(struct.pack("=Q", access | edge)))
        except OSError as error:
            raise MachineError(f"{self!r}: DMA_BUF_IOCTL_SYNC: {error.strerror}") from error

    def __repr__(self) -> str:
        what = self.name or "dma-buf"
        return f"<{what}: {self.size} bytes, {'closed' if self.closed else f'fd {self._fd}'}>"
