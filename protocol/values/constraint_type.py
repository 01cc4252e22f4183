"""What the registry says of a type of constraint: one row, and a class for each kind of value.

A type is a u32: the vendor id of drm_fourcc.h in the top 8 bits (0 is nobody:
the general types) and a code in the lower 24.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar


class ValueKind(Enum):
    """What a value is in Python, and how it travels (wire/constraint_value.py)."""

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

    Its class says of what kind its value is, so that who reads a value by its
    type knows what Python has in hand (`demand.uint(PITCH_ALIGNMENT)`).
    """

    kind: ClassVar[ValueKind]

    type: int = field(init=False)
    """The u32 of the wire."""
    code: int
    name: str
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "type", self.vendor << 24 | self.code)

    @property
    def is_relation(self) -> bool:
        """Whether it ties planes together: its planes are its value."""
        return isinstance(self, RelationType)


class UintType(ConstraintType):
    """A type whose value is a number."""

    __slots__ = ()
    kind = ValueKind.UINT


class FlagType(ConstraintType):
    """A type whose presence is all."""

    __slots__ = ()
    kind = ValueKind.FLAG


class RelationType(FlagType):
    """A flag that ties planes together or keeps them apart."""

    __slots__ = ()


class RangeType(ConstraintType):
    """A type whose value is the lowest and the highest number, both inclusive."""

    __slots__ = ()
    kind = ValueKind.RANGE


class MaskType(ConstraintType):
    """A type whose value is a set of small numbers, the bits of a mask."""

    __slots__ = ()
    kind = ValueKind.MASK


class SourcesType(ConstraintType):
    """A type whose value is a list of sources, best first."""

    __slots__ = ()
    kind = ValueKind.SOURCES


class PairsType(ConstraintType):
    """A type whose value has a number for each of some devices."""

    __slots__ = ()
    kind = ValueKind.PAIRS


class BytesType(ConstraintType):
    """A type whose value is bytes that only its vendor reads."""

    __slots__ = ()
    kind = ValueKind.BYTES
