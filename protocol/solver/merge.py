"""Merging: a lattice meet over what constraints say.

A merged demand is a mapping (type, plane) -> value. The plane is `WHOLE` for
what is said of the buffer, or of each of its planes. `TOP` says nothing;
`BOTTOM` is a demand that nothing can meet, and it carries no reason, because a
reason would depend on the order of merging. Which requirements contradict each
other is worked out from the inputs (conflict.py).

`meet` is commutative, associative and idempotent. Each value meets by the rule
of its row (values/registry.py). On top of that come the tests across types:
a pitch alignment above the greatest pitch, planes that must and must not share
a source. Each of them asks whether the set of things that meet the demand is
empty, and that set only ever shrinks: a demand that fails such a test fails it
whatever else is merged in, so the meet stays associative.

A type that this side does not know is a set of values that is carried on; if it
must be understood, nothing here can meet it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, TypeAlias, cast

from heapwire.protocol.solver.contradiction import contradicts
from heapwire.protocol.solver.merge_rule import (
    MEETS,
    PAIRS_OF,
    UINT_MAX,
    WHOLE,
    Key,
    Merged,
    MergedValue,
    nearest,
)
from heapwire.protocol.values import (
    ALL_PLANES,
    MAX_PLANES,
    REGISTRY,
    Constraint,
    ConstraintType,
    DeviceId,
    MergeRule,
    Provenance,
    SourceId,
    Value,
    ValueKind,
)

Substitutes: TypeAlias = Mapping[SourceId, tuple[SourceId, ...]]


class Bottom(Enum):
    """The type of `BOTTOM`."""

    BOTTOM = "nothing can meet this"


BOTTOM: Final = Bottom.BOTTOM
TOP: Final[Merged] = MappingProxyType({})

_NO_SUBSTITUTES: Substitutes = MappingProxyType({})


def fault(constraint: Constraint, registry: Mapping[int, ConstraintType] = REGISTRY) -> str | None:
    """What is wrong with a constraint in itself, None if nothing is.

    A value has the kind of its row; an alignment of 0, an empty list or range
    and a number beyond 64 bits mean nothing.
    """
    row = registry.get(constraint.type)
    if not 0 <= constraint.planes <= ALL_PLANES:
        return f"planes {constraint.planes:#x} is not a mask of {MAX_PLANES} planes"
    if row is None:
        return None
    wrong = _value_fault(row, constraint.value)
    return None if wrong is None else f"{row.name}: {wrong}"


def _value_fault(row: ConstraintType, value: Value) -> str | None:
    match row.kind, value:
        case ((ValueKind.UINT | ValueKind.MASK), bool()):
            return f"{value} is not a number"
        case ((ValueKind.UINT | ValueKind.MASK), int(number)):
            if not 0 <= number <= UINT_MAX:
                return f"{number} does not fit 64 bits"
            if number == 0 and row.merge is MergeRule.LCM:
                return "nothing is a multiple of 0"
            if number == 0 and row.kind is ValueKind.MASK:
                return "the mask is empty: nothing would do"
            if row.merge is MergeRule.EQUAL and number > 1:
                return f"{number} is neither 0 nor 1"
            return None
        case ValueKind.FLAG, 1:
            return None
        case ValueKind.RANGE, (int(lowest), int(highest)):
            return None if 0 <= lowest <= highest <= UINT_MAX else "the range is empty"
        case ValueKind.SOURCES, tuple(entries):
            if not entries:
                return "the list is empty: nothing would be permitted"
            return None if all(isinstance(entry, SourceId) for entry in entries) else "no sources"
        case ValueKind.PAIRS, tuple(entries):
            return None if entries else "no device is named"
        case ValueKind.BYTES, bytes():
            return None
    return f"{value!r} is not of the kind {row.kind.value}"


def lift(
    constraints: Iterable[Constraint],
    *,
    planes: int = MAX_PLANES,
    substitutes: Substitutes = _NO_SUBSTITUTES,
    registry: Mapping[int, ConstraintType] = REGISTRY,
) -> Merged | Bottom:
    """What some constraints of one participant demand together.

    Of a format with fewer than four `planes`, what is said of the others is nothing.
    `substitutes` names for a source those that always serve in its place. A
    constraint that means nothing (`fault`) is one that nothing can meet.
    """
    merged: dict[Key, MergedValue] = {}
    present = (1 << planes) - 1
    for constraint in constraints:
        row = registry.get(constraint.type)
        if row is None:
            if constraint.must_understand:
                return BOTTOM
            key = (constraint.type, constraint.planes)
            carried = cast("frozenset[Value]", merged.get(key, frozenset()))
            merged[key] = carried | {constraint.value}
            continue
        if row.condition:
            continue
        spoken = constraint.planes & present
        if constraint.planes and not spoken and (row.per_plane or row.is_relation):
            continue
        if _plain(row, constraint):
            value = cast("MergedValue", constraint.value)
        elif fault(constraint, registry) is None:
            value = _lifted(row, constraint, present, substitutes)
        else:
            return BOTTOM
        for plane in _BITS[spoken] if row.per_plane else _EACH:
            key = (constraint.type, plane)
            mine = merged.get(key)
            if mine is None:
                merged[key] = value
            elif mine != value:
                met = MEETS[row.merge](mine, value)
                if met is None:
                    return BOTTOM
                merged[key] = met
    return merged


def _plain(row: ConstraintType, constraint: Constraint) -> bool:
    """Whether a glance shows that a constraint means something: most are positive numbers."""
    value = constraint.value
    return (
        type(value) is int
        and (row.kind is ValueKind.UINT or row.kind is ValueKind.MASK)
        and row.merge is not MergeRule.EQUAL
        and 0 < value <= _PLAIN
        and 0 <= constraint.planes <= ALL_PLANES
    )


_PLAIN: Final = 1 << 32

_EACH: Final[tuple[int, ...]] = (WHOLE,)
_BITS: Final = tuple(
    tuple(plane for plane in range(MAX_PLANES) if planes >> plane & 1) or _EACH
    for planes in range(ALL_PLANES + 1)
)


def _lifted(
    row: ConstraintType, constraint: Constraint, present: int, substitutes: Substitutes
) -> MergedValue:
    if row.is_relation:
        return PAIRS_OF[(constraint.planes or ALL_PLANES) & present]
    if row.kind is ValueKind.SOURCES:
        sources = cast("tuple[SourceId, ...]", constraint.value)
        return frozenset(sources).union(*(substitutes.get(source, ()) for source in sources))
    if row.kind is ValueKind.PAIRS:
        # Sorted, and of a device named twice the lesser number counts.
        return nearest(cast("tuple[tuple[DeviceId, int], ...]", constraint.value), ())
    return cast("MergedValue", constraint.value)


def meet(one: Merged | Bottom, other: Merged | Bottom) -> Merged | Bottom:
    """What both demand."""
    return join((one, other))


def join(
    demands: Iterable[Merged | Bottom], registry: Mapping[int, ConstraintType] = REGISTRY
) -> Merged | Bottom:
    """What all of them demand: `meet` over any number, with one test at the end."""
    merged: dict[Key, MergedValue] = {}
    for demand in demands:
        if demand is BOTTOM:
            return BOTTOM
        if not merged:
            merged.update(demand)
            continue
        for key, value in demand.items():
            mine = merged.get(key)
            if mine is None:
                merged[key] = value
            elif mine is not value and mine != value:
                row = registry.get(key[0])
                met = (
                    cast("frozenset[Value]", mine) | cast("frozenset[Value]", value)
                    if row is None
                    else MEETS[row.merge](mine, value)
                )
                if met is None:
                    return BOTTOM
                merged[key] = met
    return BOTTOM if contradicts(merged) else merged


def spell(merged: Merged, inputs: Iterable[Constraint]) -> tuple[Constraint, ...]:
    """A merged demand as constraints again, in a fixed order.

    Each has the weakest provenance of the inputs of its type, and must be
    understood if one of them must. Relations come from the inputs themselves.
    """
    weakest: dict[int, Provenance] = {}
    understand: dict[int, bool] = {}
    relations: set[Constraint] = set()
    for constraint in inputs:
        type_ = constraint.type
        weakest[type_] = min(weakest.get(type_, constraint.provenance), constraint.provenance)
        understand[type_] = understand.get(type_, False) or constraint.must_understand
        row = REGISTRY.get(type_)
        if row is not None and row.is_relation:
            relations.add(constraint)
    spelled = list(relations)
    for (type_, plane), value in merged.items():
        row = REGISTRY.get(type_)
        if row is not None and row.is_relation:
            continue
        values: tuple[Value, ...]
        if row is None:
            values = tuple(cast("frozenset[Value]", value))
        elif row.kind is ValueKind.SOURCES:
            values = (tuple(sorted(cast("frozenset[SourceId]", value))),)
        else:
            values = (cast("Value", value),)
        planes = 0 if plane == WHOLE else plane if row is None else 1 << plane
        spelled += [
            Constraint(
                type=type_,
                value=one,
                planes=planes,
                must_understand=understand[type_],
                provenance=weakest[type_],
            )
            for one in values
        ]
    return tuple(sorted(spelled, key=_order))


def _order(one: Constraint) -> tuple[int, int, bool, int, str]:
    """A fixed order of constraints; only what carries several values looks at them."""
    row = REGISTRY.get(one.type)
    return (
        one.type,
        one.planes,
        one.must_understand,
        one.provenance,
        "" if row is not None else repr(one.value),
    )
