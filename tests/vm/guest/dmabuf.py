"""Buffers of a heap (include/uapi/linux/dma-heap.h)."""

import fcntl
import os
import struct
from contextlib import contextmanager

DMA_HEAP_IOCTL_ALLOC = 0xC0184800


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
