"""Compare Intel's tiles (protocol/values/pixels/tiling.py) with i915's own functions.

`intel_tile_width_bytes` and `intel_tile_height` are cut out of the driver, compiled, and called
for each modifier and each plane; nothing of them is written again here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kernel_source import KernelSource, SourceError

from heapwire.protocol.values import FORMATS, TILINGS, Format, Tiling, modifier_name

FILE = "drivers/gpu/drm/i915/display/intel_fb.c"
_INTEL = 1  # the vendor
_VERSION = 9  # of a display that has Y, Yf and X tiles; 4-tiles are the same on all
_FUNCTIONS = ("intel_tile_size", "intel_tile_width_bytes", "intel_tile_height")
_AROUND = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#define __user
#include "drm_fourcc.h"
struct drm_i915_private { int version; };
struct drm_format_info { unsigned char cpp[4]; };
struct drm_framebuffer {
    struct drm_i915_private *dev;
    const struct drm_format_info *format;
    uint64_t modifier;
    int beside; /* the first plane that is not the format's */
};
#define to_i915(dev) (dev)
#define DISPLAY_VER(i915) ((i915)->version)
#define HAS_128_BYTE_Y_TILING(i915) 1 /* i915_drv.h: all but the first of version 3 */
#define MISSING_CASE(what) ((void)(what))
#define fallthrough
#define intel_fb_is_ccs_aux_plane(fb, plane) ((plane) >= (fb)->beside)
#define is_gen12_ccs_cc_plane(fb, plane) 0
"""
_MAIN = """
int main(int argc, char **argv)
{
    for (int at = 2; at + 4 <= argc; at += 4) {
        struct drm_i915_private i915 = { atoi(argv[1]) };
        int plane = atoi(argv[at + 1]);
        struct drm_format_info format = { { 0 } };
        struct drm_framebuffer fb = {
            &i915, &format, strtoull(argv[at], NULL, 0), atoi(argv[at + 3])
        };
        format.cpp[plane] = (unsigned char)atoi(argv[at + 2]);
        printf("%u %u\\n", intel_tile_width_bytes(&fb, plane), intel_tile_height(&fb, plane));
    }
    return 0;
}
"""


def check_tiles(source: KernelSource) -> tuple[int, list[str]]:
    """How many tiles of planes were compared, and what differs."""
    asked = list(_planes())
    sizes = _sizes(source, [numbers for _, _, numbers, _ in asked])
    differences = [
        f"{modifier_name(tiling.modifier)}: a tile of plane {numbers[1]} of {format_.name} is "
        f"{ours[0]} bytes by {ours[1]} rows, and i915's {theirs[0]} by {theirs[1]}"
        for (tiling, format_, numbers, ours), theirs in zip(asked, sizes, strict=True)
        if ours != theirs
    ]
    return len(asked), differences + list(_beside_faults(source))


Numbers = tuple[int, int, int, int]  # modifier, plane, bytes of a sample, planes of the format


def _planes() -> Iterator[tuple[Tiling, Format, Numbers, tuple[int, int]]]:
    """Each plane of each format in each of Intel's tiles, with the size that we say."""
    for tiling in TILINGS.values():
        for format_ in FORMATS.values():
            if tiling.modifier >> 56 != _INTEL or not tiling.divides(format_):
                continue
            for index, plane in enumerate(tiling.planes_of(format_)):
                if plane.bytes_per_sample.denominator == 1:
                    numbers = (
                        tiling.modifier,
                        index,
                        int(plane.bytes_per_sample),
                        len(format_.planes),
                    )
                    yield tiling, format_, numbers, tiling.size_of(plane)


def _sizes(source: KernelSource, asked: list[Numbers]) -> list[tuple[int, int]]:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SourceError("a C compiler is not there: apt install gcc")
    functions = [f"static unsigned int {source.region(FILE, name)}\n" for name in _FUNCTIONS]
    with tempfile.TemporaryDirectory(prefix="heapwire-tiles-") as folder:
        program = Path(folder, "tiles")
        Path(folder, "tiles.c").write_text("".join((_AROUND, *functions, _MAIN)), "utf-8")
        headers = source.root / "include/uapi/drm"
        command = [compiler, "-w", "-I", headers, "-o", program, f"{program}.c"]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise SourceError(f"i915's tiles cannot be compiled: {made.stderr.strip()[-300:]}")
        said = subprocess.run(
            [program, str(_VERSION), *(str(number) for numbers in asked for number in numbers)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    rows = [line.split() for line in said.stdout.splitlines()]
    return [(int(width), int(height)) for width, height in rows]


def _beside_faults(source: KernelSource) -> Iterator[str]:
    """What differs of the plane beside the pixels, as the table of compressed formats counts."""
    table = source.region(FILE, "skl_ccs_formats")
    rows = re.findall(
        r"\.format\s*=\s*DRM_FORMAT_(\w+)[^}]*\.cpp\s*=\s*\{\s*4,\s*(\d+),?\s*\}"
        r",\s*\.hsub\s*=\s*(\d+),\s*\.vsub\s*=\s*(\d+)",
        table,
    )
    theirs = {name: tuple(map(int, numbers)) for name, *numbers in rows}
    for tiling in TILINGS.values():
        if not tiling.compressed:
            continue
        ours = {
            format_.name: (beside.bytes_per_block, beside.horizontal, beside.vertical)
            for format_ in FORMATS.values()
            if tiling.divides(format_)
            for beside in tiling.planes_of(format_)[len(format_.planes) :]
        }
        if ours != theirs:
            yield f"{modifier_name(tiling.modifier)}: {ours} are compressed, and i915's {theirs}"
