"""The sizes of a picture: coded, maximum and visible are different things."""

from __future__ import annotations

from dataclasses import dataclass

from heapwire.protocol.errors import LocalError

MAX_EXTENT = 65536  # pixels; keeps every product of a layout far below 2**63


@dataclass(frozen=True, slots=True, order=True)
class Extent:
    """A width and a height in pixels, each from 1 to `MAX_EXTENT`."""

    width: int
    height: int

    def __post_init__(self) -> None:
        if not (1 <= self.width <= MAX_EXTENT and 1 <= self.height <= MAX_EXTENT):
            raise LocalError(f"{self.width}x{self.height} is not a size from 1x1 to 65536x65536")

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extents:
    """The three extents of a stream, in pixels.

    `coded` is what the decoder writes now, `visible` the part of it that is
    shown (its crop; the coded extent when None), `maximum` the largest coded
    extent that the same buffers are to hold (the coded extent when None).
    """

    coded: Extent
    visible: Extent | None = None
    maximum: Extent | None = None

    @property
    def allocated(self) -> Extent:
        """What a buffer must have room for."""
        maximum = self.maximum or self.coded
        return Extent(max(self.coded.width, maximum.width), max(self.coded.height, maximum.height))
