"""`wl_shm_pool`: a file that buffers are made of."""

from __future__ import annotations

from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.hosts.reference.dmabuf import MAX_PIXELS
from heapwire.compositor_plugin.hosts.reference.shm.shm_buffer import ShmBuffer
from heapwire.compositor_plugin.hosts.reference.shm.shm_content import PoolFile, ShmContent
from heapwire.compositor_plugin.hosts.reference.shm.shm_formats import SHM_FORMATS, ShmError
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError
from heapwire.protocol.values import FORMATS, Extent


class WlShmPool(Resource):
    """A pool; its buffers, and surfaces that show them, keep the file when it goes."""

    INTERFACE = interface_table("wl_shm_pool")
    VERSION = min(2, INTERFACE.version)

    def __init__(self, new_id: NewId, pool: PoolFile, size: int) -> None:
        super().__init__(new_id)
        self._pool = pool
        self._size = size

    def create_buffer(
        self, new_id: NewId, offset: int, width: int, height: int, pitch: int, number: int
    ) -> None:
        """Make a buffer, of which the whole pitch of each row has to be within the pool."""
        fourcc = SHM_FORMATS.get(number)
        if fourcc is None:
            raise ViolationError(self, ShmError.INVALID_FORMAT, f"{number:#x} is not on offer")
        within = offset >= 0 and width > 0 and height > 0
        plane = FORMATS[fourcc].planes[0]
        if not within or pitch < plane.row_bytes(width) or offset + pitch * height > self._size:
            what = f"{width}x{height} with a pitch of {pitch} bytes at {offset}"
            text = f"{what} is not within a pool of {self._size}"
            raise ViolationError(self, ShmError.INVALID_STRIDE, text)
        if width * height > MAX_PIXELS or Extent.fault(width, height) is not None:
            raise MemoryError(f"a wl_shm buffer of {width}x{height}")
        content = ShmContent(self._pool, offset, pitch, Extent(width, height), fourcc)
        ShmBuffer(new_id, content)

    def resize(self, size: int) -> None:
        """Have a longer part of the file be the pool."""
        if size < self._size:
            raise ViolationError(self, ShmError.INVALID_FD, "a pool does not become smaller")
        self._size = size
