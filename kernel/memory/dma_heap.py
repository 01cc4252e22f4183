"""Allocating from a DMA heap.

The kernel does not check the size: a request for 1 << 50 bytes of the system
heap gets the caller killed for want of memory (drivers/dma-buf/dma-heap.c).
Whoever calls this bounds it first; `LocalMemory` does.
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress

from heapwire.kernel.system import ioctl

# include/uapi/linux/dma-heap.h: struct dma_heap_allocation_data
_ALLOCATION = struct.Struct("=QIIQ")  # len, fd, fd_flags, heap_flags
_IOCTL_ALLOC = 0xC0184800
# include/uapi/linux/dma-buf.h
_SET_NAME = 0x40086201
_MAX_NAME = 31  # bytes, DMA_BUF_NAME_LEN without the NUL


def allocate(node: str, size: int, *, name: str = "") -> int:
    """A dma-buf of `size` bytes (rounded up to pages) from the heap at a node.

    The caller owns the fd. The node is opened for this one call: an open heap
    is unlimited memory and is not kept. Reading permission is enough to
    allocate. Raises `OSError`.
    """
    fd = _allocated(node, size, os.O_RDWR)
    if name:
        set_name(fd, name)
    return fd


def read_only_buffer(node: str, size: int) -> int:
    """A dma-buf from the heap at a node that its holder may only read, as `allocate` makes it."""
    return _allocated(node, size, os.O_RDONLY)


def set_name(fd: int, name: str) -> None:
    """Name a dma-buf, for those who look at /proc; a kernel that will not is no error."""
    text = name.encode("utf-8", "replace").replace(b"\0", b" ")[:_MAX_NAME]
    with suppress(OSError):  # attached already (EBUSY), or a kernel before 5.3
        _set_name(fd, text)


def _set_name(fd: int, text: bytes) -> None:
    # The argument is the address of a string, so a struct of the size in the
    # ioctl's number is not read: a NUL-terminated text in a buffer is right.
    ioctl(fd, _SET_NAME, bytearray(text + b"\0"))


def _allocated(node: str, size: int, mode: int) -> int:
    heap = os.open(node, os.O_RDONLY | os.O_CLOEXEC)
    try:
        request = bytearray(_ALLOCATION.pack(size, 0, mode | os.O_CLOEXEC, 0))
        ioctl(heap, _IOCTL_ALLOC, request)
    finally:
        os.close(heap)
    fd: int = _ALLOCATION.unpack(request)[1]
    return fd
