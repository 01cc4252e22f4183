"""Compare the table of formats (protocol/values/pixels/format.py) with the kernel's own.

The kernel's is __drm_format_info, and for what V4L2 calls them (kernel/video/picture_format.py)
v4l2_format_info. Its subsampling is the format's, ours is each
plane's; its blocks count pixels, and where one plane has all, a block of ours has
whole samples of the chroma too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from kernel_source import KernelSource, SourceError

from heapwire.kernel.video import drm_format
from heapwire.protocol.values import (
    FORMATS,
    ROWLESS,
    TILINGS,
    Format,
    FormatModifier,
    fourcc_name,
)

_FILE = "drivers/gpu/drm/drm_fourcc.c"
_SYMBOL = "__drm_format_info"
_HEADER = "include/uapi/drm/drm_fourcc.h"
# Formats that only the header has: all of a pixel's bits stand in its remark there.
_ONLY_IN_THE_HEADER = {
    "DRM_FORMAT_R16": 16,
    "DRM_FORMAT_GR88": 16,
    "DRM_FORMAT_XVUY8888": 32,
    "DRM_FORMAT_AVUY8888": 32,
}
_MOST_PLANES = 4
_ROW = re.compile(
    r"\{\s*\.format\s*=.*?\}\s*(?=,\s*\{\s*\.format|,?\s*\};)", re.DOTALL
)  # of either table


_AFBC_FILE = "drivers/gpu/drm/drm_gem_framebuffer_helper.c"
_AFBC_SYMBOL = "drm_gem_afbc_get_bpp"
_V4L2_FILE = "drivers/media/v4l2-core/v4l2-common.c"
_V4L2_SYMBOL = "v4l2_format_info"


@dataclass(frozen=True, slots=True)
class _Info:
    """A row of the kernel's table, by plane where that differs."""

    sizes: tuple[int, ...]
    widths: tuple[int, ...]
    heights: tuple[int, ...]
    across: int
    down: int
    alpha: bool
    yuv: bool


def check_formats(source: KernelSource) -> tuple[int, list[str]]:
    """How many formats were compared, and what differs."""
    try:
        there = dict(_kernel_rows(source))
        of_v4l2 = [*_v4l2_faults(source), *_rowless_faults(source, there)]
    except SourceError as error:
        return 0, [f"formats: {error}"]
    faults = []
    for code, format_ in FORMATS.items():
        info = there.get(code)
        fault = "the kernel's table lacks it" if info is None else _fault(format_, info)
        if fault:
            faults.append(f"formats: {format_.name}: {fault}")
    faults += [
        f"formats: {fourcc_name(code)}: the table lacks it"
        for code, info in there.items()
        if info.yuv and code not in FORMATS and all(info.sizes)
    ]
    return len(FORMATS) + len(ROWLESS), [*faults, *of_v4l2]


def _rowless_faults(source: KernelSource, there: dict[int, _Info]) -> Iterator[str]:
    """What differs of the formats without rows: which they are, and the bits of a pixel."""
    without_rows = {code for code, info in there.items() if info.yuv and not all(info.sizes)}
    for code in without_rows - ROWLESS.keys():
        yield f"formats: {fourcc_name(code)}: the table lacks it"
    for code in ROWLESS.keys() - there.keys():
        yield f"formats: {fourcc_name(code)}: the kernel's table lacks it"
    region = source.region(_AFBC_FILE, _AFBC_SYMBOL)
    bits = {
        source.value(_AFBC_FILE, macro): int(number)
        for macro, number in re.findall(r"case (DRM_FORMAT_\w+):\s*return (\d+);", region)
    }
    for code, format_ in ROWLESS.items():
        [plane] = format_.planes
        own = Fraction(8 * plane.bytes_per_block, plane.block_width)
        if own != bits.get(code):
            yield f"formats: {format_.name}: {own} bits a pixel, and {bits.get(code)} in the kernel"


def _v4l2_faults(source: KernelSource) -> Iterator[str]:
    """What differs of the pictures that V4L2's table and ours both have."""
    region = source.region(_V4L2_FILE, _V4L2_SYMBOL)
    for fields in map(_fields, _ROW.findall(region)):
        code = source.value(_V4L2_FILE, fields["format"])
        apart = int(fields["mem_planes"]) > 1
        name = f"formats: {fields['format']}"
        if drm_format(code, buffer_a_plane=not apart) is not None:
            yield f"{name}: has {fields['mem_planes']} buffers"
        pair = drm_format(code, buffer_a_plane=apart)
        if pair is None:
            continue
        planes = FORMATS[pair.fourcc].planes
        sizes = _numbers(fields["bpp"], len(planes), 0)
        parts = _numbers(fields["bpp_div"], len(planes), 1)
        for index, plane in enumerate(planes):
            own = Fraction(plane.bytes_per_block, plane.block_width)
            across = int(fields["hdiv"]) if index else 1
            down = int(fields["vdiv"]) if index else 1
            if own != Fraction(sizes[index], parts[index]) or (
                (plane.horizontal, plane.vertical) != (across, down)
            ):
                yield f"{name}: plane {index} of {fourcc_name(pair.fourcc)} is not V4L2's"
        yield from _tile_faults(name, pair, fields, sizes)
        if int(fields["comp_planes"]) != len(planes):
            yield f"{name}: {fourcc_name(pair.fourcc)} has {len(planes)} planes"


def _tile_faults(
    name: str, pair: FormatModifier, fields: dict[str, str], sizes: tuple[int, ...]
) -> Iterator[str]:
    """What differs of tiles that are pixels on each plane, as V4L2's table counts them."""
    tiling = TILINGS.get(pair.modifier)
    if tiling is None or not tiling.of_pixels or "block_w" not in fields:
        return
    planes = FORMATS[pair.fourcc].planes
    widths = _numbers(fields["block_w"], len(planes), 1)
    heights = _numbers(fields["block_h"], len(planes), 1)
    for index, plane in enumerate(planes):
        if tiling.size_of(plane) != (widths[index] * sizes[index], heights[index]):
            yield f"{name}: the tiles of plane {index} are not V4L2's"


def _fields(row: str) -> dict[str, str]:
    return {
        name: value.strip("{} ")
        for name, value in re.findall(r"\.(\w+)\s*=\s*(\{[^}]*\}|[^,}]+)", row)
    }


def _kernel_rows(source: KernelSource) -> Iterator[tuple[int, _Info]]:
    region = re.sub(r"(?m)^\s*#.*$", "", source.region(_FILE, _SYMBOL))
    for row in _ROW.findall(region):
        fields = _fields(row)
        planes = int(fields["num_planes"])
        sizes = fields.get("char_per_block") or fields["cpp"]
        yield (
            source.value(_FILE, fields["format"]),
            _Info(
                sizes=_numbers(sizes, planes, 0),
                widths=_numbers(fields.get("block_w", ""), planes, 1),
                heights=_numbers(fields.get("block_h", ""), planes, 1),
                across=int(fields["hsub"]),
                down=int(fields["vsub"]),
                alpha="has_alpha" in fields,
                yuv="is_yuv" in fields,
            ),
        )
    for name, bits in _ONLY_IN_THE_HEADER.items():
        yield (
            source.value(_HEADER, name),
            _Info((bits // 8,), (1,), (1,), 1, 1, alpha="_AV" in name, yuv="VUY" in name),
        )


def _numbers(text: str, planes: int, other: int) -> tuple[int, ...]:
    found = [int(one) for one in re.findall(r"\d+", text)] + [0] * _MOST_PLANES
    return tuple(found[plane] or other for plane in range(planes))


def _fault(format_: Format, info: _Info) -> str:
    if len(format_.planes) != len(info.sizes):
        return f"{len(format_.planes)} planes, the kernel says {len(info.sizes)}"
    if (format_.is_yuv, format_.has_alpha) != (info.yuv, info.alpha):
        return "is_yuv or has_alpha is not the kernel's"
    for index, plane in enumerate(format_.planes):
        own = Fraction(plane.bytes_per_block, plane.block_width * plane.block_height)
        its = Fraction(info.sizes[index], info.widths[index] * info.heights[index])
        if own != its:
            return f"plane {index} has {own} bytes a sample, the kernel says {its}"
        if plane.block_height % info.heights[index] or plane.block_width % info.widths[index]:
            return f"plane {index} has blocks that are not the kernel's"
        subsampled = (info.across, info.down) if index else (1, 1)
        if (plane.horizontal, plane.vertical) != subsampled:
            return f"plane {index} has a sample for other pixels than {subsampled}"
    first = format_.planes[0]
    if len(format_.planes) == 1 and (
        first.block_width % info.across or first.block_height % info.down
    ):
        return f"a block has not whole samples of chroma, {info.across}x{info.down}"
    return ""
