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

from collections.abc import Iterable, Mapping, Sequence
from math import lcm
from typing import Final, TypeAlias

from heapwire.protocol.solver.layout.exact_layout import GeometryDemand
from heapwire.protocol.solver.layout.plane_demand import PlaneRoom, fit_pitch, up
from heapwire.protocol.solver.layout.tied_pitch import tied_pitches
from heapwire.protocol.values import (
    FORMATS,
    LINEAR,
    ROWLESS,
    Extent,
    Format,
    PlaneFormat,
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
_FORMATS: Final = {**ROWLESS, **FORMATS}

Whole: TypeAlias = "Superblocks | tuple[int, int]"
"""How a picture is laid out as a whole: superblocks, or columns so wide (bytes) and high (rows)."""


def whole_of(modifier: int) -> Whole | None:
    """How a modifier lays out pictures as a whole; None for others."""
    columns = columns_of(modifier)
    if columns is None:
        return superblocks_of(modifier)
    # The height has to be known, and in three parts.
    return None if columns[1] == 0 or columns[1] % 3 else columns


def whole_formats(whole: Whole) -> Mapping[int, int]:
    """The fourccs of the formats that are laid out so; those with the same planes have a number."""
    return _IN_SUPERBLOCKS if isinstance(whole, Superblocks) else _IN_COLUMNS


def has_columns(fourcc: int) -> bool:
    """Whether pictures of a format can be laid out in columns: 4:2:0 in two planes."""
    return fourcc in _IN_COLUMNS


def whole_rooms(
    geometry: GeometryDemand, fourcc: int, whole: Whole
) -> tuple[PlaneRoom, ...] | None:
    """The planes of a format that is laid out so; None where no pitch or height will do."""
    format_, extent = _FORMATS[fourcc], geometry.extent
    if extent is None:
        return None
    if isinstance(whole, Superblocks):
        return _superblock_rooms(geometry, format_, whole, extent)
    width, height = whole
    return _column_rooms(geometry, format_, width, height, extent)


def _has_columns(format_: Format) -> bool:
    """4:2:0 in two planes."""
    return [(one.horizontal, one.vertical) for one in format_.planes] == [(1, 1), (2, 2)]


def _has_superblocks(format_: Format) -> bool:
    [plane, *others] = format_.planes
    single = plane.block_width == plane.block_height == 1 or format_.fourcc in ROWLESS
    return single and not others


def _numbered(formats: Iterable[Format]) -> dict[int, int]:
    """By fourcc a number that formats with the same planes have in common."""
    numbers: dict[tuple[PlaneFormat, ...], int] = {}
    return {one.fourcc: numbers.setdefault(one.planes, len(numbers)) for one in formats}


_IN_COLUMNS: Final = _numbered(filter(_has_columns, _FORMATS.values()))
_IN_SUPERBLOCKS: Final = _numbered(filter(_has_superblocks, _FORMATS.values()))


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
    narrowest = geometry.narrowest
    if not geometry.tied:
        return [wanted.pitch(plane, _UNTILED, extent.width, narrowest) for wanted, plane in pairs]
    tied = [
        wanted.tied(plane, _UNTILED, extent, narrowest, plane.pitch_ratio(format_.planes[0]))
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
    aligned = lcm(wanted.pitch_alignment, plane.bytes_per_block)
    pitch = fit_pitch(wanted, aligned, least, wanted.most(plane, geometry.narrowest))
    if pitch is None:
        return None
    width = up(pitch // plane.bytes_per_block * plane.block_width, across)
    count = width * up(extent.height, lcm(down, wanted.scanline_alignment)) // _PIXELS
    headers = up(count * _HEADER, _TILED_HEADERS_END if blocks.tiled else _HEADERS_END)
    bodies = count * up(plane.bytes_per_block * _PIXELS // plane.block_width, _BODY)
    return (PlaneRoom(pitch, headers + bodies + wanted.padding, wanted.offset_alignment),)
