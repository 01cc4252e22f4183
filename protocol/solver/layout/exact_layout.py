"""Pitches, offsets and sizes, to the byte, of layouts that can be computed.

The steps, for one (fourcc, modifier) pair and one demand:

1. The extent that the buffer has room for: the picture, or what must fit, or
   the least extent, whichever is greater; then up to the extents' alignment.
   The greatest extent and area limit the picture, not the padding around it.
2. For each plane the pitch: the bytes of a row, or the least pitch, up to the
   one alignment that all alignments merge into. (Taking the greatest of pitches
   that were aligned one by one would satisfy nobody: 100 bytes aligned to 48
   and to 64 are 144 and 128, and 144 is no multiple of 64.) Tied pitches are
   found together (tied_pitch.py).
3. The rows, up to the scanline alignment and the rows of a tile; pitch times
   rows, and the padding behind them.
4. Planes of one object follow each other, each at the next multiple of its
   offset alignment; the object ends at a multiple of the size alignment.

For example NV12, 1920x1080, for a decoder that wants 128 byte pitches, 32 luma
and 16 chroma rows and sizes of 4096: pitch 1920, 1088 rows of Y are 2 088 960
bytes, 544 rows of CbCr 1 044 480, the object 3 133 440.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Final, NamedTuple

from heapwire.protocol.solver.demand import WHOLE, Demand
from heapwire.protocol.solver.layout.tied_pitch import TiedPlane, tied_pitches
from heapwire.protocol.solver.merge_rule import UINT_MAX
from heapwire.protocol.values import (
    ADDRESS_ALIGNMENT,
    ADJACENT_PLANES,
    HEIGHT_ALIGNMENT,
    LEAST_HEIGHT,
    LEAST_WIDTH,
    MACROBLOCK_PADDING,
    MAX_AREA,
    MAX_EXTENT,
    MAX_HEIGHT,
    MAX_PITCH,
    MAX_PLANES,
    MAX_SIZE,
    MAX_WIDTH,
    MIN_HEIGHT,
    MIN_PITCH,
    MIN_SIZE,
    MIN_WIDTH,
    MUST_FIT_HEIGHT,
    MUST_FIT_LEAST_HEIGHT,
    MUST_FIT_LEAST_WIDTH,
    MUST_FIT_WIDTH,
    OFFSET_ALIGNMENT,
    PADDING,
    PITCH_ALIGNMENT,
    PIXEL_BOUNDARY_PITCH,
    POWER_OF_TWO_PITCH,
    SCALING,
    SCANLINE_ALIGNMENT,
    SIZE_ALIGNMENT,
    TIED_PITCH,
    VISIBLE_HEIGHT_ALIGNMENT,
    VISIBLE_WIDTH_ALIGNMENT,
    WIDTH_ALIGNMENT,
    BufferObject,
    Extent,
    Extents,
    Format,
    Layout,
    LayoutKind,
    PlaneFormat,
    PlaneLayout,
    SourceId,
    Tiling,
)

MACROBLOCK: Final = 16  # pixels each way: H.264 and its forebears
GREATEST_PITCH: Final = (1 << 32) - 1  # bytes; drm_mode_fb_cmd2, linux-dmabuf have 32 bits for it
GREATEST_OFFSET: Final = GREATEST_PITCH  # likewise
GREATEST_SIZE: Final = (1 << 63) - 1  # bytes of an object; a file's length is a signed 64-bit off_t


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
        )

    def alignment(self, plane: PlaneFormat, tiling: Tiling) -> int:
        """What the pitch is a multiple of, bytes."""
        aligned = lcm(self.pitch_alignment, tiling.size_of(plane)[0])
        return lcm(aligned, plane.bytes_per_block) if self.pixel_boundary else aligned

    def pitch(self, plane: PlaneFormat, tiling: Tiling, width: int) -> int | None:
        """The least pitch that will do, None when it is beyond the greatest."""
        return fit_pitch(self, self.alignment(plane, tiling), plane.row_bytes(width))

    def rows(self, plane: PlaneFormat, tiling: Tiling, height: int) -> int:
        """The rows to make room for."""
        return up(plane.rows(height), self.whole_rows(plane, tiling))

    def whole_rows(self, plane: PlaneFormat, tiling: Tiling) -> int:
        """What the rows are a multiple of; a plane ends with a whole tile."""
        return lcm(self.scanline_alignment, tiling.size_of(plane)[1])

    def tied(
        self, plane: PlaneFormat, tiling: Tiling, extent: Extent, ratio: Fraction
    ) -> TiedPlane:
        """The demand on a plane whose pitch is so many times that of plane 0."""
        return TiedPlane(
            ratio=ratio,
            aligned=self.alignment(plane, tiling),
            least=max(plane.row_bytes(extent.width), self.min_pitch),
            most=self.max_pitch,
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
        SCANLINE_ALIGNMENT, PADDING, PIXEL_BOUNDARY_PITCH, POWER_OF_TWO_PITCH,
    )
)  # fmt: skip
"""The types that `PlaneDemand` has to do with: mostly nobody speaks of any."""

_NOTHING: Final = PlaneDemand()


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

    def room(self, extent: Extent) -> PlaneRoom | None:
        """The room that the plane of a picture takes; None when no pitch will do.

        Its pitch is tied to no other plane's.
        """
        pitch = fit_pitch(self.wanted, self.aligned, self.plane.row_bytes(extent.width))
        return None if pitch is None else self.with_pitch(pitch, extent.height)

    def with_pitch(self, pitch: int, height: int) -> PlaneRoom:
        """The room that so many rows of pixels take, each of them so long."""
        size = pitch * up(self.plane.rows(height), self.down) + self.wanted.padding
        return PlaneRoom(pitch, size, self.start)


class GeometryDemand:
    """What a demand says of sizes, taken apart once for all pairs that share it.

    `extent` is None when the picture itself is refused. `planes` has the demand
    on each plane, a format's or not. `tied` pitches follow from that of plane 0, and
    `adjacent` planes begin where the one before ends.
    """

    __slots__ = (
        "_rules", "adjacent", "extent", "macroblock_bytes", "max_size", "min_size", "planes",
        "size_alignment", "tied",
    )  # fmt: skip

    def __init__(self, demand: Demand, extents: Extents) -> None:
        self.extent = room_for(demand, extents)
        self._rules: dict[tuple[int, int], tuple[PlaneRule, ...]] = {}
        self.size_alignment = demand.uint(SIZE_ALIGNMENT, 1)
        self.min_size = demand.uint(MIN_SIZE, 0)
        self.max_size = min(demand.uint(MAX_SIZE, GREATEST_SIZE), GREATEST_SIZE)
        self.macroblock_bytes = demand.uint(MACROBLOCK_PADDING, 0)
        self.adjacent = demand.flag(ADJACENT_PLANES)
        self.tied = self.adjacent or demand.flag(TIED_PITCH)
        whole = PlaneDemand.of(demand, WHOLE)
        own = {plane for _, plane in demand.own}
        self.planes = tuple(
            [
                PlaneDemand.of(demand, plane) if plane in own else whole
                for plane in range(MAX_PLANES)
            ]
            if own
            else [whole] * MAX_PLANES
        )

    def rules(self, format_: Format, tiling: Tiling) -> tuple[PlaneRule, ...]:
        """The rules for the planes of a format."""
        key = (format_.fourcc, tiling.modifier)
        known = self._rules.get(key)
        if known is None:
            planes = zip(self.planes, tiling.planes_of(format_), strict=False)
            known = tuple([PlaneRule.of(wanted, plane, tiling) for wanted, plane in planes])
            self._rules[key] = known
        return known

    def fit(self, demand: Demand, extents: Extents) -> bool:
        """Let it be for a picture of another size; whether that is not refused."""
        self.extent = room_for(demand, extents)
        return self.extent is not None

    def object_size(self, end: int, *, last: bool) -> int | None:
        """The size of an object whose planes end at `end`; None when it is too great."""
        if last and self.macroblock_bytes and self.extent is not None:
            columns = -(-self.extent.width // MACROBLOCK)
            rows = -(-self.extent.height // MACROBLOCK)
            end += columns * rows * self.macroblock_bytes
        # Padding counts before the alignment: the object ends at a multiple of it.
        size = up(max(end, self.min_size), self.size_alignment)
        return size if size <= self.max_size else None


class PlaneRoom(NamedTuple):
    """The pitch, size and offset alignment of one plane, in bytes.

    One that `follows` begins where the one before ends, in the same object.
    """

    pitch: int
    size: int
    start: int
    follows: bool = False


def up(number: int, alignment: int) -> int:
    """The next multiple."""
    return -(-number // alignment) * alignment


_OF_THE_PICTURE: Final = frozenset(
    row.type
    for row in (
        MUST_FIT_WIDTH, MUST_FIT_HEIGHT, MIN_WIDTH, MIN_HEIGHT, MAX_WIDTH, MAX_HEIGHT, MAX_AREA,
        LEAST_WIDTH, LEAST_HEIGHT, MUST_FIT_LEAST_WIDTH, MUST_FIT_LEAST_HEIGHT, SCALING,
        WIDTH_ALIGNMENT, HEIGHT_ALIGNMENT, VISIBLE_WIDTH_ALIGNMENT, VISIBLE_HEIGHT_ALIGNMENT,
    )
)  # fmt: skip
"""What `room_for` has to do with."""


def fit_pitch(wanted: PlaneDemand, alignment: int, least: int) -> int | None:
    """The least pitch from `least` bytes on that will do; None when there is none."""
    pitch = up(max(least, wanted.min_pitch, 1), alignment)
    if wanted.power_of_two:
        # A power of two that is no multiple of the alignment has none above it that is.
        pitch = 1 << (pitch - 1).bit_length()
        if pitch % alignment:
            return None
    return pitch if pitch <= wanted.max_pitch else None


def room_for(demand: Demand, extents: Extents) -> Extent | None:
    """The extent that buffers are allocated for; None when the picture is refused."""
    picture = extents.allocated
    if _OF_THE_PICTURE.isdisjoint(demand.whole):
        return picture
    visible = extents.visible or extents.coded
    width = max(picture.width, demand.uint(MUST_FIT_WIDTH, 0))
    height = max(picture.height, demand.uint(MUST_FIT_HEIGHT, 0))
    # The limits are the picture's, so they come before the room around it.
    if (
        width > demand.uint(MAX_WIDTH, UINT_MAX)
        or height > demand.uint(MAX_HEIGHT, UINT_MAX)
        or width * height > demand.uint(MAX_AREA, UINT_MAX)
        or _is_too_small(extents.coded, demand)
        or not extents.scaled_within(*(demand.range(SCALING) or (0, UINT_MAX)))
        or visible.width % demand.uint(VISIBLE_WIDTH_ALIGNMENT, 1)
        or visible.height % demand.uint(VISIBLE_HEIGHT_ALIGNMENT, 1)
    ):
        return None
    width = up(max(width, demand.uint(MIN_WIDTH, 0)), demand.uint(WIDTH_ALIGNMENT, 1))
    height = up(max(height, demand.uint(MIN_HEIGHT, 0)), demand.uint(HEIGHT_ALIGNMENT, 1))
    return Extent(width, height) if width <= MAX_EXTENT and height <= MAX_EXTENT else None


def _is_too_small(picture: Extent, demand: Demand) -> bool:
    """Whether the picture, or the least that the buffer is reused for, is less than the least."""
    width = min(picture.width, demand.uint(MUST_FIT_LEAST_WIDTH, UINT_MAX))
    height = min(picture.height, demand.uint(MUST_FIT_LEAST_HEIGHT, UINT_MAX))
    return width < demand.uint(LEAST_WIDTH, 0) or height < demand.uint(LEAST_HEIGHT, 0)


def plane_rooms(
    geometry: GeometryDemand, format_: Format, tiling: Tiling
) -> tuple[PlaneRoom, ...] | None:
    """Every plane's pitch and size, None where no pitch will do."""
    extent = geometry.extent
    if extent is None:
        return None
    rules = geometry.rules(format_, tiling)
    if not geometry.tied or len(rules) == 1:
        rooms = []
        for rule in rules:
            room = rule.room(extent)
            if room is None:
                return None
            rooms.append(room)
        return tuple(rooms)
    planes = tiling.planes_of(format_)
    tied = tied_pitches(
        [
            wanted.tied(plane, tiling, extent, plane.pitch_ratio(planes[0]))
            for wanted, plane in zip(geometry.planes, planes, strict=False)
        ],
        adjacent=geometry.adjacent,
    )
    if tied is None:
        return None
    return tuple(
        [rule.with_pitch(pitch, extent.height) for rule, pitch in zip(rules, tied, strict=True)]
    )


def put_into_objects(
    geometry: GeometryDemand,
    rooms: tuple[PlaneRoom, ...],
    places: Sequence[int],
    sources: Sequence[SourceId],
) -> Layout | None:
    """Put planes into objects, one object for each source; None when one is too great.

    `places` has the position of its source in `sources` for each plane.
    """
    extent = geometry.extent
    if extent is None:
        return None
    order = list(dict.fromkeys(places))  # objects are numbered as the planes come to them
    ends = [0] * len(order)
    planes: list[PlaneLayout] = []
    for (pitch, size, start, follows), place in zip(rooms, places, strict=True):
        object_ = order.index(place)
        offset = ends[object_]
        if follows and (offset % start or object_ != planes[-1].object):
            return None
        if offset % start:
            offset = up(offset, start)
        if offset > GREATEST_OFFSET:
            return None
        ends[object_] = offset + size
        planes.append(PlaneLayout(object_, offset, pitch))
    objects = []
    for place, end in zip(order, ends, strict=True):
        bytes_ = geometry.object_size(end, last=place == places[-1])
        if bytes_ is None:
            return None
        objects.append(BufferObject(sources[place], bytes_))
    return Layout(
        kind=LayoutKind.EXACT,
        extent=extent,
        objects=tuple(objects),
        planes=tuple(planes),
    )
