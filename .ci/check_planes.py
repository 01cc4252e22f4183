"""Compare how many planes buffers have in memory with the tables of the kernel's drivers.

protocol/values/pixels/memory_planes.py counts them by format and modifier. i915 has a table of
modifiers, in which an entry may name formats of its own; amdgpu two tables of formats, for
modifiers with DCC and with DCC that is tiled anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kernel_source import KernelSource, SourceError

from heapwire.protocol.values import FORMATS, fourcc_name, modifier_name, plane_count

_INTEL = "drivers/gpu/drm/i915/display/intel_fb.c"
_AMD = "drivers/gpu/drm/amd/amdgpu/amdgpu_display.c"
_AMD_MODIFIER = 2 << 56
_GFX9, _GFX12 = 1, 5  # AMD_FMT_MOD_TILE_VER_...
_DCC, _DCC_RETILE = 1 << 13, 1 << 14  # AMD_FMT_MOD_..._SHIFT
_ROW = re.compile(r"\.format\s*=\s*(DRM_FORMAT_\w+).*?\.num_planes\s*=\s*(\d+)", re.DOTALL)


def check_planes(source: KernelSource) -> tuple[int, list[str]]:
    """How many pairs were compared, and which have another number of planes there."""
    try:
        there = [*_of_intel(source), *_of_amd(source)]
    except SourceError as error:
        return 0, [f"planes: {error}"]
    return len(there), [
        f"planes: {fourcc_name(code)} {modifier_name(modifier)}: {plane_count(code, modifier)}, "
        f"and {count} there"
        for code, modifier, count in there
        if plane_count(code, modifier) != count
    ]


def _of_intel(source: KernelSource) -> Iterator[tuple[int, int, int]]:
    """The formats of each modifier, or one that has the planes of every format."""
    for entry in source.region(_INTEL, "intel_modifiers").split("}, {"):
        named = re.search(r"\.modifier\s*=\s*(\w+)", entry)
        if named is None:
            continue
        modifier = source.value(_INTEL, named[1])
        own = re.search(r"FORMAT_OVERRIDE\((\w+)\)", entry)
        if own is not None:
            yield from _rows(source, _INTEL, own[1], modifier)
            continue
        for code, format_ in FORMATS.items():
            yield code, modifier, len(format_.planes)


def _of_amd(source: KernelSource) -> Iterator[tuple[int, int, int]]:
    for version in range(_GFX9, _GFX12):
        modifier = _AMD_MODIFIER | version
        yield from _rows(source, _AMD, "dcc_formats", modifier | _DCC)
        yield from _rows(source, _AMD, "dcc_retile_formats", modifier | _DCC | _DCC_RETILE)
    for modifier in (_AMD_MODIFIER | _GFX9, _AMD_MODIFIER | _GFX12 | _DCC):
        for code, format_ in FORMATS.items():
            yield code, modifier, len(format_.planes)


def _rows(
    source: KernelSource, file: str, symbol: str, modifier: int
) -> Iterator[tuple[int, int, int]]:
    rows = _ROW.findall(source.region(file, symbol))
    if not rows:
        raise SourceError(f"{symbol} of {file} has no formats")
    for name, count in rows:
        yield source.value(file, name), modifier, int(count)
