"""The registry of constraint types: one row each, and the row is all there is.

A row says how a type is called, what its value looks like, in which unit, how
two values merge, whether each plane has its own, and how a sentence says it.
Merging, the wire codec, the platform files, the explanations and the reference
documentation all read this table; a new type is a new row. (A type of a new
*kind* also needs a rule that judges it: judge.py for memory, exact_layout.py
for geometry. A type without one is merged and handed to whoever allocates.)

A type is a u32: the vendor id of drm_fourcc.h in the top 8 bits (0 is nobody:
the general types) and a code in the lower 24.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType


class ValueKind(Enum):
    """What a value is in Python, and how it travels (wire/value.py)."""

    UINT = "uint"
    """An int from 0 to 2**64 - 1."""
    FLAG = "flag"
    """The constraint's presence is all; the value is 1."""
    RANGE = "range"
    """(lowest, highest), both inclusive, as UINT."""
    MASK = "mask"
    """A set of small numbers as the bits of a UINT."""
    SOURCES = "sources"
    """A tuple of SourceId, best first; never empty."""
    PAIRS = "pairs"
    """A tuple of (DeviceId, int), in the order of the devices, none twice."""
    BYTES = "bytes"
    """Bytes that only their vendor reads."""


class MergeRule(Enum):
    """How two values of a type become one; each is a lattice meet."""

    LCM = "least common multiple"
    MAX = "the greater"
    MIN = "the lesser"
    ANY = "holds if either asks"
    INTERSECTION = "what both permit"
    UNION = "all of both"
    EQUAL = "must be equal"
    NEAREST = "for each device the lesser"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstraintType:
    """One row of the registry.

    `source` says where the type comes from: the kernel file, specification or
    system that has it. `subject` is the property of the result that it bears
    on, and `says` what it demands of that property, as the end of a sentence:
    "a pitch that is" + "a multiple of {value}". `bits` names the bits of a
    MASK. A `condition` never merges: it says when the set it stands in applies.
    """

    code: int
    name: str
    kind: ValueKind
    unit: str
    merge: MergeRule
    per_plane: bool
    meaning: str
    source: str
    vendor: int = 0
    subject: str = "memory"
    says: str = ""
    bits: Mapping[int, str] = field(default_factory=dict, hash=False)
    condition: bool = False

    @property
    def type(self) -> int:
        """The u32 of the wire."""
        return self.vendor << 24 | self.code

    @property
    def is_relation(self) -> bool:
        """Whether it ties planes together: its planes are its value."""
        return self.kind is ValueKind.FLAG and self.merge is MergeRule.UNION


def _row(
    code: int,
    name: str,
    shape: tuple[ValueKind, str, MergeRule, bool],
    says: tuple[str, str],
    meaning: str,
    source: str,
    *,
    bits: Mapping[int, str] | None = None,
    vendor: int = 0,
    condition: bool = False,
) -> ConstraintType:
    kind, unit, merge, per_plane = shape
    return ConstraintType(
        code=code,
        name=name,
        kind=kind,
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


_UINT, _FLAG, _RANGE, _MASK = ValueKind.UINT, ValueKind.FLAG, ValueKind.RANGE, ValueKind.MASK
_PAIRS = ValueKind.PAIRS
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

ROWS: tuple[ConstraintType, ...] = (
    # Geometry.
    _row(0x01, "pitch-alignment", (_UINT, "bytes", _LCM, True), ("pitch", _MULTIPLE),
         "the pitch is a multiple of this", "liballoc PITCH_ALIGNMENT; sysmem divisor"),
    _row(0x02, "offset-alignment", (_UINT, "bytes", _LCM, True), ("offset", _MULTIPLE),
         "the plane starts at a multiple of this within its object",
         "sysmem start_offset_divisor"),
    _row(0x03, "size-alignment", (_UINT, "bytes", _LCM, False), ("size", _MULTIPLE),
         "the size of each object is a multiple of this", "SnapAlloc size_align; Venus 4096"),
    _row(0x04, "scanline-alignment", (_UINT, "rows", _LCM, True), ("rows", _MULTIPLE),
         "the plane has a multiple of this many rows", "SnapAlloc scanline align; Venus 32 and 16"),
    _row(0x05, "min-pitch", (_UINT, "bytes", _MAX, True), ("pitch", _LEAST),
         "the pitch is at least this", "sysmem min_bytes_per_row"),
    _row(0x06, "max-pitch", (_UINT, "bytes", _MIN, True), ("pitch", _MOST),
         "the pitch is at most this", "liballoc MAX_PITCH; i915 skl_plane_max_stride"),
    _row(0x07, "min-width", (_UINT, "pixels", _MAX, False), ("width", _LEAST),
         "the buffer has room for a picture at least this wide", "sysmem min_size"),
    _row(0x08, "max-width", (_UINT, "pixels", _MIN, False), ("width", _MOST),
         "the picture is at most this wide", "sysmem max_size; drm_mode_config.max_width"),
    _row(0x09, "min-height", (_UINT, "pixels", _MAX, False), ("height", _LEAST),
         "the buffer has room for a picture at least this high", "sysmem min_size"),
    _row(0x0a, "max-height", (_UINT, "pixels", _MIN, False), ("height", _MOST),
         "the picture is at most this high", "sysmem max_size; drm_mode_config.max_height"),
    _row(0x0b, "width-alignment", (_UINT, "pixels", _LCM, False), ("width", _MULTIPLE),
         "the width that the buffer has room for is a multiple of this",
         "sysmem size_alignment; V4L2 frame size step_width"),
    _row(0x0c, "height-alignment", (_UINT, "pixels", _LCM, False), ("height", _MULTIPLE),
         "the height that the buffer has room for is a multiple of this",
         "sysmem size_alignment; V4L2 frame size step_height"),
    _row(0x0d, "max-area", (_UINT, "pixels", _MIN, False), ("area", _MOST),
         "width times height of the picture is at most this", "sysmem max_width_times_height"),
    _row(0x0e, "min-size", (_UINT, "bytes", _MAX, False), ("size", _LEAST),
         "each object has at least this size", "sysmem min_size_bytes"),
    _row(0x0f, "max-size", (_UINT, "bytes", _MIN, False), ("size", _MOST),
         "each object has at most this size", "sysmem max_size_bytes"),
    _row(0x17, "padding", (_UINT, "bytes", _MAX, True), ("padding", _LEAST),
         "this many bytes follow the last row of the plane", "Exynos MFC v8: 64 bytes"),
    _row(0x18, "macroblock-padding", (_UINT, "bytes", _MAX, False),
         ("padding per macroblock", _LEAST),
         "the last object has this many bytes more for each 16 x 16 pixels of the picture",
         "RK3399 decoder: 128 bytes (minigbm rockchip.c)"),
    _row(0x19, "pixel-boundary-pitch", (_FLAG, "", _ANY, True),
         ("pitch", "a multiple of a whole pixel"),
         "the pitch is a multiple of the bytes of one pixel (one block) of the plane",
         "sysmem require_bytes_per_row_at_pixel_boundary"),
    _row(0x1a, "power-of-two-pitch", (_FLAG, "", _ANY, True), ("pitch", "a power of two"),
         "the pitch is a power of two", "Intel generation 3 and before (minigbm i915.c)"),
    _row(0x1b, "must-fit-width", (_UINT, "pixels", _MAX, False), ("width", "enough for {value}"),
         "the buffer is reused for pictures as wide as this", "sysmem required_max_size"),
    _row(0x1c, "must-fit-height", (_UINT, "pixels", _MAX, False), ("height", "enough for {value}"),
         "the buffer is reused for pictures as high as this", "sysmem required_max_size"),
    _row(0x1d, "must-fit-least-width", (_UINT, "pixels", _MIN, False),
         ("width", "allowed to be as little as {value}"),
         "the buffer is reused for pictures as narrow as this", "sysmem required_min_size"),
    _row(0x1e, "must-fit-least-height", (_UINT, "pixels", _MIN, False),
         ("height", "allowed to be as little as {value}"),
         "the buffer is reused for pictures as low as this", "sysmem required_min_size"),
    _row(0x24, "visible-width-alignment", (_UINT, "pixels", _LCM, False),
         ("visible width", _MULTIPLE),
         "the visible width is a multiple of this", "sysmem display_rect_alignment"),
    _row(0x25, "visible-height-alignment", (_UINT, "pixels", _LCM, False),
         ("visible height", _MULTIPLE),
         "the visible height is a multiple of this", "sysmem display_rect_alignment"),
    # Memory.
    _row(0x10, "contiguous", (_FLAG, "", _ANY, True), ("memory", "contiguous"),
         "each object is one run of bus addresses", "videobuf2-dma-contig; drm_gem_dma_helper"),
    _row(0x11, "address-range", (_RANGE, "bytes", _BOTH, True), ("memory", "at addresses {value}"),
         "every byte lies within these bus addresses", "dma_mask; Cedrus; vc4"),
    _row(0x12, "permitted-sources", (ValueKind.SOURCES, "", _BOTH, True),
         ("memory", "from {value}"),
         "the memory comes from one of these, the best first",
         "sysmem permitted_heaps; the device-link RFC"),
    _row(0x13, "protected", (_UINT, "0 or 1", _EQUAL, False), ("memory", "{not}protected"),
         "the memory is, or is not, protected from the CPU", "sysmem; OP-TEE heaps"),
    _row(0x14, "address-alignment", (_UINT, "bytes", _LCM, True), ("address", _MULTIPLE),
         "the plane starts at a bus address that is a multiple of this",
         "liballoc ADDRESS_ALIGNMENT; Exynos MFC v5: 128 KiB"),
    _row(0x15, "dma-width", (_UINT, "bits", _MIN, True), ("memory", "within {value} of address"),
         "every bus address has at most this many bits", "dma_set_mask_and_coherent"),
    _row(0x16, "max-segments", (_UINT, "runs", _MIN, False), ("memory", "in at most {value}"),
         "each object has at most this many runs of bus addresses", "dma_set_max_seg; V4L2 sg"),
    _row(0x20, "same-buffer", (_FLAG, "", _UNION, False), ("planes", "in one object"),
         "these planes share one object", "V4L2 single-planar formats; one PRIME handle"),
    _row(0x21, "same-source", (_FLAG, "", _UNION, False), ("planes", "from one source"),
         "these planes come from one source", "V4L2 queues with one allocator device"),
    _row(0x22, "different-source", (_FLAG, "", _UNION, False),
         ("planes", "from different sources"),
         "no two of these planes come from one source", "Exynos MFC v5, two memory banks"),
    # Coherency and synchronisation.
    _row(0x30, "coherency-domains", (_MASK, "", _BOTH, False), ("coherency", "one of {value}"),
         "how the data is kept coherent: through the CPU's caches, in RAM with the caches "
         "cleaned, or out of the CPU's reach", "sysmem cpu, ram, inaccessible domain_supported",
         bits=_DOMAINS),
    _row(0x31, "cpu-access", (_MASK, "", _UNION, False), ("memory", "open to the CPU ({value})"),
         "the CPU touches the memory", "sysmem usage.cpu; DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE",
         bits={0: "read", 1: "write"}),
    _row(0x32, "no-snoop", (_FLAG, "", _ANY, False),
         ("coherency", "kept in RAM: the CPU's caches are not snooped"),
         "the device does not see what the CPU's caches hold", "dev_is_dma_coherent"),
    _row(0x33, "dirty-lines", (_FLAG, "", _ANY, False),
         ("coherency", "safe with dirty cache lines left behind"),
         "the device's driver writes with the CPU and does not clean the caches",
         "uvcvideo over videobuf2-vmalloc"),
    _row(0x34, "no-sync", (_FLAG, "", _ANY, False),
         ("coherency", "kept without DMA_BUF_IOCTL_SYNC"),
         "the participant touches the memory with the CPU and does not bracket that "
         "with DMA_BUF_IOCTL_SYNC", "include/uapi/linux/dma-buf.h"),
    _row(0x35, "fences", (_MASK, "", _BOTH, False), ("fences", "one of {value}"),
         "how the end of an access is told: waited for before the buffer is passed on, by the "
         "fences of the dma-buf, or by a sync file or timeline",
         "dma_resv; linux-drm-syncobj-v1", bits=_FENCES),
    # Place: pairwise, each names the device at the other end.
    _row(0x38, "max-hops", (_PAIRS, "hops", _NEAREST, False),
         ("memory", "at most {value} from {device}"),
         "the memory is at most so many hops on the bus tree from the device; 0 is its own",
         "PCIe peer-to-peer; pci_p2pdma_distance"),
    _row(0x39, "same-numa-node", (_PAIRS, "", _NEAREST, False),
         ("memory", "on the NUMA node of {device}"),
         "the memory is on the NUMA node of the device", "dev_to_node"),
    _row(0x3a, "peer-link", (_PAIRS, "", _NEAREST, False),
         ("memory", "local to {device} or to a device with a peer link to it"),
         "the memory is the device's own or that of a device with a link of its own to it",
         "NVLink, XGMI"),
    _row(0x3b, "not-local", (_PAIRS, "", _NEAREST, False),
         ("memory", "other than that of {device}"),
         "the memory is not the device's own", "GPU work that only a peer's memory allows"),
    # The stream as a whole.
    _row(0x40, "min-buffers", (_UINT, "buffers", _MAX, False), ("count", _LEAST),
         "the stream has at least so many buffers", "sysmem min_buffer_count; VIDIOC_REQBUFS"),
    _row(0x41, "max-buffers", (_UINT, "buffers", _MIN, False), ("count", _MOST),
         "the stream has at most so many buffers", "sysmem max_buffer_count"),
    _row(0x42, "shared-buffers", (_UINT, "buffers", _MAX, False),
         ("count", "{value} more than are held"),
         "so many buffers beyond those that somebody holds, for all together",
         "sysmem min_buffer_count_for_shared_slack"),
    _row(0x48, "colours", (_MASK, "", _BOTH, False), ("colour", "one of {value}"),
         "the colour encodings understood: bit n is the matrix n of ITU-T H.273 in limited "
         "range, bit 32 + n the same in full range", "sysmem color_spaces; KMS COLOR_ENCODING",
         bits=_COLOURS),
    _row(0x49, "alpha", (_UINT, "0 or 1", _EQUAL, False), ("alpha", "{not}present"),
         "the alpha channel carries meaning, or does not", "sysmem is_alpha_present"),
    # When a set applies.
    _row(0x50, "when-width", (_RANGE, "pixels", _BOTH, False), ("condition", "width {value}"),
         "the set applies to coded pictures of this width", "minigbm: AFBC up to 2560 (RK3399)",
         condition=True),
    _row(0x51, "when-height", (_RANGE, "pixels", _BOTH, False), ("condition", "height {value}"),
         "the set applies to coded pictures of this height", "as when-width", condition=True),
    _row(0x52, "when-interlaced", (_UINT, "0 or 1", _EQUAL, False),
         ("condition", "{not}interlaced"),
         "the set applies to interlaced content, or to progressive", "V4L2 field order",
         condition=True),
    _row(0x53, "when-rotation", (_MASK, "", _BOTH, False), ("condition", "rotation {value}"),
         "the set applies to these rotations", "KMS plane rotation; i915 90 degrees needs Y tiling",
         bits={0: "0", 1: "90", 2: "180", 3: "270"}, condition=True),
    # Vendors. docs/registry.md says how to get a row.
    _row(0x01, "amd-vram-contiguous", (_FLAG, "", _ANY, False), ("memory", "contiguous in VRAM"),
         "the allocation asks amdgpu for AMDGPU_GEM_CREATE_VRAM_CONTIGUOUS",
         "include/uapi/drm/amdgpu_drm.h", vendor=0x02),
)  # fmt: skip

REGISTRY: Mapping[int, ConstraintType] = MappingProxyType({row.type: row for row in ROWS})
BY_NAME: Mapping[str, ConstraintType] = MappingProxyType({row.name: row for row in ROWS})
