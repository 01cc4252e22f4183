"""What is demanded of one plane's geometry, and the room that a plane takes."""

from __future__ import annotations

from math import lcm
from typing import Final

from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.solver.demand import Demand
from heapwire.protocol.solver.layout.tied_pitch import TiedPlane
from heapwire.protocol.values import (
    ADDRESS_ALIGNMENT,
    EXACT_PITCH,
    MAX_PITCH,
    MIN_PITCH,
    OFFSET_ALIGNMENT,
    PADDING,
    PITCH_ALIGNMENT,
    PIXEL_BOUNDARY_PITCH,
    POWER_OF_TWO_PITCH,
    SCANLINE_ALIGNMENT,
    Extent,
    PlaneFormat,
    Tiling,
)

GREATEST_PITCH: Final = (1 << 32) - 1  # bytes; drm_mode_fb_cmd2, linux-dmabuf have 32 bits for it


def up(number: int, alignment: int) -> int:
    """The next multiple."""
    return -(-number // alignment) * alignment


class PlaneDemand(NamedTuple):
    """What is demanded of one plane's geometry, in bytes and rows."""

    pitch_alignment: int = 1
    min_pitch: int = 0
    max_pitch: int = GREATEST_PITCH
    offset_alignment: int = 1
    scanline_alignment: int = 1
    padding: int = 0
    pixel_boundary: bool = False
    power_of_two: bool = False
    exact: bool = False

    @classmethod
    def of(cls, demand: Demand, plane: int) -> PlaneDemand:
        """The demand on one plane."""
        if _OF_PLANES.isdisjoint(demand.whole) and not demand.own:
            return _NOTHING
        return cls(
            pitch_alignment=demand.uint(PITCH_ALIGNMENT, 1, plane),
            min_pitch=demand.uint(MIN_PITCH, 0, plane),
            max_pitch=min(demand.uint(MAX_PITCH, GREATEST_PITCH, plane), GREATEST_PITCH),
            # Whoever allocates starts an object at the alignment of its source, which is
            # checked with the source; so an offset that keeps to the alignment of
            # addresses keeps the address to it.
            offset_alignment=lcm(
                demand.uint(OFFSET_ALIGNMENT, 1, plane), demand.uint(ADDRESS_ALIGNMENT, 1, plane)
            ),
            scanline_alignment=demand.uint(SCANLINE_ALIGNMENT, 1, plane),
            padding=demand.uint(PADDING, 0, plane),
            pixel_boundary=demand.flag(PIXEL_BOUNDARY_PITCH, plane),
            power_of_two=demand.flag(POWER_OF_TWO_PITCH, plane),
            exact=demand.flag(EXACT_PITCH, plane),
        )

    def alignment(self, plane: PlaneFormat, tiling: Tiling) -> int:
        """What the pitch is a multiple of, bytes."""
        aligned = lcm(self.pitch_alignment, tiling.size_of(plane)[0])
        return lcm(aligned, plane.bytes_per_block) if self.pixel_boundary else aligned

    def most(self, plane: PlaneFormat, narrowest: int) -> int:
        """The greatest pitch for pictures of which the narrowest is so wide, in pixels."""
        return min(self.max_pitch, plane.row_bytes(narrowest)) if self.exact else self.max_pitch

    def pitch(self, plane: PlaneFormat, tiling: Tiling, width: int, narrowest: int) -> int | None:
        """The least pitch that will do, None when it is beyond the greatest."""
        aligned, most = self.alignment(plane, tiling), self.most(plane, narrowest)
        return fit_pitch(self, aligned, plane.row_bytes(width), most)

    def rows(self, plane: PlaneFormat, tiling: Tiling, height: int) -> int:
        """The rows to make room for."""
        return up(plane.rows(height), self.whole_rows(plane, tiling))

    def whole_rows(self, plane: PlaneFormat, tiling: Tiling) -> int:
        """What the rows are a multiple of; a plane ends with a whole tile."""
        return lcm(self.scanline_alignment, tiling.size_of(plane)[1])

    def tied(
        self,
        plane: PlaneFormat,
        tiling: Tiling,
        extent: Extent,
        narrowest: int,
        ratio: tuple[int, int],
    ) -> TiedPlane:
        """The demand on a plane whose pitch is that of plane 0 times a ratio, of two numbers."""
        return TiedPlane(
            ratio=ratio,
            aligned=self.alignment(plane, tiling),
            least=max(plane.row_bytes(extent.width), self.min_pitch),
            most=self.most(plane, narrowest),
            power_of_two=self.power_of_two,
            rows=self.rows(plane, tiling, extent.height),
            padding=self.padding,
            start=self.start(plane, tiling),
        )

    def start(self, plane: PlaneFormat, tiling: Tiling) -> int:
        """What the offset is a multiple of, bytes; a plane starts with a whole tile."""
        width, rows = tiling.size_of(plane)
        return lcm(self.offset_alignment, width * rows)


_OF_PLANES: Final = frozenset(
    row.type
    for row in (
        PITCH_ALIGNMENT, MIN_PITCH, MAX_PITCH, OFFSET_ALIGNMENT, ADDRESS_ALIGNMENT,
        SCANLINE_ALIGNMENT, PADDING, PIXEL_BOUNDARY_PITCH, POWER_OF_TWO_PITCH, EXACT_PITCH,
    )
)  # fmt: skip
"""The types that `PlaneDemand` has to do with: mostly nobody speaks of any."""

_NOTHING: Final = PlaneDemand()


class PlaneRoom(NamedTuple):
    """The pitch, size and offset alignment of one plane, in bytes.

    One that `follows` begins where the one before ends, in the same object.
    """

    pitch: int
    size: int
    start: int
    follows: bool = False


class PlaneRule(NamedTuple):
    """What is demanded of one plane of a format, for pictures of any size.

    The pitch is a multiple of `aligned`, the rows are one of `down`, the offset one of `start`.
    """

    plane: PlaneFormat
    wanted: PlaneDemand
    aligned: int
    down: int
    start: int

    @classmethod
    def of(cls, wanted: PlaneDemand, plane: PlaneFormat, tiling: Tiling) -> PlaneRule:
        """The rule for a plane."""
        aligned, start = wanted.alignment(plane, tiling), wanted.start(plane, tiling)
        return cls(plane, wanted, aligned, wanted.whole_rows(plane, tiling), start)

    def room(self, extent: Extent, narrowest: int) -> PlaneRoom | None:
        """The room that the plane of a picture takes; None when no pitch will do.

        Its pitch is tied to no other plane's. The narrowest picture of the buffer is so wide.
        """
        most = self.wanted.most(self.plane, narrowest)
        pitch = fit_pitch(self.wanted, self.aligned, self.plane.row_bytes(extent.width), most)
        return None if pitch is None else self.with_pitch(pitch, extent.height)

    def with_pitch(self, pitch: int, height: int) -> PlaneRoom:
        """The room that so many rows of pixels take, each of them so long."""
        size = pitch * up(self.plane.rows(height), self.down) + self.wanted.padding
        return PlaneRoom(pitch, size, self.start)


def fit_pitch(wanted: PlaneDemand, alignment: int, least: int, most: int) -> int | None:
    """The least pitch from `least` to `most` bytes that will do; None when there is none."""
    pitch = up(max(least, wanted.min_pitch, 1), alignment)
    if wanted.power_of_two:
        # A power of two that is no multiple of the alignment has none above it that is.
        pitch = 1 << (pitch - 1).bit_length()
        if pitch % alignment:
            return None
    return pitch if pitch <= most else None
