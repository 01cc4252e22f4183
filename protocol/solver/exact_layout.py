"""Pitches, offsets and sizes, to the byte, of layouts that can be computed.

The steps, for one (fourcc, modifier) pair and one merged demand:

1. The extent that the buffer has room for: the picture, or what must fit, or
   the least extent, whichever is greater; then up to the extents' alignment.
   The greatest extent and area limit the picture, not the padding around it.
2. For each plane the pitch: the bytes of a row, or the least pitch, up to the
   one alignment that all alignments merge into. (Taking the greatest of pitches
   that were aligned one by one would satisfy nobody: 100 bytes aligned to 48
   and to 64 are 144 and 128, and 144 is no multiple of 64.)
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
from math import lcm
from typing import Final, NamedTuple, cast

from heapwire.protocol.solver.merge_rule import (
    UINT_MAX,
    WHOLE,
    Key,
    Merged,
    T,
    effective,
    effective_uint,
)
from heapwire.protocol.values import (
    MAX_EXTENT,
    MAX_PLANES,
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
MAX_PITCH: Final = (1 << 32) - 1  # bytes; drm_mode_fb_cmd2 and linux-dmabuf have 32 bits for it
MAX_OFFSET: Final = MAX_PITCH  # likewise
MAX_OBJECT_SIZE: Final = (1 << 63) - 1  # bytes; a file's length is a signed 64-bit off_t


_HEIGHT_ALIGNMENT: Final = (T["height-alignment"], WHOLE)
_MACROBLOCK_PADDING: Final = (T["macroblock-padding"], WHOLE)
_MAX_AREA: Final = (T["max-area"], WHOLE)
_MAX_HEIGHT: Final = (T["max-height"], WHOLE)
_MAX_SIZE: Final = (T["max-size"], WHOLE)
_MAX_WIDTH: Final = (T["max-width"], WHOLE)
_MIN_HEIGHT: Final = (T["min-height"], WHOLE)
_MIN_SIZE: Final = (T["min-size"], WHOLE)
_MIN_WIDTH: Final = (T["min-width"], WHOLE)
_MUST_FIT_HEIGHT: Final = (T["must-fit-height"], WHOLE)
_MUST_FIT_WIDTH: Final = (T["must-fit-width"], WHOLE)
_SIZE_ALIGNMENT: Final = (T["size-alignment"], WHOLE)
_VISIBLE_HEIGHT_ALIGNMENT: Final = (T["visible-height-alignment"], WHOLE)
_VISIBLE_WIDTH_ALIGNMENT: Final = (T["visible-width-alignment"], WHOLE)
_WIDTH_ALIGNMENT: Final = (T["width-alignment"], WHOLE)
_PITCH_ALIGNMENT: Final = T["pitch-alignment"]
_MIN_PITCH: Final = T["min-pitch"]
_MAX_PITCH: Final = T["max-pitch"]
_OFFSET_ALIGNMENT: Final = T["offset-alignment"]
_ADDRESS_ALIGNMENT: Final = T["address-alignment"]
_SCANLINE_ALIGNMENT: Final = T["scanline-alignment"]
_PADDING: Final = T["padding"]
_PIXEL_BOUNDARY: Final = T["pixel-boundary-pitch"]
_POWER_OF_TWO: Final = T["power-of-two-pitch"]


class PlaneDemand(NamedTuple):
    """What is demanded of one plane's geometry, in bytes and rows."""

    pitch_alignment: int
    min_pitch: int
    max_pitch: int
    offset_alignment: int
    scanline_alignment: int
    padding: int
    pixel_boundary: bool
    power_of_two: bool

    @classmethod
    def of(cls, merged: Merged, plane: int) -> PlaneDemand:
        """The demand on one plane."""
        if _PLANE.isdisjoint({type_ for type_, _ in merged}):
            return _NOTHING
        return cls(
            pitch_alignment=effective_uint(merged, _PITCH_ALIGNMENT, plane, 1),
            min_pitch=effective_uint(merged, _MIN_PITCH, plane, 0),
            max_pitch=min(effective_uint(merged, _MAX_PITCH, plane, MAX_PITCH), MAX_PITCH),
            offset_alignment=lcm(
                effective_uint(merged, _OFFSET_ALIGNMENT, plane, 1),
                effective_uint(merged, _ADDRESS_ALIGNMENT, plane, 1),
            ),
            scanline_alignment=effective_uint(merged, _SCANLINE_ALIGNMENT, plane, 1),
            padding=effective_uint(merged, _PADDING, plane, 0),
            pixel_boundary=effective(merged, _PIXEL_BOUNDARY, plane) is not None,
            power_of_two=effective(merged, _POWER_OF_TWO, plane) is not None,
        )

    def alignment(self, plane: PlaneFormat, tiling: Tiling) -> int:
        """What the pitch is a multiple of, bytes."""
        aligned = self.pitch_alignment
        if tiling.tile_width > 1:
            aligned = lcm(aligned, tiling.tile_width)
        return lcm(aligned, plane.bytes_per_block) if self.pixel_boundary else aligned

    def pitch(self, plane: PlaneFormat, tiling: Tiling, width: int) -> int | None:
        """The least pitch that will do, None when it is beyond the greatest."""
        return fit_pitch(self, self.alignment(plane, tiling), plane.row_bytes(width))

    def rows(self, plane: PlaneFormat, tiling: Tiling, height: int) -> int:
        """The rows to make room for."""
        return up(plane.rows(height), lcm(self.scanline_alignment, tiling.tile_rows))

    def start(self, tiling: Tiling) -> int:
        """What the offset is a multiple of, bytes; a plane starts with a whole tile."""
        return lcm(self.offset_alignment, tiling.tile_width * tiling.tile_rows)


_PLANE: Final = frozenset(
    (
        _PITCH_ALIGNMENT, _MIN_PITCH, _MAX_PITCH, _OFFSET_ALIGNMENT, _ADDRESS_ALIGNMENT,
        _SCANLINE_ALIGNMENT, _PADDING, _PIXEL_BOUNDARY, _POWER_OF_TWO,
    )
)  # fmt: skip
_NOTHING: Final = PlaneDemand(
    pitch_alignment=1,
    min_pitch=0,
    max_pitch=MAX_PITCH,
    offset_alignment=1,
    scanline_alignment=1,
    padding=0,
    pixel_boundary=False,
    power_of_two=False,
)


class GeometryDemand:
    """What a merged demand says of sizes, taken apart once for all pairs that share it."""

    __slots__ = (
        "extent",
        "macroblock_bytes",
        "max_size",
        "merged",
        "min_size",
        "planes",
        "size_alignment",
    )

    def __init__(self, merged: Merged, extents: Extents) -> None:
        self.merged = merged
        self.extent = room_for(merged, extents)
        self.size_alignment = _uint(merged, _SIZE_ALIGNMENT, 1)
        self.min_size = _uint(merged, _MIN_SIZE, 0)
        self.max_size = min(_uint(merged, _MAX_SIZE, MAX_OBJECT_SIZE), MAX_OBJECT_SIZE)
        self.macroblock_bytes = _uint(merged, _MACROBLOCK_PADDING, 0)
        whole = PlaneDemand.of(merged, WHOLE)
        own = {plane for _, plane in merged if plane != WHOLE}
        self.planes = tuple(
            [
                PlaneDemand.of(merged, plane) if plane in own else whole
                for plane in range(MAX_PLANES)
            ]
            if own
            else [whole] * MAX_PLANES
        )

    def object_size(self, end: int, *, last: bool) -> int | None:
        """The size of an object whose planes end at `end`; None when it is too great."""
        if last and self.macroblock_bytes and self.extent is not None:
            columns = -(-self.extent.width // MACROBLOCK)
            rows = -(-self.extent.height // MACROBLOCK)
            end += columns * rows * self.macroblock_bytes
        size = up(max(end, self.min_size), self.size_alignment)
        return size if size <= self.max_size else None


class PlaneRoom(NamedTuple):
    """The pitch, size and offset alignment of one plane, in bytes."""

    pitch: int
    size: int
    start: int


def up(number: int, alignment: int) -> int:
    """The next multiple."""
    return -(-number // alignment) * alignment


_ROOM: Final = frozenset(
    {
        _MUST_FIT_WIDTH, _MUST_FIT_HEIGHT, _MIN_WIDTH, _MIN_HEIGHT, _MAX_WIDTH, _MAX_HEIGHT,
        _MAX_AREA, _WIDTH_ALIGNMENT, _HEIGHT_ALIGNMENT, _VISIBLE_WIDTH_ALIGNMENT,
        _VISIBLE_HEIGHT_ALIGNMENT,
    }
)  # fmt: skip


def _uint(merged: Merged, key: Key, default: int) -> int:
    return cast("int", merged.get(key, default))


def fit_pitch(wanted: PlaneDemand, alignment: int, least: int) -> int | None:
    """The least pitch from `least` bytes on that will do; None when there is none."""
    pitch = up(max(least, wanted.min_pitch, 1), alignment)
    if wanted.power_of_two:
        pitch = 1 << (pitch - 1).bit_length()
        if pitch % alignment:
            return None
    return pitch if pitch <= wanted.max_pitch else None


def room_for(merged: Merged, extents: Extents) -> Extent | None:
    """The extent that buffers are allocated for; None when the picture is refused."""
    picture = extents.allocated
    if _ROOM.isdisjoint(merged):
        return picture
    visible = extents.visible or extents.coded
    width = max(picture.width, _uint(merged, _MUST_FIT_WIDTH, 0))
    height = max(picture.height, _uint(merged, _MUST_FIT_HEIGHT, 0))
    if (
        width > _uint(merged, _MAX_WIDTH, UINT_MAX)
        or height > _uint(merged, _MAX_HEIGHT, UINT_MAX)
        or width * height > _uint(merged, _MAX_AREA, UINT_MAX)
        or visible.width % _uint(merged, _VISIBLE_WIDTH_ALIGNMENT, 1)
        or visible.height % _uint(merged, _VISIBLE_HEIGHT_ALIGNMENT, 1)
    ):
        return None
    width = up(max(width, _uint(merged, _MIN_WIDTH, 0)), _uint(merged, _WIDTH_ALIGNMENT, 1))
    height = up(max(height, _uint(merged, _MIN_HEIGHT, 0)), _uint(merged, _HEIGHT_ALIGNMENT, 1))
    return Extent(width, height) if width <= MAX_EXTENT and height <= MAX_EXTENT else None


def plane_rooms(
    demand: GeometryDemand, format_: Format, tiling: Tiling
) -> tuple[PlaneRoom, ...] | None:
    """Every plane's pitch and size, None when a pitch is beyond what is permitted."""
    extent = demand.extent
    if extent is None:
        return None
    rooms = []
    for index, plane in enumerate(format_.planes):
        wanted = demand.planes[index]
        pitch = wanted.pitch(plane, tiling, extent.width)
        if pitch is None:
            return None
        size = pitch * wanted.rows(plane, tiling, extent.height) + wanted.padding
        rooms.append(PlaneRoom(pitch, size, wanted.start(tiling)))
    return tuple(rooms)


def exact_layout(
    demand: GeometryDemand,
    rooms: tuple[PlaneRoom, ...],
    places: Sequence[int],
    sources: Sequence[SourceId],
) -> Layout | None:
    """Put planes into objects, one object for each source; None when one is too great.

    `places` has the position of its source in `sources` for each plane.
    """
    extent = demand.extent
    if extent is None:
        return None
    order = list(dict.fromkeys(places))
    ends = [0] * len(order)
    planes = []
    for (pitch, size, start), place in zip(rooms, places, strict=True):
        object_ = order.index(place)
        offset = ends[object_]
        if offset % start:
            offset = up(offset, start)
        if offset > MAX_OFFSET:
            return None
        ends[object_] = offset + size
        planes.append(PlaneLayout(object_, offset, pitch))
    objects = []
    for place, end in zip(order, ends, strict=True):
        bytes_ = demand.object_size(end, last=place == places[-1])
        if bytes_ is None:
            return None
        objects.append(BufferObject(sources[place], bytes_))
    return Layout(
        kind=LayoutKind.EXACT,
        extent=extent,
        objects=tuple(objects),
        planes=tuple(planes),
    )
