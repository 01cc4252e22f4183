"""The header of a frame of FWHT, the codec of the kernel's vicodec driver.

Eleven 32-bit big-endian numbers (struct fwht_cframe_hdr, in
drivers/media/test-drivers/vicodec/codec-fwht.h): two magic ones that occur
nowhere else, by which the next frame can be found after damage; version; width
and height; flags; four of colour; and the bytes that follow.
"""

from __future__ import annotations

import struct
from typing import Self

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import Extent

FWHT_MAGIC = b"\x4f\x4f\x4f\x4f\xff\xff\xff\xff"
"""The two magic numbers."""
_START, _END = struct.Struct(">8s4I"), struct.Struct(">5I")
FWHT_HEADER_SIZE = _START.size + _END.size
"""Bytes of the header, before those of the frame."""
# Four components of two bytes each and change: beyond that a size is no size.
_MOST_BYTES_A_PIXEL = 9
_CHANGE = 1 << 16
_MOST_SIDE = 16384  # pixels
# v4l2-controls.h, V4L2_FWHT_FL_*.
_I_FRAME = 1 << 10
_PIXELS = 3 << 19
_PIXELS_RGB = 2 << 19
# Chroma of full height and width, the number of components, and what they are.
_LAYOUT = 1 << 7 | 1 << 8 | 7 << 16 | _PIXELS


@dataclass(frozen=True, slots=True)
class FwhtHeader:
    """What it says. `size` is in bytes, colours are V4L2's numbers."""

    version: int
    extent: Extent
    flags: int
    colorspace: int
    xfer_func: int
    ycbcr_enc: int
    quantization: int
    size: int

    @classmethod
    def read(cls, data: bytes) -> Self | None:
        """The header that a frame begins with; None if it can be none."""
        if len(data) < FWHT_HEADER_SIZE:
            return None
        magic, version, width, height, flags = _START.unpack_from(data)
        colorspace, xfer_func, ycbcr_enc, quantization, size = _END.unpack_from(data, _START.size)
        sound = 0 < width <= _MOST_SIDE and 0 < height <= _MOST_SIDE
        most = width * height * _MOST_BYTES_A_PIXEL + _CHANGE
        if magic != FWHT_MAGIC or not sound or size > most:
            return None
        extent = Extent(width, height)
        return cls(version, extent, flags, colorspace, xfer_func, ycbcr_enc, quantization, size)

    @property
    def is_key(self) -> bool:
        """Whether the frame needs no other one."""
        return bool(self.flags & _I_FRAME)

    @property
    def is_rgb(self) -> bool:
        """Whether its pixels are RGB."""
        return self.flags & _PIXELS == _PIXELS_RGB

    @property
    def layout(self) -> int:
        """The flags that say which formats its picture can be had in."""
        return self.flags & _LAYOUT
