"""Buffers of a heap (include/uapi/linux/dma-heap.h)."""

import fcntl
import mmap
import os
import struct
from contextlib import contextmanager

DMA_HEAP_IOCTL_ALLOC = 0xC0184800
DMA_BUF_IOCTL_SYNC = 0x40086200
SYNC_READ, SYNC_START, SYNC_END = 1, 0, 4


@contextmanager
def allocated(heap, size):
    """A dma-buf of `size` bytes."""
    node = os.open(f"/dev/dma_heap/{heap}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        # struct dma_heap_allocation_data: len, fd, fd_flags, heap_flags
        request = bytearray(struct.pack("QIIQ", size, 0, os.O_RDWR | os.O_CLOEXEC, 0))
        fcntl.ioctl(node, DMA_HEAP_IOCTL_ALLOC, request)
    finally:
        os.close(node)
    fd = struct.unpack("QIIQ", request)[1]
    try:
        yield fd
    finally:
        os.close(fd)


def contents(fd, size):
    """The bytes of a dma-buf, as the CPU sees them."""
    with mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ) as memory:
        fcntl.ioctl(fd, DMA_BUF_IOCTL_SYNC, struct.pack("Q", SYNC_START | SYNC_READ))
        data = memory[:size]
        fcntl.ioctl(fd, DMA_BUF_IOCTL_SYNC, struct.pack("Q", SYNC_END | SYNC_READ))
    return data
