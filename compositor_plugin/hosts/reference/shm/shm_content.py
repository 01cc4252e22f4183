"""The content of a `wl_shm` buffer: a part of its pool's file."""

from __future__ import annotations

import os
from contextlib import suppress

from heapwire.compositor_plugin.hosts.reference.dmabuf import KeptDescriptor
from heapwire.compositor_plugin.hosts.reference.scene import Image, PlaneBytes, read_image
from heapwire.compositor_plugin.server import ReceivedFd
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import FORMATS, Colour, Extent


@dataclass(frozen=True, slots=True)
class PoolFile:
    """A pool's file, which is closed when nothing is in it any more.

    It is never mapped: where the client makes it shorter, a read comes back short, and a map
    would end the compositor. `kept` counts the descriptor for its client.
    """

    file: ReceivedFd
    kept: KeptDescriptor

    @property
    def size(self) -> int:
        """How long the file is now, in bytes."""
        return os.fstat(self.file.fileno()).st_size

    def read(self, offset: int, size: int) -> bytearray:
        """The bytes that are there now, and zeros for those that are not."""
        copy = bytearray(size)
        view, done = memoryview(copy), 0
        with suppress(OSError):
            while done < size:
                count = os.preadv(self.file.fileno(), [view[done:]], offset + done)
                if count == 0:
                    break
                done += count
        return copy


@dataclass(frozen=True, slots=True, weakref_slot=True)
class ShmContent:
    """A picture in a pool's file, as it is there when it is drawn; `offset`, `pitch` in bytes.

    To show it costs nothing, however large it is: it is read where somebody wants to see it, and
    the buffer is its client's again when another is on the screen.
    """

    pool: PoolFile
    offset: int
    pitch: int
    extent: Extent
    fourcc: int

    @property
    def has_alpha(self) -> bool:
        """Whether the format has alpha."""
        return FORMATS[self.fourcc].has_alpha

    @property
    def is_there(self) -> bool:
        """Whether the file is long enough for it now."""
        return self.offset + self._size <= self.pool.size

    def image(self, colour: Colour | None = None) -> Image:
        """Its pixels, which are RGB."""
        data = memoryview(self.pool.read(self.offset, self._size))
        plane = PlaneBytes(data, 0, self.pitch)
        return read_image([plane], self.fourcc, self.extent.width, self.extent.height)

    @property
    def _size(self) -> int:
        plane = FORMATS[self.fourcc].planes[0]
        rows = plane.rows(self.extent.height)
        return self.pitch * (rows - 1) + plane.row_bytes(self.extent.width)
