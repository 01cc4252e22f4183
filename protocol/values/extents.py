"""The sizes of a picture: coded, maximum and visible are different things."""

from __future__ import annotations

import re
from typing import Self

from heapwire.protocol.errors import InputError, UsageError, shown
from heapwire.protocol.late_dataclasses import dataclass

MAX_EXTENT = 65536
"""Pixels of a width or a height, at most.

With it every product of a layout stays far below 2**63: 65536 rows of 65536 pixels of 8
bytes are 2**35 bytes.
"""


@dataclass(frozen=True, slots=True, order=True)
class Extent:
    """A width and a height in pixels, each from 1 to `MAX_EXTENT`; `str()` gives `1920x1080`.

    Raises `UsageError` for any other: numbers from elsewhere go through `fault` first.
    """

    width: int
    height: int

    def __post_init__(self) -> None:
        fault = self.fault(self.width, self.height)
        if fault is not None:
            raise UsageError(fault)

    @staticmethod
    def fault(width: int, height: int) -> str | None:
        """What is wrong with a size, None if nothing is."""
        if 1 <= width <= MAX_EXTENT and 1 <= height <= MAX_EXTENT:
            return None
        return f"{width}x{height} is not a size from 1x1 to {MAX_EXTENT}x{MAX_EXTENT}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The size that `str()` printed; `InputError` for anything else."""
        written = re.fullmatch(r"([0-9]{1,6})x([0-9]{1,6})", text, re.ASCII | re.IGNORECASE)
        if written is None:
            raise InputError(
                f"{shown(text)} is not WIDTHxHEIGHT, from 1x1 to {MAX_EXTENT}x{MAX_EXTENT}"
            )
        width, height = int(written[1]), int(written[2])
        fault = cls.fault(width, height)
        if fault is not None:
            raise InputError(fault)
        return cls(width, height)

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extents:
    """The extents of a stream, in pixels.

    `coded` is what the decoder writes now, `visible` the part of it that is
    shown (its crop; the coded extent when None), `maximum` the largest coded
    extent that the same buffers are to hold (the coded extent when None).
    `shown` is what the visible part is scaled to on the screen, before anything is
    turned; None where nobody knows, and then no scale is refused.
    """

    coded: Extent
    visible: Extent | None = None
    maximum: Extent | None = None
    shown: Extent | None = None

    @property
    def allocated(self) -> Extent:
        """What a buffer must have room for."""
        maximum = self.maximum
        if maximum is None:
            return self.coded
        return Extent(max(self.coded.width, maximum.width), max(self.coded.height, maximum.height))

    def scaled_within(self, least: int, most: int) -> bool:
        """Whether the picture is so many 65536ths of what it is shown as, across and down."""
        if self.shown is None:
            return True
        picture = self.visible or self.coded
        return all(
            least * pixels <= length << 16 <= most * pixels
            for length, pixels in (
                (picture.width, self.shown.width),
                (picture.height, self.shown.height),
            )
        )
