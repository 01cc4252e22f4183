"""Layouts that are no rows of tiles, but of a picture as a whole: columns and superblocks.

Broadcom's columns (SAND) are so many bytes wide, and as high as the modifier says: rows of
luma, and those of chroma below them, one column after the other (drm_fourcc.h,
DRM_FORMAT_MOD_BROADCOM_SAND128_COL_HEIGHT; vc4_plane.c, vc4_plane_mode_set). Of 4:2:0 two
thirds of the height are luma's. For example NV12, 1920x1080, columns of 128 bytes and 1632
rows: 15 columns of 208 896 bytes, chroma 1088 rows below, 3 133 440 bytes.

Arm's AFBC of one plane is headers of 16 bytes, and behind them superblocks of 256 pixels
with room for what cannot be compressed (drm_gem_framebuffer_helper.c,
drm_gem_afbc_min_size). For example XRGB8888, 1366x768, 16x16: 86 x 48 superblocks, 66 048
bytes of headers and 4 227 072 of bodies. So have formats without rows (`ROWLESS`), whose pitch
is that of the bits of their pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import lcm
from types import MappingProxyType
from typing import Final

from heapwire.protocol.solver.layout.exact_layout import GeometryDemand, PlaneRoom, fit_pitch, up
from heapwire.protocol.solver.layout.tied_pitch import tied_pitches
from heapwire.protocol.values import (
    FORMATS,
    LINEAR,
    ROWLESS,
    Extent,
    Format,
    FormatModifier,
    Superblocks,
    Tiling,
    columns_of,
    superblocks_of,
)

_UNTILED: Final = Tiling(modifier=LINEAR)
_HEADER: Final = 16  # AFBC_HEADER_SIZE, bytes
_HEADERS_END: Final = 64  # AFBC_HDR_ALIGN
_TILED_HEADERS_END: Final = 4096  # AFBC_TH_BODY_START_ALIGNMENT
_PIXELS: Final = 256  # AFBC_SUPERBLOCK_PIXELS
_BODY: Final = 128  # AFBC_SUPERBLOCK_ALIGNMENT, bytes
_KNOWN: Final = 256  # modifiers; clients can make up any number
_NO_FORMATS: Final[Mapping[int, int]] = MappingProxyType({})
_FORMATS: Final = {**ROWLESS, **FORMATS}
_NUMBERS: Final = {
    planes: number
    for number, planes in enumerate(dict.fromkeys(one.planes for one in _FORMATS.values()))
}


def whole_number(pair: FormatModifier) -> int | None:
    """A negative number that pairs have in common which are laid out alike; None for others."""
    number = whole_formats(pair.modifier).get(pair.fourcc)
    return None if number is None else -1 - (pair.modifier * len(_NUMBERS) + number)


@lru_cache(_KNOWN)
def whole_formats(modifier: int) -> Mapping[int, int]:
    """The fourccs that a modifier lays out so, and for each a number that goes by its planes."""
    columns = columns_of(modifier)
    if columns is not None:
        # The height has to be known, and in three parts.
        return _NO_FORMATS if columns[1] == 0 or columns[1] % 3 else _IN_COLUMNS
    return _NO_FORMATS if superblocks_of(modifier) is None else _IN_SUPERBLOCKS


def whole_rooms(geometry: GeometryDemand, pair: FormatModifier) -> tuple[PlaneRoom, ...] | None:
    """The planes of a pair that has a `whole_number`; None where no pitch or height will do."""
    format_, extent = _FORMATS.get(pair.fourcc), geometry.extent
    if extent is None or format_ is None:
        return None
    blocks = superblocks_of(pair.modifier)
    if blocks is not None:
        return _superblock_rooms(geometry, format_, blocks, extent)
    width, height = columns_of(pair.modifier) or (1, 0)
    return _column_rooms(geometry, format_, width, height, extent)


def _has_columns(format_: Format) -> bool:
    """4:2:0 in two planes."""
    return [(one.horizontal, one.vertical) for one in format_.planes] == [(1, 1), (2, 2)]


def _has_superblocks(format_: Format) -> bool:
    [plane, *others] = format_.planes
    single = plane.block_width == plane.block_height == 1 or format_.fourcc in ROWLESS
    return single and not others


_IN_COLUMNS: Final = {
    fourcc: _NUMBERS[one.planes] for fourcc, one in _FORMATS.items() if _has_columns(one)
}
_IN_SUPERBLOCKS: Final = {
    fourcc: _NUMBERS[one.planes] for fourcc, one in _FORMATS.items() if _has_superblocks(one)
}


def _column_rooms(
    geometry: GeometryDemand, format_: Format, width: int, height: int, extent: Extent
) -> tuple[PlaneRoom, ...] | None:
    luma = height * 2 // 3
    columns = max(-(-plane.row_bytes(extent.width) // width) for plane in format_.planes)
    total = columns * width * height
    # Chroma is beside the luma of the next columns: behind its start is all that is left.
    sizes = (luma * width, total - luma * width)
    pitches = _pitches(geometry, format_, extent)
    rooms = []
    parts = zip(format_.planes, geometry.planes, (luma, height - luma), sizes, strict=False)
    for index, (plane, wanted, rows, size) in enumerate(parts):
        pitch = pitches[index]
        if pitch is None or rows < plane.rows(extent.height) or rows % wanted.scanline_alignment:
            return None
        rooms.append(
            PlaneRoom(pitch, size + wanted.padding * index, wanted.offset_alignment, index > 0)
        )
    return tuple(rooms)


def _pitches(geometry: GeometryDemand, format_: Format, extent: Extent) -> Sequence[int | None]:
    """What is told as the pitch: the width of the picture in bytes (drm_fourcc.h says so)."""
    pairs = list(zip(geometry.planes, format_.planes, strict=False))
    if not geometry.tied:
        return [wanted.pitch(plane, _UNTILED, extent.width) for wanted, plane in pairs]
    tied = [
        wanted.tied(plane, _UNTILED, extent, plane.pitch_ratio(format_.planes[0]))
        for wanted, plane in pairs
    ]
    return tied_pitches(tied, adjacent=False) or [None] * len(tied)


def _superblock_rooms(
    geometry: GeometryDemand, format_: Format, blocks: Superblocks, extent: Extent
) -> tuple[PlaneRoom, ...] | None:
    [plane], wanted = format_.planes, geometry.planes[0]
    across, down = blocks.alignment
    least = plane.row_bytes(up(extent.width, across))
    # Whole pixels: of a format without rows as many as come to whole bytes.
    pitch = fit_pitch(wanted, lcm(wanted.pitch_alignment, plane.bytes_per_block), least)
    if pitch is None:
        return None
    width = up(pitch // plane.bytes_per_block * plane.block_width, across)
    count = width * up(extent.height, lcm(down, wanted.scanline_alignment)) // _PIXELS
    headers = up(count * _HEADER, _TILED_HEADERS_END if blocks.tiled else _HEADERS_END)
    bodies = count * up(plane.bytes_per_block * _PIXELS // plane.block_width, _BODY)
    return (PlaneRoom(pitch, headers + bodies + wanted.padding, wanted.offset_alignment),)
