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
from typing import Final

from heapwire.protocol.solver.demand import UINT_MAX, WHOLE, Demand
from heapwire.protocol.solver.layout.plane_demand import PlaneDemand, PlaneRoom, PlaneRule, up
from heapwire.protocol.solver.layout.tied_pitch import tied_pitches
from heapwire.protocol.values import (
    ADJACENT_PLANES,
    HEIGHT_ALIGNMENT,
    LEAST_HEIGHT,
    LEAST_WIDTH,
    MACROBLOCK_PADDING,
    MAX_AREA,
    MAX_EXTENT,
    MAX_HEIGHT,
    MAX_PLANES,
    MAX_SIZE,
    MAX_WIDTH,
    MIN_HEIGHT,
    MIN_SIZE,
    MIN_WIDTH,
    MUST_FIT_HEIGHT,
    MUST_FIT_LEAST_HEIGHT,
    MUST_FIT_LEAST_WIDTH,
    MUST_FIT_WIDTH,
    SCALING,
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
    PlaneLayout,
    SourceId,
    Tiling,
)

MACROBLOCK: Final = 16  # pixels each way: H.264 and its forebears
GREATEST_OFFSET: Final = (1 << 32) - 1  # bytes; drm_mode_fb_cmd2, linux-dmabuf have 32 bits for it
GREATEST_SIZE: Final = (1 << 63) - 1  # bytes of an object; a file's length is a signed 64-bit off_t


class GeometryDemand:
    """What a demand says of sizes, taken apart once for all pairs that share it.

    `extent` is None when the picture itself is refused, and `narrowest` the least width of
    a picture in it. `planes` has the demand on each plane, a format's or not. `tied` pitches
    follow from that of plane 0, and `adjacent` planes begin where the one before ends.
    """

    __slots__ = (
        "_rules", "adjacent", "extent", "macroblock_bytes", "max_size", "min_size", "narrowest",
        "planes", "size_alignment", "tied",
    )  # fmt: skip

    def __init__(self, demand: Demand, extents: Extents) -> None:
        self.extent = room_for(demand, extents)
        self.narrowest = _narrowest(demand, extents)
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
        self.narrowest = _narrowest(demand, extents)
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


_OF_THE_PICTURE: Final = frozenset(
    row.type
    for row in (
        MUST_FIT_WIDTH, MUST_FIT_HEIGHT, MIN_WIDTH, MIN_HEIGHT, MAX_WIDTH, MAX_HEIGHT, MAX_AREA,
        LEAST_WIDTH, LEAST_HEIGHT, MUST_FIT_LEAST_WIDTH, MUST_FIT_LEAST_HEIGHT, SCALING,
        WIDTH_ALIGNMENT, HEIGHT_ALIGNMENT, VISIBLE_WIDTH_ALIGNMENT, VISIBLE_HEIGHT_ALIGNMENT,
    )
)  # fmt: skip
"""What `room_for` has to do with."""


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
        or _is_too_small(demand, extents)
        or not extents.scaled_within(*(demand.range(SCALING) or (0, UINT_MAX)))
        or visible.width % demand.uint(VISIBLE_WIDTH_ALIGNMENT, 1)
        or visible.height % demand.uint(VISIBLE_HEIGHT_ALIGNMENT, 1)
    ):
        return None
    width = up(max(width, demand.uint(MIN_WIDTH, 0)), demand.uint(WIDTH_ALIGNMENT, 1))
    height = up(max(height, demand.uint(MIN_HEIGHT, 0)), demand.uint(HEIGHT_ALIGNMENT, 1))
    return Extent(width, height) if width <= MAX_EXTENT and height <= MAX_EXTENT else None


def _narrowest(demand: Demand, extents: Extents) -> int:
    """The width of the picture, or the least that the buffer is reused for."""
    return min(extents.coded.width, demand.uint(MUST_FIT_LEAST_WIDTH, UINT_MAX))


def _is_too_small(demand: Demand, extents: Extents) -> bool:
    """Whether the picture, or the least that the buffer is reused for, is less than the least."""
    width = _narrowest(demand, extents)
    height = min(extents.coded.height, demand.uint(MUST_FIT_LEAST_HEIGHT, UINT_MAX))
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
            room = rule.room(extent, geometry.narrowest)
            if room is None:
                return None
            rooms.append(room)
        return tuple(rooms)
    planes = tiling.planes_of(format_)
    tied = tied_pitches(
        [
            wanted.tied(plane, tiling, extent, geometry.narrowest, plane.pitch_ratio(planes[0]))
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
