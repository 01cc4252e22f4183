"""The registry of constraint types: one row each, and the row is all there is.

A row says how a type is called, what its value looks like, in which unit, how
two values merge, whether each plane has its own, and how a sentence says it.
Merging, the wire codec, the platform files, the explanations and the reference
documentation all read this table; a new type is a new row. (A type of a new
*kind* also needs a rule that judges it: solver/source_check.py for memory,
solver/exact_layout.py for geometry. A type without one is merged and handed to
whoever allocates.)

Each row has the name of its type as a constant. Code that gives a type its
meaning speaks of it by that, and never by its number.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeVar

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
    value: tuple[str, MergeRule, bool],
    says: tuple[str, str],
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
    UintType, 0x01, "pitch-alignment", ("bytes", _LCM, True), ("pitch", _MULTIPLE),
    "the pitch is a multiple of this", "liballoc PITCH_ALIGNMENT; sysmem divisor")
OFFSET_ALIGNMENT = _row(
    UintType, 0x02, "offset-alignment", ("bytes", _LCM, True), ("offset", _MULTIPLE),
    "the plane starts at a multiple of this within its object",
    "sysmem start_offset_divisor")
SIZE_ALIGNMENT = _row(
    UintType, 0x03, "size-alignment", ("bytes", _LCM, False), ("size", _MULTIPLE),
    "the size of each object is a multiple of this", "SnapAlloc size_align; Venus 4096")
SCANLINE_ALIGNMENT = _row(
    UintType, 0x04, "scanline-alignment", ("rows", _LCM, True), ("rows", _MULTIPLE),
    "the plane has a multiple of this many rows", "SnapAlloc scanline align; Venus 32 and 16")
MIN_PITCH = _row(
    UintType, 0x05, "min-pitch", ("bytes", _MAX, True), ("pitch", _LEAST),
    "the pitch is at least this", "sysmem min_bytes_per_row")
MAX_PITCH = _row(
    UintType, 0x06, "max-pitch", ("bytes", _MIN, True), ("pitch", _MOST),
    "the pitch is at most this", "liballoc MAX_PITCH; i915 skl_plane_max_stride")
MIN_WIDTH = _row(
    UintType, 0x07, "min-width", ("pixels", _MAX, False), ("width", _LEAST),
    "the buffer has room for a picture at least this wide", "sysmem min_size")
MAX_WIDTH = _row(
    UintType, 0x08, "max-width", ("pixels", _MIN, False), ("width", _MOST),
    "the picture is at most this wide", "sysmem max_size; drm_mode_config.max_width")
MIN_HEIGHT = _row(
    UintType, 0x09, "min-height", ("pixels", _MAX, False), ("height", _LEAST),
    "the buffer has room for a picture at least this high", "sysmem min_size")
MAX_HEIGHT = _row(
    UintType, 0x0a, "max-height", ("pixels", _MIN, False), ("height", _MOST),
    "the picture is at most this high", "sysmem max_size; drm_mode_config.max_height")
WIDTH_ALIGNMENT = _row(
    UintType, 0x0b, "width-alignment", ("pixels", _LCM, False), ("width", _MULTIPLE),
    "the width that the buffer has room for is a multiple of this",
    "sysmem size_alignment; V4L2 frame size step_width")
HEIGHT_ALIGNMENT = _row(
    UintType, 0x0c, "height-alignment", ("pixels", _LCM, False), ("height", _MULTIPLE),
    "the height that the buffer has room for is a multiple of this",
    "sysmem size_alignment; V4L2 frame size step_height")
MAX_AREA = _row(
    UintType, 0x0d, "max-area", ("pixels", _MIN, False), ("area", _MOST),
    "width times height of the picture is at most this", "sysmem max_width_times_height")
MIN_SIZE = _row(
    UintType, 0x0e, "min-size", ("bytes", _MAX, False), ("size", _LEAST),
    "each object has at least this size", "sysmem min_size_bytes")
MAX_SIZE = _row(
    UintType, 0x0f, "max-size", ("bytes", _MIN, False), ("size", _MOST),
    "each object has at most this size", "sysmem max_size_bytes")
PADDING = _row(
    UintType, 0x17, "padding", ("bytes", _MAX, True), ("padding", _LEAST),
    "this many bytes follow the last row of the plane", "Exynos MFC v8: 64 bytes")
MACROBLOCK_PADDING = _row(
    UintType, 0x18, "macroblock-padding", ("bytes", _MAX, False),
    ("padding per macroblock", _LEAST),
    "the last object has this many bytes more for each 16 x 16 pixels of the picture",
    "RK3399 decoder: 128 bytes (minigbm rockchip.c)")
PIXEL_BOUNDARY_PITCH = _row(
    FlagType, 0x19, "pixel-boundary-pitch", ("", _ANY, True),
    ("pitch", "a multiple of a whole pixel"),
    "the pitch is a multiple of the bytes of one pixel (one block) of the plane",
    "sysmem require_bytes_per_row_at_pixel_boundary")
POWER_OF_TWO_PITCH = _row(
    FlagType, 0x1a, "power-of-two-pitch", ("", _ANY, True), ("pitch", "a power of two"),
    "the pitch is a power of two", "Intel generation 3 and before (minigbm i915.c)")
MUST_FIT_WIDTH = _row(
    UintType, 0x1b, "must-fit-width", ("pixels", _MAX, False), ("width", "enough for {value}"),
    "the buffer is reused for pictures as wide as this", "sysmem required_max_size")
MUST_FIT_HEIGHT = _row(
    UintType, 0x1c, "must-fit-height", ("pixels", _MAX, False), ("height", "enough for {value}"),
    "the buffer is reused for pictures as high as this", "sysmem required_max_size")
MUST_FIT_LEAST_WIDTH = _row(
    UintType, 0x1d, "must-fit-least-width", ("pixels", _MIN, False),
    ("width", "allowed to be as little as {value}"),
    "the buffer is reused for pictures as narrow as this", "sysmem required_min_size")
MUST_FIT_LEAST_HEIGHT = _row(
    UintType, 0x1e, "must-fit-least-height", ("pixels", _MIN, False),
    ("height", "allowed to be as little as {value}"),
    "the buffer is reused for pictures as low as this", "sysmem required_min_size")
VISIBLE_WIDTH_ALIGNMENT = _row(
    UintType, 0x24, "visible-width-alignment", ("pixels", _LCM, False),
    ("visible width", _MULTIPLE),
    "the visible width is a multiple of this", "sysmem display_rect_alignment")
VISIBLE_HEIGHT_ALIGNMENT = _row(
    UintType, 0x25, "visible-height-alignment", ("pixels", _LCM, False),
    ("visible height", _MULTIPLE),
    "the visible height is a multiple of this", "sysmem display_rect_alignment")

# Memory.
CONTIGUOUS = _row(
    FlagType, 0x10, "contiguous", ("", _ANY, True), ("memory", "contiguous"),
    "each object is one run of bus addresses", "videobuf2-dma-contig; drm_gem_dma_helper")
ADDRESS_RANGE = _row(
    RangeType, 0x11, "address-range", ("bytes", _BOTH, True), ("memory", "at addresses {value}"),
    "every byte lies within these bus addresses", "dma_mask; Cedrus; vc4")
PERMITTED_SOURCES = _row(
    SourcesType, 0x12, "permitted-sources", ("", _BOTH, True),
    ("memory", "from {value}"),
    "the memory comes from one of these, the best first",
    "sysmem permitted_heaps; the device-link RFC")
PROTECTED = _row(
    UintType, 0x13, "protected", ("0 or 1", _EQUAL, False), ("memory", "{not}protected"),
    "the memory is, or is not, protected from the CPU", "sysmem; OP-TEE heaps")
ADDRESS_ALIGNMENT = _row(
    UintType, 0x14, "address-alignment", ("bytes", _LCM, True), ("address", _MULTIPLE),
    "the plane starts at a bus address that is a multiple of this",
    "liballoc ADDRESS_ALIGNMENT; Exynos MFC v5: 128 KiB")
DMA_WIDTH = _row(
    UintType, 0x15, "dma-width", ("bits", _MIN, True), ("memory", "within {value} of address"),
    "every bus address has at most this many bits", "dma_set_mask_and_coherent")
MAX_SEGMENTS = _row(
    UintType, 0x16, "max-segments", ("runs", _MIN, False), ("memory", "in at most {value}"),
    "each object has at most this many runs of bus addresses", "dma_set_max_seg; V4L2 sg")
SAME_BUFFER = _row(
    RelationType, 0x20, "same-buffer", ("", _UNION, False), ("planes", "in one object"),
    "these planes share one object", "V4L2 single-planar formats; one PRIME handle")
SAME_SOURCE = _row(
    RelationType, 0x21, "same-source", ("", _UNION, False), ("planes", "from one source"),
    "these planes come from one source", "V4L2 queues with one allocator device")
DIFFERENT_SOURCE = _row(
    RelationType, 0x22, "different-source", ("", _UNION, False),
    ("planes", "from different sources"),
    "no two of these planes come from one source", "Exynos MFC v5, two memory banks")

# Coherency and synchronisation.
COHERENCY_DOMAINS = _row(
    MaskType, 0x30, "coherency-domains", ("", _BOTH, False), ("coherency", "one of {value}"),
    "how the data is kept coherent: through the CPU's caches, in RAM with the caches "
    "cleaned, or out of the CPU's reach", "sysmem cpu, ram, inaccessible domain_supported",
    bits=_DOMAINS)
CPU_ACCESS = _row(
    MaskType, 0x31, "cpu-access", ("", _UNION, False), ("memory", "open to the CPU ({value})"),
    "the CPU touches the memory", "sysmem usage.cpu; DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE",
    bits={0: "read", 1: "write"})
NO_SNOOP = _row(
    FlagType, 0x32, "no-snoop", ("", _ANY, False),
    ("coherency", "kept in RAM: the CPU's caches are not snooped"),
    "the device does not see what the CPU's caches hold", "dev_is_dma_coherent")
DIRTY_LINES = _row(
    FlagType, 0x33, "dirty-lines", ("", _ANY, False),
    ("coherency", "safe with dirty cache lines left behind"),
    "the device's driver writes with the CPU and does not clean the caches",
    "uvcvideo over videobuf2-vmalloc")
NO_SYNC = _row(
    FlagType, 0x34, "no-sync", ("", _ANY, False),
    ("coherency", "kept without DMA_BUF_IOCTL_SYNC"),
    "the participant touches the memory with the CPU and does not bracket that "
    "with DMA_BUF_IOCTL_SYNC", "include/uapi/linux/dma-buf.h")
FENCES = _row(
    MaskType, 0x35, "fences", ("", _BOTH, False), ("fences", "one of {value}"),
    "how the end of an access is told: waited for before the buffer is passed on, by the "
    "fences of the dma-buf, or by a sync file or timeline",
    "dma_resv; linux-drm-syncobj-v1", bits=_FENCES)

# Place: pairwise, each names the device at the other end.
MAX_HOPS = _row(
    PairsType, 0x38, "max-hops", ("hops", _NEAREST, False),
    ("memory", "at most {value} from {device}"),
    "the memory is at most so many hops on the bus tree from the device; 0 is its own",
    "PCIe peer-to-peer; pci_p2pdma_distance")
SAME_NUMA_NODE = _row(
    PairsType, 0x39, "same-numa-node", ("", _NEAREST, False),
    ("memory", "on the NUMA node of {device}"),
    "the memory is on the NUMA node of the device", "dev_to_node")
PEER_LINK = _row(
    PairsType, 0x3a, "peer-link", ("", _NEAREST, False),
    ("memory", "local to {device} or to a device with a peer link to it"),
    "the memory is the device's own or that of a device with a link of its own to it",
    "NVLink, XGMI")
NOT_LOCAL = _row(
    PairsType, 0x3b, "not-local", ("", _NEAREST, False),
    ("memory", "other than that of {device}"),
    "the memory is not the device's own", "GPU work that only a peer's memory allows")

# The stream as a whole.
MIN_BUFFERS = _row(
    UintType, 0x40, "min-buffers", ("buffers", _MAX, False), ("count", _LEAST),
    "the stream has at least so many buffers", "sysmem min_buffer_count; VIDIOC_REQBUFS")
MAX_BUFFERS = _row(
    UintType, 0x41, "max-buffers", ("buffers", _MIN, False), ("count", _MOST),
    "the stream has at most so many buffers", "sysmem max_buffer_count")
SHARED_BUFFERS = _row(
    UintType, 0x42, "shared-buffers", ("buffers", _MAX, False),
    ("count", "{value} more than are held"),
    "so many buffers beyond those that somebody holds, for all together",
    "sysmem min_buffer_count_for_shared_slack")
COLOURS = _row(
    MaskType, 0x48, "colours", ("", _BOTH, False), ("colour", "one of {value}"),
    "the colour encodings understood: bit n is the matrix n of ITU-T H.273 in limited "
    "range, bit 32 + n the same in full range", "sysmem color_spaces; KMS COLOR_ENCODING",
    bits=_COLOURS)
ALPHA = _row(
    UintType, 0x49, "alpha", ("0 or 1", _EQUAL, False), ("alpha", "{not}present"),
    "the alpha channel carries meaning, or does not", "sysmem is_alpha_present")

# When a set applies.
WHEN_WIDTH = _row(
    RangeType, 0x50, "when-width", ("pixels", _BOTH, False), ("condition", "width {value}"),
    "the set applies to coded pictures of this width", "minigbm: AFBC up to 2560 (RK3399)",
    condition=True)
WHEN_HEIGHT = _row(
    RangeType, 0x51, "when-height", ("pixels", _BOTH, False), ("condition", "height {value}"),
    "the set applies to coded pictures of this height", "as when-width", condition=True)
WHEN_INTERLACED = _row(
    UintType, 0x52, "when-interlaced", ("0 or 1", _EQUAL, False),
    ("condition", "{not}interlaced"),
    "the set applies to interlaced content, or to progressive", "V4L2 field order",
    condition=True)
WHEN_ROTATION = _row(
    MaskType, 0x53, "when-rotation", ("", _BOTH, False), ("condition", "rotation {value}"),
    "the set applies to these rotations", "KMS plane rotation; i915 90 degrees needs Y tiling",
    bits={0: "0", 1: "90", 2: "180", 3: "270"}, condition=True)

# Vendors. docs/registry.md says how to get a row.
AMD_VRAM_CONTIGUOUS = _row(
    FlagType, 0x01, "amd-vram-contiguous", ("", _ANY, False), ("memory", "contiguous in VRAM"),
    "the allocation asks amdgpu for AMDGPU_GEM_CREATE_VRAM_CONTIGUOUS",
    "include/uapi/drm/amdgpu_drm.h", vendor=0x02)
# fmt: on

ROWS: Final = tuple(_rows)
REGISTRY: Mapping[int, ConstraintType] = MappingProxyType({row.type: row for row in ROWS})
BY_NAME: Mapping[str, ConstraintType] = MappingProxyType({row.name: row for row in ROWS})
