"""Dma-bufs made of ordinary memory: /dev/udmabuf, where there is no heap to use.

The pages are those of a memfd: cached, scattered, and counted against this
process, which is why desktops hand the node out where they do not hand out
heaps.
"""

from __future__ import annotations

import fcntl
import os
import struct

from heapwire.kernel.system import ioctl, sealed_memfd

# include/uapi/linux/udmabuf.h: struct udmabuf_create
_CREATE = struct.Struct("=IIQQ")  # memfd, flags, offset, size
_IOCTL_CREATE = 0x40187542
_FLAG_CLOEXEC = 1


def create(node: str, size: int) -> int:
    """A dma-buf of `size` bytes, a multiple of the page size; the caller owns the fd.

    Raises `OSError`. The memfd may not shrink, which the driver insists on, and
    is closed here: the dma-buf keeps its pages.
    """
    memory = sealed_memfd("udmabuf", size, seals=fcntl.F_SEAL_SHRINK)
    try:
        device = os.open(node, os.O_RDWR | os.O_CLOEXEC)
        try:
            request = bytearray(_CREATE.pack(memory, _FLAG_CLOEXEC, 0, size))
            return ioctl(device, _IOCTL_CREATE, request)
        finally:
            os.close(device)
    finally:
        os.close(memory)
