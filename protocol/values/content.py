"""What is known of the pictures beyond their format and size."""

from __future__ import annotations

from enum import IntEnum

from heapwire.protocol.late_dataclasses import dataclass


class ColourEncoding(IntEnum):
    """The matrix between RGB and YCbCr, numbered as in ITU-T H.273; 2 is unknown."""

    RGB = 0
    BT709 = 1
    UNSPECIFIED = 2
    BT601 = 6
    BT2020 = 9


class ColourRange(IntEnum):
    """How much of the code range is used."""

    UNSPECIFIED = 0
    LIMITED = 1
    FULL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Protected content is put in protected memory, and nothing else ever is.

    `rotation` is in degrees counter-clockwise: 0, 90, 180 or 270.
    """

    protected: bool = False
    interlaced: bool = False
    rotation: int = 0
    encoding: ColourEncoding = ColourEncoding.UNSPECIFIED
    range: ColourRange = ColourRange.UNSPECIFIED
