"""Layouts that are rows of equal tiles: how large a tile is, and where each is in memory.

Linear is one of them. `make check-facts` calls i915's own functions for the sizes of Intel's
(.ci/check_tiles.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values.pixels.format import Format, PlaneFormat
from heapwire.protocol.values.pixels.modifier import (
    ALLWINNER_TILED,
    INTEL_4_TILED,
    INTEL_X_TILED,
    INTEL_Y_TILED,
    INTEL_Y_TILED_CCS,
    INTEL_YF_TILED,
    INTEL_YF_TILED_CCS,
    LINEAR,
    MTK_16L_32S_TILE,
    SAMSUNG_16_16_TILE,
    SAMSUNG_64_32_TILE,
    modifier_code,
)

_NVIDIA = 3  # the vendor


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiling:
    """A layout that can be computed: rows of tiles, one after the other, like linear.

    `tile_width` is in bytes and `tile_rows` in rows of the plane; the pitch is
    a multiple of the one and the rows of the other. Linear is a tile of 1 x 1.
    `paired` tiles are half as wide as that, and stand in an order of their own.
    A tile `of_pixels` is so many pixels wide and high on each plane, so that the tile of
    chroma is what belongs to one of luma: 16 x 16 is 16 bytes by 8 rows of NV12's.
    One `by_samples` has as many bytes, and a width that goes by those of a sample.
    Where it is `compressed` a plane beside the pixels says how.
    """

    modifier: int
    tile_width: int = 1
    tile_rows: int = 1
    paired: bool = False
    of_pixels: bool = False
    by_samples: bool = False
    compressed: bool = False
    source: str = ""

    def planes_of(self, format_: Format) -> tuple[PlaneFormat, ...]:
        """The planes that a buffer has in memory: those of the format, and what is beside them."""
        return (*format_.planes, _CCS) if self.compressed else format_.planes

    def size_of(self, plane: PlaneFormat) -> tuple[int, int]:
        """The bytes and rows of a tile of a plane."""
        if self.compressed and plane is _CCS:
            return _CCS_TILE
        if self.by_samples:
            width = _WIDTHS[plane.bytes_per_sample]
            return width, self.tile_width * self.tile_rows // width
        if not self.of_pixels:
            return self.tile_width, self.tile_rows
        samples = self.tile_width // plane.horizontal
        return (
            samples * plane.bytes_per_block // (plane.block_width * plane.block_height),
            self.tile_rows // plane.vertical,
        )

    def divides(self, format_: Format) -> bool:
        """Whether every plane of a format has whole blocks in a tile."""
        if self.compressed:
            return format_.name in _COMPRESSED
        if self.by_samples:
            return all(plane.bytes_per_sample in _WIDTHS for plane in format_.planes)
        return not self.of_pixels or all(
            self.tile_width % (plane.horizontal * plane.block_width) == 0
            and self.tile_rows % (plane.vertical * plane.block_height) == 0
            for plane in format_.planes
        )

    def divided(self, alike: Sequence[Format]) -> Sequence[Format]:
        """Which it divides of some formats that have the same planes; there is one at least."""
        if self.compressed:
            return [format_ for format_ in alike if self.divides(format_)]
        return alike if self.divides(alike[0]) else ()

    def places(self, columns: int, rows: int) -> tuple[int, ...]:
        """Where in memory each tile of a plane is, counted in tiles, row by row of tiles.

        Paired ones go two by two through two rows at a time, the first row to the right
        and the second back: 0 1 6 7 above 2 3 4 5. A last row without another is in order.
        """
        if not self.paired:
            return tuple(range(columns * rows))
        return tuple(
            _paired_place(column, row, columns, rows)
            for row in range(rows)
            for column in range(columns)
        )


def _paired_place(column: int, row: int, columns: int, rows: int) -> int:
    start = column + (row & ~1) * columns
    if row & 1:
        return start + (column & ~3) + 2
    if rows & 1 and row == rows - 1:
        return start
    return start + (column + 2 & ~3)


_INTEL_TILES = (
    "i915/display/intel_fb.c, intel_tile_width_bytes; intel_tile_height, "
    "of which 4096 bytes are a tile (intel_tile_size)"
)

_WIDTHS: Mapping[int, int] = MappingProxyType({1: 64, 2: 128, 4: 128, 8: 256, 16: 256})
"""Bytes of a row of Intel's Yf tiles, by those of a sample: as wide as high, or twice as wide."""

_CCS = PlaneFormat(bytes_per_block=1, horizontal=8, vertical=16)
_CCS_TILE = (128, 32)
_COMPRESSED = ("XRGB8888", "XBGR8888", "ARGB8888", "ABGR8888")
"""What Skylake to Ice Lake compress: each byte beside the pixels is for 8 x 16 of them.

drivers/gpu/drm/i915/display/intel_fb.c, skl_ccs_formats; intel_tile_width_bytes."""

TILINGS: Mapping[int, Tiling] = MappingProxyType(
    {
        row.modifier: row
        for row in (
            Tiling(modifier=LINEAR, source="drm_fourcc.h"),
            Tiling(
                modifier=INTEL_X_TILED,
                tile_width=512,
                tile_rows=8,
                source="minigbm i915.c, i915_align_dimensions",
            ),
            Tiling(
                modifier=INTEL_Y_TILED,
                tile_width=128,
                tile_rows=32,
                source="minigbm i915.c, i915_align_dimensions",
            ),
            Tiling(
                modifier=INTEL_4_TILED,
                tile_width=128,
                tile_rows=32,
                source=_INTEL_TILES,
            ),
            Tiling(
                modifier=INTEL_YF_TILED,
                tile_width=128,
                tile_rows=32,
                by_samples=True,
                source=_INTEL_TILES,
            ),
            *(
                Tiling(
                    modifier=modifier,
                    tile_width=128,
                    tile_rows=32,
                    by_samples=modifier == INTEL_YF_TILED_CCS,
                    compressed=True,
                    source=_INTEL_TILES,
                )
                for modifier in (INTEL_Y_TILED_CCS, INTEL_YF_TILED_CCS)
            ),
            Tiling(
                modifier=SAMSUNG_16_16_TILE,
                tile_width=16,
                tile_rows=16,
                of_pixels=True,
                source="drm_fourcc.h, DRM_FORMAT_MOD_SAMSUNG_16_16_TILE; "
                "v4l2-common.c, v4l2_format_info, V4L2_PIX_FMT_NV12MT_16X16: 16x16 and 8x8",
            ),
            Tiling(
                modifier=MTK_16L_32S_TILE,
                tile_width=16,
                tile_rows=32,
                of_pixels=True,
                source="drm_fourcc.h of Linux 6.14, MTK_FMT_MOD_TILE_16L32S; "
                "pixfmt-yuv-planar.rst, V4L2_PIX_FMT_MM21: luma 16x32, chroma 16x16",
            ),
            *(
                Tiling(
                    modifier=modifier_code(_NVIDIA, 0x10 | gobs),
                    tile_width=64,
                    tile_rows=8 << gobs,
                    source="drm_fourcc.h, DRM_FORMAT_MOD_NVIDIA_16BX2_BLOCK: 1 to 32 GOBs of "
                    "64 x 8 above each other",
                )
                for gobs in range(6)
            ),
            Tiling(
                modifier=SAMSUNG_64_32_TILE,
                tile_width=128,
                tile_rows=32,
                paired=True,
                source="s5p-mfc/regs-mfc.h, S5P_FIMV_NV12MT_HALIGN and _VALIGN; "
                "pixfmt-yuv-planar.rst, V4L2_PIX_FMT_NV12MT",
            ),
            Tiling(
                modifier=ALLWINNER_TILED,
                tile_width=32,
                tile_rows=32,
                source="cedrus_video.c, NV12_32L32",
            ),
        )
    }
)
"""The modifiers whose layout is rows of tiles. That of `columns_of` and of `superblocks_of` is
computed too; all others are the allocator's."""
