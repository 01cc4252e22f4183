"""What the registry says of a type of constraint: one row, and a class for each kind of value.

A type is a u32: the vendor id of drm_fourcc.h in the top 8 bits (0 is nobody:
the general types) and a code in the lower 24.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar

from heapwire.protocol.errors import UsageError
from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.values.constraint import Constraint
from heapwire.protocol.values.constraint_words import Subject, Unit
from heapwire.protocol.values.device_number import DeviceId
from heapwire.protocol.values.source import SourceId

_MAX_CODE = (1 << 24) - 1
_MAX_VENDOR = (1 << 8) - 1


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
    """One row of the registry, of the class for its kind of value.

    `source` says where the type comes from: the kernel file, specification or
    system that has it. `subject` is the property of the result that it bears
    on, and `says` what it demands of that property, as the end of a sentence:
    "a pitch that is" + "a multiple of {value}"; `{device}` is the device of a
    pair, `{not}` is "not " for 0 and else nothing. `unit` is what its numbers
    count. `bits` names the bits of a MASK. A `condition` never merges: it says
    when the set it stands in applies.

    The class says of what kind the value is, so that who reads a value by its
    type knows what Python has in hand (`demand.uint(PITCH_ALIGNMENT)`). Raises
    `UsageError` for a row that could not be sent, merged or explained.
    """

    kind: ClassVar[ValueKind]
    rules: ClassVar[frozenset[MergeRule]] = frozenset()
    """The rules that are lattice meets over values of this kind."""

    type: int = field(init=False)
    """The u32 of the wire."""
    code: int
    name: str
    merge: MergeRule
    subject: Subject
    says: str
    meaning: str
    source: str
    unit: Unit | None = None
    per_plane: bool = False
    vendor: int = 0
    bits: Mapping[int, str] = field(default_factory=dict, hash=False)
    condition: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "type", self.vendor << 24 | self.code)
        fault = self._fault()
        if fault is not None:
            raise UsageError(f"the constraint type {self.name!r}: {fault}")

    @property
    def is_relation(self) -> bool:
        """Whether it ties planes together: its planes are its value."""
        return isinstance(self, RelationType)

    @property
    def is_yes_or_no(self) -> bool:
        """Whether its value is 1 or 0, and 0 is a demand too."""
        return self.kind is ValueKind.UINT and self.merge is MergeRule.EQUAL

    def _fault(self) -> str | None:
        if self.merge not in self.rules:
            return f"{self.merge.name} is no rule for a {type(self).__name__}"
        if not 0 < self.code <= _MAX_CODE or not 0 <= self.vendor <= _MAX_VENDOR:
            return f"{self.vendor:#x} and {self.code:#x} are no vendor and code"
        counts = self.kind is ValueKind.UINT and not self.is_yes_or_no
        if (counts or self.kind is ValueKind.RANGE) and self.unit is None:
            return "its numbers have no unit"
        if (self.kind is ValueKind.MASK) != bool(self.bits):
            return "a mask names its bits, and nothing else has any"
        try:
            self.says.format_map({"value": "", "device": "", "not": ""})
        except (KeyError, ValueError):
            return f"{self.says!r} has more to fill in than value, device and not"
        return None


class UintType(ConstraintType):
    """A type whose value is a number."""

    __slots__ = ()
    kind = ValueKind.UINT
    rules = frozenset((MergeRule.LCM, MergeRule.MAX, MergeRule.MIN, MergeRule.EQUAL))

    def of(self, constraint: Constraint) -> int | None:
        """The number of a constraint of this type; None of any other."""
        return _number_of(self, constraint)


class FlagType(ConstraintType):
    """A type whose presence is all."""

    __slots__ = ()
    kind = ValueKind.FLAG
    rules = frozenset((MergeRule.ANY,))


class RelationType(FlagType):
    """A flag that ties planes together or keeps them apart."""

    __slots__ = ()
    rules = frozenset((MergeRule.UNION,))


class RangeType(ConstraintType):
    """A type whose value is the lowest and the highest number, both inclusive."""

    __slots__ = ()
    kind = ValueKind.RANGE
    rules = frozenset((MergeRule.INTERSECTION,))

    def of(self, constraint: Constraint) -> tuple[int, int] | None:
        """The lowest and the highest of a constraint of this type; None of any other."""
        match constraint.value:
            case (int(lowest), int(highest)) if constraint.type == self.type:
                return lowest, highest
        return None


class MaskType(ConstraintType):
    """A type whose value is a set of small numbers, the bits of a mask."""

    __slots__ = ()
    kind = ValueKind.MASK
    rules = frozenset((MergeRule.INTERSECTION, MergeRule.UNION))

    def of(self, constraint: Constraint) -> int | None:
        """The bits of a constraint of this type; None of any other."""
        return _number_of(self, constraint)


class SourcesType(ConstraintType):
    """A type whose value is a list of sources, best first."""

    __slots__ = ()
    kind = ValueKind.SOURCES
    rules = frozenset((MergeRule.INTERSECTION,))

    def of(self, constraint: Constraint) -> tuple[SourceId, ...]:
        """The sources in a constraint of this type; none in any other."""
        value = constraint.value
        if constraint.type != self.type or not isinstance(value, tuple):
            return ()
        return tuple([entry for entry in value if isinstance(entry, SourceId)])


class PairsType(ConstraintType):
    """A type whose value has a number for each of some devices."""

    __slots__ = ()
    kind = ValueKind.PAIRS
    rules = frozenset((MergeRule.NEAREST,))

    def of(self, constraint: Constraint) -> tuple[DeviceId, ...]:
        """The devices of a constraint of this type; none of any other."""
        value = constraint.value
        if constraint.type != self.type or not isinstance(value, tuple):
            return ()
        return tuple([entry[0] for entry in value if isinstance(entry, tuple)])


class BytesType(ConstraintType):
    """A type whose value is bytes that only its vendor reads."""

    __slots__ = ()
    kind = ValueKind.BYTES
    rules = frozenset((MergeRule.EQUAL,))


def _number_of(row: ConstraintType, constraint: Constraint) -> int | None:
    value = constraint.value
    return value if constraint.type == row.type and isinstance(value, int) else None
