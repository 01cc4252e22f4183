"""`wl_shm`: takes files of clients' for buffers."""

from __future__ import annotations

import fcntl
import os

from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.hosts.reference.dmabuf import ClientDescriptors
from heapwire.compositor_plugin.hosts.reference.shm.shm_content import PoolFile
from heapwire.compositor_plugin.hosts.reference.shm.shm_formats import SHM_FORMATS, ShmError
from heapwire.compositor_plugin.hosts.reference.shm.wl_shm_pool import WlShmPool
from heapwire.compositor_plugin.server import NewId, ReceivedFd, Resource, ViolationError


class WlShm(Resource):
    """The bound global."""

    INTERFACE = interface_table("wl_shm")
    VERSION = min(2, INTERFACE.version)

    def __init__(self, new_id: NewId, descriptors: ClientDescriptors) -> None:
        super().__init__(new_id)
        self._descriptors = descriptors
        for number in SHM_FORMATS:
            self.send("format", number)

    def create_pool(self, new_id: NewId, fd: ReceivedFd, size: int) -> None:
        """Take a file, which is bounded as those of dma-bufs are."""
        if size <= 0:
            raise ViolationError(self, ShmError.INVALID_STRIDE, f"a pool of {size} bytes")
        if not _is_memory(fd):
            raise ViolationError(self, ShmError.INVALID_FD, "a file that is no memory to share")
        kept = self._descriptors.take(self.client)
        if kept is None:
            raise MemoryError("more pools than clients may have open here")
        WlShmPool(new_id, PoolFile(ReceivedFd(fd.take()), kept), size)


def _is_memory(fd: ReceivedFd) -> bool:
    """Whether it is a file with bytes at offsets that can be read and written."""
    number = fd.fileno()
    if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDWR:
        return False
    try:
        return bool(os.lseek(number, 0, os.SEEK_END) >= 0)
    except OSError:
        return False
