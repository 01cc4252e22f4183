"""The registry of constraint types: one row each, and the row is all there is.

A row says how a type is called, what its value looks like, in which unit, how
two values merge, and whether each plane has its own. Merging, the wire codec,
the platform files, the explanations and the reference documentation all read
this table; nothing else needs to know a new type.

A type is a u32: the vendor id of drm_fourcc.h in the top 8 bits (0 is nobody:
the general types) and a code in the lower 24.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    system that has it.
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

    @property
    def type(self) -> int:
        """The u32 of the wire."""
        return self.vendor << 24 | self.code


def _row(
    code: int,
    name: str,
    kind: ValueKind,
    unit: str,
    merge: MergeRule,
    per_plane: bool,
    meaning: str,
    source: str,
) -> ConstraintType:
    return ConstraintType(
        code=code,
        name=name,
        kind=kind,
        unit=unit,
        merge=merge,
        per_plane=per_plane,
        meaning=meaning,
        source=source,
    )


_UINT, _FLAG, _RANGE = ValueKind.UINT, ValueKind.FLAG, ValueKind.RANGE
_LCM, _MAX, _MIN, _ANY = MergeRule.LCM, MergeRule.MAX, MergeRule.MIN, MergeRule.ANY

ROWS: tuple[ConstraintType, ...] = (
    _row(0x01, "pitch-alignment", _UINT, "bytes", _LCM, True,
         "the pitch is a multiple of this", "liballoc PITCH_ALIGNMENT; sysmem divisor"),
    _row(0x02, "offset-alignment", _UINT, "bytes", _LCM, True,
         "the plane starts at a multiple of this within its object", "sysmem"),
    _row(0x03, "size-alignment", _UINT, "bytes", _LCM, False,
         "the size of each object is a multiple of this", "SnapAlloc size_align; Venus 4096"),
    _row(0x04, "scanline-alignment", _UINT, "rows", _LCM, True,
         "the plane has a multiple of this many rows", "SnapAlloc scanline align; Venus 32 and 16"),
    _row(0x05, "min-pitch", _UINT, "bytes", _MAX, True,
         "the pitch is at least this", "sysmem min_bytes_per_row"),
    _row(0x06, "max-pitch", _UINT, "bytes", _MIN, True,
         "the pitch is at most this", "liballoc MAX_PITCH; i915 skl_plane_max_stride"),
    _row(0x07, "min-width", _UINT, "pixels", _MAX, False,
         "the picture is at least this wide", "sysmem min_size"),
    _row(0x08, "max-width", _UINT, "pixels", _MIN, False,
         "the picture is at most this wide", "sysmem max_size; drm_mode_config.max_width"),
    _row(0x09, "min-height", _UINT, "pixels", _MAX, False,
         "the picture is at least this high", "sysmem min_size"),
    _row(0x0a, "max-height", _UINT, "pixels", _MIN, False,
         "the picture is at most this high", "sysmem max_size; drm_mode_config.max_height"),
    _row(0x10, "contiguous", _FLAG, "", _ANY, False,
         "each object is one run of bus addresses", "videobuf2-dma-contig; drm_gem_dma_helper"),
    _row(0x11, "address-range", _RANGE, "bytes", MergeRule.INTERSECTION, False,
         "every byte lies within these bus addresses", "dma_mask; Cedrus; vc4"),
    _row(0x12, "permitted-sources", ValueKind.SOURCES, "", MergeRule.INTERSECTION, True,
         "the memory comes from one of these", "sysmem permitted_heaps; the device-link RFC"),
    _row(0x13, "protected", _UINT, "0 or 1", MergeRule.EQUAL, False,
         "the memory is, or is not, protected from the CPU", "sysmem; OP-TEE heaps"),
    _row(0x20, "same-buffer", _FLAG, "", MergeRule.UNION, False,
         "these planes share one object", "V4L2 single-planar formats; one PRIME handle"),
    _row(0x21, "same-source", _FLAG, "", MergeRule.UNION, False,
         "these planes come from one source", "V4L2 queues with one allocator device"),
    _row(0x22, "different-source", _FLAG, "", MergeRule.UNION, False,
         "no two of these planes come from one source", "Exynos MFC v5, two memory banks"),
)  # fmt: skip

REGISTRY: Mapping[int, ConstraintType] = MappingProxyType({row.type: row for row in ROWS})
BY_NAME: Mapping[str, ConstraintType] = MappingProxyType({row.name: row for row in ROWS})
