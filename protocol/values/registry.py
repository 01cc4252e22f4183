"""The registry of constraint types: one row each, and the row is all there is.

A row says how a type is called, what its value looks like, in which unit, how
two values merge, whether each plane has its own, and how a sentence says it.
Merging, the wire codec, the platform files, the explanations and the reference
documentation all read this table; a new type is a new row, here or from outside
with `register`. (What sources or layouts are to be judged by also needs a rule:
solver/demand/source_check.py for memory, in solver/layout/ for geometry. A type
without one is merged and handed to whoever allocates.)

Each row has the name of its type as a constant. Code that gives a type its
meaning speaks of it by that, and never by its number.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeVar

from heapwire.protocol.errors import UsageError
from heapwire.protocol.values import constraint_words as words
from heapwire.protocol.values.constraint_type import (
    ConstraintType,
    FlagType,
    MaskType,
    MergeRule,
    PairsType,
    RangeType,
    RelationType,
    SourcesType,
    UintType,
)

Row = TypeVar("Row", bound=ConstraintType)

_rows: Final[list[ConstraintType]] = []


def _row(
    kind: type[Row],
    code: int,
    name: str,
    value: tuple[words.Unit | None, MergeRule, bool],
    says: tuple[words.Subject, str],
    meaning: str,
    source: str,
    *,
    bits: Mapping[int, str] | None = None,
    vendor: int = 0,
    condition: bool = False,
) -> Row:
    """The next row; `value` has its unit, how two merge, and whether each plane has its own."""
    unit, merge, per_plane = value
    row = kind(
        code=code,
        name=name,
        unit=unit,
        merge=merge,
        per_plane=per_plane,
        meaning=meaning,
        source=source,
        vendor=vendor,
        subject=says[0],
        says=says[1],
        bits=MappingProxyType(dict(bits or {})),
        condition=condition,
    )
    _rows.append(row)
    return row


_LCM, _MAX, _MIN, _ANY = MergeRule.LCM, MergeRule.MAX, MergeRule.MIN, MergeRule.ANY
_BOTH, _UNION, _EQUAL = MergeRule.INTERSECTION, MergeRule.UNION, MergeRule.EQUAL
_NEAREST = MergeRule.NEAREST

_MULTIPLE, _LEAST, _MOST = "a multiple of {value}", "at least {value}", "at most {value}"

COLOUR_FULL_RANGE = 32
"""Added to the number of a matrix (ITU-T H.273), the bit of its full-range form."""

_MATRICES = {0: "RGB", 1: "BT.709", 6: "BT.601", 9: "BT.2020"}
_COLOURS = {
    **{bit: f"{name} limited" for bit, name in _MATRICES.items()},
    **{bit + COLOUR_FULL_RANGE: f"{name} full" for bit, name in _MATRICES.items()},
}
_DOMAINS = {0: "cpu", 1: "ram", 2: "inaccessible"}
_FENCES = {0: "none", 1: "implicit", 2: "explicit"}

# fmt: off
# Geometry.
PITCH_ALIGNMENT = _row(
    UintType, 0x01, "pitch-alignment", (words.BYTES, _LCM, True), (words.PITCH, _MULTIPLE),
    "the pitch is a multiple of this", "liballoc PITCH_ALIGNMENT; sysmem divisor")
OFFSET_ALIGNMENT = _row(
    UintType, 0x02, "offset-alignment", (words.BYTES, _LCM, True), (words.OFFSET, _MULTIPLE),
    "the plane starts at a multiple of this within its object",
    "sysmem start_offset_divisor")
SIZE_ALIGNMENT = _row(
    UintType, 0x03, "size-alignment", (words.BYTES, _LCM, False), (words.SIZE, _MULTIPLE),
    "the size of each object is a multiple of this", "SnapAlloc size_align; Venus 4096")
SCANLINE_ALIGNMENT = _row(
    UintType, 0x04, "scanline-alignment", (words.ROWS, _LCM, True), (words.ROW_COUNT, _MULTIPLE),
    "the plane has a multiple of this many rows", "SnapAlloc scanline align; Venus 32 and 16")
MIN_PITCH = _row(
    UintType, 0x05, "min-pitch", (words.BYTES, _MAX, True), (words.PITCH, _LEAST),
    "the pitch is at least this", "sysmem min_bytes_per_row")
MAX_PITCH = _row(
    UintType, 0x06, "max-pitch", (words.BYTES, _MIN, True), (words.PITCH, _MOST),
    "the pitch is at most this", "liballoc MAX_PITCH; i915 skl_plane_max_stride")
MIN_WIDTH = _row(
    UintType, 0x07, "min-width", (words.PIXELS, _MAX, False), (words.WIDTH, _LEAST),
    "the buffer has room for a picture at least this wide", "sysmem min_size")
MAX_WIDTH = _row(
    UintType, 0x08, "max-width", (words.PIXELS, _MIN, False), (words.WIDTH, _MOST),
    "the picture is at most this wide", "sysmem max_size; drm_mode_config.max_width")
MIN_HEIGHT = _row(
    UintType, 0x09, "min-height", (words.PIXELS, _MAX, False), (words.HEIGHT, _LEAST),
    "the buffer has room for a picture at least this high", "sysmem min_size")
MAX_HEIGHT = _row(
    UintType, 0x0a, "max-height", (words.PIXELS, _MIN, False), (words.HEIGHT, _MOST),
    "the picture is at most this high", "sysmem max_size; drm_mode_config.max_height")
WIDTH_ALIGNMENT = _row(
    UintType, 0x0b, "width-alignment", (words.PIXELS, _LCM, False), (words.WIDTH, _MULTIPLE),
    "the width that the buffer has room for is a multiple of this",
    "sysmem size_alignment; V4L2 frame size step_width")
HEIGHT_ALIGNMENT = _row(
    UintType, 0x0c, "height-alignment", (words.PIXELS, _LCM, False), (words.HEIGHT, _MULTIPLE),
    "the height that the buffer has room for is a multiple of this",
    "sysmem size_alignment; V4L2 frame size step_height")
MAX_AREA = _row(
    UintType, 0x0d, "max-area", (words.PIXELS, _MIN, False), (words.AREA, _MOST),
    "width times height of the picture is at most this", "sysmem max_width_times_height")
MIN_SIZE = _row(
    UintType, 0x0e, "min-size", (words.BYTES, _MAX, False), (words.SIZE, _LEAST),
    "each object has at least this size", "sysmem min_size_bytes")
MAX_SIZE = _row(
    UintType, 0x0f, "max-size", (words.BYTES, _MIN, False), (words.SIZE, _MOST),
    "each object has at most this size", "sysmem max_size_bytes")
PADDING = _row(
    UintType, 0x17, "padding", (words.BYTES, _MAX, True), (words.PADDING, _LEAST),
    "this many bytes follow the last row of the plane", "Exynos MFC v8: 64 bytes")
MACROBLOCK_PADDING = _row(
    UintType, 0x18, "macroblock-padding", (words.BYTES, _MAX, False),
    (words.MACROBLOCK_PADDING, _LEAST),
    "the last object has this many bytes more for each 16 x 16 pixels of the picture",
    "RK3399 decoder: 128 bytes (minigbm rockchip.c)")
PIXEL_BOUNDARY_PITCH = _row(
    FlagType, 0x19, "pixel-boundary-pitch", (None, _ANY, True),
    (words.PITCH, "a multiple of a whole pixel"),
    "the pitch is a multiple of the bytes of one pixel (one block) of the plane",
    "sysmem require_bytes_per_row_at_pixel_boundary")
POWER_OF_TWO_PITCH = _row(
    FlagType, 0x1a, "power-of-two-pitch", (None, _ANY, True), (words.PITCH, "a power of two"),
    "the pitch is a power of two", "Intel generation 3 and before (minigbm i915.c)")
MUST_FIT_WIDTH = _row(
    UintType, 0x1b, "must-fit-width", (words.PIXELS, _MAX, False),
    (words.WIDTH, "enough for {value}"),
    "the buffer is reused for pictures as wide as this", "sysmem required_max_size")
MUST_FIT_HEIGHT = _row(
    UintType, 0x1c, "must-fit-height", (words.PIXELS, _MAX, False),
    (words.HEIGHT, "enough for {value}"),
    "the buffer is reused for pictures as high as this", "sysmem required_max_size")
MUST_FIT_LEAST_WIDTH = _row(
    UintType, 0x1d, "must-fit-least-width", (words.PIXELS, _MIN, False),
    (words.WIDTH, "allowed to be as little as {value}"),
    "the buffer is reused for pictures as narrow as this", "sysmem required_min_size")
MUST_FIT_LEAST_HEIGHT = _row(
    UintType, 0x1e, "must-fit-least-height", (words.PIXELS, _MIN, False),
    (words.HEIGHT, "allowed to be as little as {value}"),
    "the buffer is reused for pictures as low as this", "sysmem required_min_size")
VISIBLE_WIDTH_ALIGNMENT = _row(
    UintType, 0x24, "visible-width-alignment", (words.PIXELS, _LCM, False),
    (words.VISIBLE_WIDTH, _MULTIPLE),
    "the visible width is a multiple of this", "sysmem display_rect_alignment")
VISIBLE_HEIGHT_ALIGNMENT = _row(
    UintType, 0x25, "visible-height-alignment", (words.PIXELS, _LCM, False),
    (words.VISIBLE_HEIGHT, _MULTIPLE),
    "the visible height is a multiple of this", "sysmem display_rect_alignment")
TIED_PITCH = _row(
    FlagType, 0x26, "tied-pitch", (None, _ANY, False),
    (words.PITCH, "tied to that of plane 0"),
    "the pitch of each plane is that of plane 0 times what the format implies: for NV12 the "
    "same, for YUV420 half",
    "V4L2: one bytesperline for all planes of a buffer")
ADJACENT_PLANES = _row(
    FlagType, 0x27, "adjacent-planes", (None, _ANY, False),
    (words.ADJACENT, "where the plane before it ends"),
    "pitches are tied (tied-pitch), and each plane begins where the one before it ends, in "
    "one object", "V4L2 single-planar formats: the buffer's only offset is 0")
LEAST_WIDTH = _row(
    UintType, 0x28, "least-width", (words.PIXELS, _MAX, False), (words.PICTURE_WIDTH, _LEAST),
    "the picture itself is at least this wide; room around it does not help",
    "drm_mode_config.min_width (drm_framebuffer.c, framebuffer_check)")
LEAST_HEIGHT = _row(
    UintType, 0x29, "least-height", (words.PIXELS, _MAX, False), (words.PICTURE_HEIGHT, _LEAST),
    "the picture itself is at least this high; room around it does not help",
    "drm_mode_config.min_height (drm_framebuffer.c, framebuffer_check)")
SCALING = _row(
    RangeType, 0x2a, "scaling", (words.OF_ONE, _BOTH, False), (words.SCALE, "{value}"),
    "the picture is so many 65536ths of its size on the screen, across and down: 65536 is as "
    "large, twice that is shown half as large; for whoever shows it, and nothing of a buffer "
    "follows", "drm_atomic_helper_check_plane_state: min_scale, max_scale")

EXACT_PITCH = _row(
    FlagType, 0x2b, "exact-pitch", (None, _ANY, True),
    (words.PITCH, "the bytes of a row, with no room behind it"),
    "the pitch is the bytes of a row of the picture: nothing is between two rows",
    "mxsfb_drv.c, mxsfb_fb_create; tilcdc_plane.c, tilcdc_plane_atomic_check")

# Memory.
CONTIGUOUS = _row(
    FlagType, 0x10, "contiguous", (None, _ANY, True), (words.MEMORY, "contiguous"),
    "each object is one run of bus addresses", "videobuf2-dma-contig; drm_gem_dma_helper")
ADDRESS_RANGE = _row(
    RangeType, 0x11, "address-range", (words.ADDRESSES, _BOTH, True),
    (words.MEMORY, "at addresses {value}"),
    "every byte lies within these bus addresses", "dma_mask; Cedrus; vc4")
PERMITTED_SOURCES = _row(
    SourcesType, 0x12, "permitted-sources", (None, _BOTH, True),
    (words.MEMORY, "from {value}"),
    "the memory comes from one of these, the best first",
    "sysmem permitted_heaps; the device-link RFC")
PROTECTED = _row(
    UintType, 0x13, "protected", (None, _EQUAL, False), (words.MEMORY, "{not}protected"),
    "the memory is, or is not, protected from the CPU", "sysmem; OP-TEE heaps")
ADDRESS_ALIGNMENT = _row(
    UintType, 0x14, "address-alignment", (words.BYTES, _LCM, True), (words.ADDRESS, _MULTIPLE),
    "the plane starts at a bus address that is a multiple of this",
    "liballoc ADDRESS_ALIGNMENT; Exynos MFC v5: 128 KiB")
DMA_WIDTH = _row(
    UintType, 0x15, "dma-width", (words.BITS, _MIN, True),
    (words.MEMORY, "within {value} of address"),
    "every bus address has at most this many bits", "dma_set_mask_and_coherent")
MAX_SEGMENTS = _row(
    UintType, 0x16, "max-segments", (words.RUNS, _MIN, False), (words.MEMORY, "in at most {value}"),
    "each object has at most this many runs of bus addresses", "dma_set_max_seg; V4L2 sg")
ALLOCATION_FLAGS = _row(
    MaskType, 0x1f, "allocation-flags", (None, _UNION, False),
    (words.MEMORY, "allocated for {value}"),
    "a device that allocates is told so; heaps cannot be told, and what they give is as it is",
    "gbm.h, GBM_BO_USE_SCANOUT and GBM_BO_USE_PROTECTED; xe_drm.h, "
    "DRM_XE_GEM_CREATE_FLAG_SCANOUT", bits={0: "scanout", 1: "protected"})
SAME_BUFFER = _row(
    RelationType, 0x20, "same-buffer", (None, _UNION, False), (words.PLANES, "in one object"),
    "these planes share one object", "V4L2 single-planar formats; one PRIME handle")
SAME_SOURCE = _row(
    RelationType, 0x21, "same-source", (None, _UNION, False), (words.PLANES, "from one source"),
    "these planes come from one source", "V4L2 queues with one allocator device")
DIFFERENT_SOURCE = _row(
    RelationType, 0x22, "different-source", (None, _UNION, False),
    (words.PLANES, "from different sources"),
    "no two of these planes come from one source", "Exynos MFC v5, two memory banks")

# Coherency and synchronisation.
COHERENCY_DOMAINS = _row(
    MaskType, 0x30, "coherency-domains", (None, _BOTH, False), (words.COHERENCY, "one of {value}"),
    "how the data is kept coherent: through the CPU's caches, in RAM with the caches "
    "cleaned, or out of the CPU's reach", "sysmem cpu, ram, inaccessible domain_supported",
    bits=_DOMAINS)
CPU_ACCESS = _row(
    MaskType, 0x31, "cpu-access", (None, _UNION, False),
    (words.MEMORY, "open to the CPU ({value})"),
    "the CPU touches the memory", "sysmem usage.cpu; DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE",
    bits={0: "read", 1: "write"})
NO_SNOOP = _row(
    FlagType, 0x32, "no-snoop", (None, _ANY, False),
    (words.COHERENCY, "kept in RAM: the CPU's caches are not snooped"),
    "the device does not see what the CPU's caches hold", "dev_is_dma_coherent")
DIRTY_LINES = _row(
    FlagType, 0x33, "dirty-lines", (None, _ANY, False),
    (words.COHERENCY, "safe with dirty cache lines left behind"),
    "the device's driver writes with the CPU and does not clean the caches",
    "uvcvideo over videobuf2-vmalloc")
NO_SYNC = _row(
    FlagType, 0x34, "no-sync", (None, _ANY, False),
    (words.COHERENCY, "kept without DMA_BUF_IOCTL_SYNC"),
    "the participant touches the memory with the CPU and does not bracket that "
    "with DMA_BUF_IOCTL_SYNC", "include/uapi/linux/dma-buf.h")
FENCES = _row(
    MaskType, 0x35, "fences", (None, _BOTH, False), (words.FENCES, "one of {value}"),
    "how the end of an access is told: waited for before the buffer is passed on, by the "
    "fences of the dma-buf, or by a sync file or timeline",
    "dma_resv; linux-drm-syncobj-v1", bits=_FENCES)

# Place: pairwise, each names the device at the other end.
MAX_HOPS = _row(
    PairsType, 0x38, "max-hops", (words.HOPS, _NEAREST, False),
    (words.MEMORY, "at most {value} from {device}"),
    "the memory is at most so many hops on the bus tree from the device; 0 is its own",
    "PCIe peer-to-peer; pci_p2pdma_distance")
SAME_NUMA_NODE = _row(
    PairsType, 0x39, "same-numa-node", (None, _NEAREST, False),
    (words.MEMORY, "on the NUMA node of {device}"),
    "the memory is on the NUMA node of the device", "dev_to_node")
PEER_LINK = _row(
    PairsType, 0x3a, "peer-link", (None, _NEAREST, False),
    (words.MEMORY, "local to {device} or to a device with a peer link to it"),
    "the memory is the device's own or that of a device with a link of its own to it",
    "NVLink, XGMI")
NOT_LOCAL = _row(
    PairsType, 0x3b, "not-local", (None, _NEAREST, False),
    (words.MEMORY, "other than that of {device}"),
    "the memory is not the device's own", "GPU work that only a peer's memory allows")

NEAR = _row(
    PairsType, 0x3c, "near", (None, _NEAREST, False),
    (words.MEMORY, "as near to {device} as may be"),
    "of the memory that will do the nearest to the device is liked best: its own or a linked "
    "peer's, then by hops on the bus tree, then that of its NUMA node; the rest will do too",
    "pci_p2pdma_distance; dev_to_node; NVLink, XGMI")

# The stream as a whole.
MIN_BUFFERS = _row(
    UintType, 0x40, "min-buffers", (words.BUFFERS, _MAX, False), (words.COUNT, _LEAST),
    "the stream has at least so many buffers", "sysmem min_buffer_count; VIDIOC_REQBUFS")
MAX_BUFFERS = _row(
    UintType, 0x41, "max-buffers", (words.BUFFERS, _MIN, False), (words.COUNT, _MOST),
    "the stream has at most so many buffers", "sysmem max_buffer_count")
SHARED_BUFFERS = _row(
    UintType, 0x42, "shared-buffers", (words.BUFFERS, _MAX, False),
    (words.COUNT, "{value} more than are held"),
    "so many buffers beyond those that somebody holds, for all together",
    "sysmem min_buffer_count_for_shared_slack")
COLOURS = _row(
    MaskType, 0x48, "colours", (None, _BOTH, False), (words.COLOUR, "one of {value}"),
    "the colour encodings understood: bit n is the matrix n of ITU-T H.273 in limited "
    "range, bit 32 + n the same in full range", "sysmem color_spaces; KMS COLOR_ENCODING",
    bits=_COLOURS)
ALPHA = _row(
    UintType, 0x49, "alpha", (None, _EQUAL, False), (words.ALPHA, "{not}present"),
    "the alpha channel carries meaning, or does not", "sysmem is_alpha_present")

# When a set applies.
WHEN_WIDTH = _row(
    RangeType, 0x50, "when-width", (words.PIXELS, _BOTH, False), (words.CONDITION, "width {value}"),
    "the set applies to coded pictures of this width", "minigbm: AFBC up to 2560 (RK3399)",
    condition=True)
WHEN_HEIGHT = _row(
    RangeType, 0x51, "when-height", (words.PIXELS, _BOTH, False),
    (words.CONDITION, "height {value}"),
    "the set applies to coded pictures of this height", "as when-width", condition=True)
WHEN_INTERLACED = _row(
    UintType, 0x52, "when-interlaced", (None, _EQUAL, False),
    (words.CONDITION, "{not}interlaced"),
    "the set applies to interlaced content, or to progressive", "V4L2 field order",
    condition=True)
WHEN_ROTATION = _row(
    MaskType, 0x53, "when-rotation", (None, _BOTH, False), (words.CONDITION, "rotation {value}"),
    "the set applies to these rotations; what scans out turns a picture only where a set says so",
    "KMS plane rotation; i915 90 degrees needs Y tiling",
    bits={0: "0", 1: "90", 2: "180", 3: "270"}, condition=True)

# Vendors. docs/registry.md says how to get a row.
AMD_VRAM_CONTIGUOUS = _row(
    FlagType, 0x01, "amd-vram-contiguous", (None, _ANY, False),
    (words.MEMORY, "contiguous in VRAM"),
    "the allocation asks amdgpu for AMDGPU_GEM_CREATE_VRAM_CONTIGUOUS",
    "include/uapi/drm/amdgpu_drm.h", vendor=0x02)
# fmt: on

ROWS: Final = tuple(_rows)
"""The rows that this project ships; the reference documentation is made of them."""

_by_type: Final[dict[int, ConstraintType]] = {row.type: row for row in ROWS}
_by_name: Final[dict[str, ConstraintType]] = {row.name: row for row in ROWS}

REGISTRY: Mapping[int, ConstraintType] = MappingProxyType(_by_type)
"""Every row by its type, the u32 of the wire: those of `ROWS` and what was registered."""

BY_NAME: Mapping[str, ConstraintType] = MappingProxyType(_by_name)
"""Every row by its name, as in `REGISTRY`."""


def register(*rows: ConstraintType) -> None:
    """Add a vendor's rows to the registry, for the whole program and for good.

    To be called where the module that has the rows is imported, before anything is
    negotiated: what came over the wire until then was of a type that is not known. The
    same rows may be registered again. Raises `UsageError`, and adds none of them, for a
    general type (vendor 0), for a condition, which takes code to judge it, and for a
    number or a name that another row has.
    """
    by_type, by_name = dict(_by_type), dict(_by_name)
    for row in rows:
        if not row.vendor:
            raise UsageError(f"{row.name!r} has no vendor, and general types are not registered")
        if row.condition:
            raise UsageError(f"{row.name!r} is a condition: only code can say when it holds")
        for other in (by_type.setdefault(row.type, row), by_name.setdefault(row.name, row)):
            if other != row:
                raise UsageError(f"{row.name!r}, {row.type:#010x}, is taken by {other.name!r}")
    _by_type.update(by_type)
    _by_name.update(by_name)
