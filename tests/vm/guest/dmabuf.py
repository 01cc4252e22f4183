"""Buffers of a heap (include/uapi/linux/dma-heap.h), and of memfds."""

import fcntl
import mmap
import os
import struct
from contextlib import ExitStack, contextmanager

DMA_HEAP_IOCTL_ALLOC = 0xC0184800
DMA_BUF_IOCTL_SYNC = 0x40086200
UDMABUF_CREATE = 0x40187542
PIECE, HOLES = 1 << 20, 24  # drivers/dma-buf/heaps/system_heap.c: the largest order is 8
SYNC_READ, SYNC_START, SYNC_END = 1, 0, 4


@contextmanager
def of_memfd(size):
    """A dma-buf of at least `size` bytes of ordinary memory (include/uapi/linux/udmabuf.h).

    Every other page of it is there before those between them, so that no two that follow each
    other lie in a row, as they often do in a machine that has just booted (see `scattered`).
    """
    size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = os.memfd_create("memory", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(memory, size)
        for first in range(2):
            for offset in range(first * mmap.PAGESIZE, size, 2 * mmap.PAGESIZE):
                os.pwrite(memory, b"\0", offset)
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        node = os.open("/dev/udmabuf", os.O_RDWR | os.O_CLOEXEC)
        try:
            # struct udmabuf_create: memfd, flags (close on exec), offset, size
            fd = fcntl.ioctl(
                node, UDMABUF_CREATE, bytearray(struct.pack("IIQQ", memory, 1, 0, size))
            )
        finally:
            os.close(node)
    finally:
        os.close(memory)
    try:
        yield fd
    finally:
        os.close(fd)


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


@contextmanager
def scattered():
    """While it lasts, free memory of the system heap's largest pieces has gaps between them.

    In a machine that has just booted, pieces that are asked for one after the other often lie so,
    and a driver that needs contiguous memory takes them by luck.
    """
    with ExitStack() as stack:
        freed = [allocated("system", PIECE) for _ in range(2 * HOLES)]
        with ExitStack() as holes:
            for number, piece in enumerate(freed):
                (holes if number % 2 else stack).enter_context(piece)
        yield


def contents(fd, size):
    """The bytes of a dma-buf, as the CPU sees them."""
    with mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ) as memory:
        fcntl.ioctl(fd, DMA_BUF_IOCTL_SYNC, struct.pack("Q", SYNC_START | SYNC_READ))
        data = memory[:size]
        fcntl.ioctl(fd, DMA_BUF_IOCTL_SYNC, struct.pack("Q", SYNC_END | SYNC_READ))
    return data
