"""Merging: a lattice meet over what constraints say.

A demand (demand.py) has a value for each type, and for each type and plane. `TOP` says nothing;
`BOTTOM` is a demand that nothing can meet, and it carries no reason, because a
reason would depend on the order of merging. Which requirements contradict each
other is worked out from the inputs (conflict.py).

`meet` is commutative, associative and idempotent. Each value meets by the rule
of its row (merge_rule.py). On top of that come the tests across types
(contradiction.py): a pitch alignment above the greatest pitch, planes that must
and must not share a source. Each of them asks whether the set of things that
meet the demand is empty, and that set only ever shrinks: a demand that fails
such a test fails it whatever else is merged in, so the meet stays associative.

A type that this side does not know is a set of values that is carried on; if it
must be understood, nothing here can meet it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, TypeAlias, TypeVar

from heapwire.protocol.solver.demand.contradiction import contradicts
from heapwire.protocol.solver.demand.demand import PAIRS_OF, Demand, Key
from heapwire.protocol.solver.demand.merge_rule import (
    MEETS,
    UINT_MAX,
    MergedValue,
    as_sources,
    nearest,
)
from heapwire.protocol.solver.step_budget import StepBudget
from heapwire.protocol.values import (
    ALL_PLANES,
    MAX_PLANES,
    REGISTRY,
    Constraint,
    ConstraintType,
    MergeRule,
    Provenance,
    RelationType,
    SourceId,
    SourcesType,
    Value,
    ValueKind,
)

Substitutes: TypeAlias = Mapping[SourceId, tuple[SourceId, ...]]
"""For a source those that always serve in its place."""


class Bottom(Enum):
    """The type of `BOTTOM`."""

    BOTTOM = "nothing can meet this"


BOTTOM: Final = Bottom.BOTTOM
"""The demand that nothing can meet."""

TOP: Final = Demand()
"""The demand that anything meets."""

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
    budget: StepBudget | None = None,
) -> Demand | Bottom:
    """What some constraints of one participant demand together.

    Of a format with fewer than four `planes`, what is said of the others is nothing.
    `substitutes` names for a source those that always serve in its place. A
    constraint that means nothing (`fault`) is one that nothing can meet. Lists that grow as
    they merge are paid for from the `budget`; who calls pays for the constraints.
    """
    whole: dict[int, MergedValue] = {}
    own: dict[Key, MergedValue] = {}
    carried: dict[Key, set[Value]] = {}
    present = (1 << planes) - 1
    for constraint in constraints:
        row = registry.get(constraint.type)
        if row is None:
            if constraint.must_understand:
                return BOTTOM
            key = (constraint.type, constraint.planes)
            carried.setdefault(key, set()).add(constraint.value)
            continue
        if row.condition:
            continue
        spoken = constraint.planes & present
        # Planes 0 is the buffer as a whole; a mask of which nothing is left would
        # become just that, and demand of every plane what was said of an absent one.
        if constraint.planes and not spoken and (row.per_plane or row.is_relation):
            continue
        plain = _plain_number(row, constraint)
        if plain is not None:
            value: MergedValue = plain
        elif fault(constraint, registry) is None:
            value = _lifted(row, constraint, present, substitutes)
            if budget is not None and isinstance(value, tuple | frozenset):
                budget.spend(len(value))
        else:
            return BOTTOM
        if spoken and row.per_plane:
            for plane in _BITS[spoken]:
                if not _put(own, (constraint.type, plane), value, row, budget):
                    return BOTTOM
        elif not _put(whole, constraint.type, value, row, budget):
            return BOTTOM
    if not carried:
        return Demand(whole, own)
    return Demand(whole, own, {key: frozenset(others) for key, others in carried.items()})


_AnyKey = TypeVar("_AnyKey", int, Key)


def _put(
    values: dict[_AnyKey, MergedValue],
    key: _AnyKey,
    value: MergedValue,
    row: ConstraintType,
    budget: StepBudget | None,
) -> bool:
    """Merge a value of a type into what is there; False when that leaves nothing."""
    before = values.setdefault(key, value)
    if before is value or before == value:
        return True
    met = MEETS[row.merge](before, value)
    if met is None:
        return False
    if budget is not None and isinstance(met, tuple):
        budget.spend(len(met))
    values[key] = met
    return True


def _plain_number(row: ConstraintType, constraint: Constraint) -> int | None:
    """The number in a constraint that a glance shows to mean something; None needs `fault`.

    Most constraints are positive numbers. What passes here is what `fault` would pass
    and `_lifted` would leave as it is: alignments and masks are not 0, types of which
    only 0 and 1 mean anything (EQUAL) take the long way, and so does a bool.
    """
    value = constraint.value
    if (
        type(value) is int
        and (row.kind is ValueKind.UINT or row.kind is ValueKind.MASK)
        and row.merge is not MergeRule.EQUAL
        and 0 < value <= UINT_MAX
        and 0 <= constraint.planes <= ALL_PLANES
    ):
        return value
    return None


_BITS: Final = tuple(
    tuple(plane for plane in range(MAX_PLANES) if planes >> plane & 1)
    for planes in range(ALL_PLANES + 1)
)


def _lifted(
    row: ConstraintType, constraint: Constraint, present: int, substitutes: Substitutes
) -> MergedValue:
    """A constraint's value as demands have it; `fault` has found nothing wrong with it."""
    if row.is_relation:
        return PAIRS_OF[(constraint.planes or ALL_PLANES) & present]
    value = constraint.value
    match row.kind, value:
        case ValueKind.SOURCES, tuple(entries):
            sources = [entry for entry in entries if isinstance(entry, SourceId)]
            return frozenset(sources).union(*(substitutes.get(source, ()) for source in sources))
        case ValueKind.PAIRS, tuple(entries):
            # Sorted, and of a device named twice the lesser number counts.
            return nearest(tuple([entry for entry in entries if isinstance(entry, tuple)]), ())
        case ValueKind.RANGE, (int(lowest), int(highest)):
            return (lowest, highest)
    assert isinstance(value, int | bytes), value
    return value


def meet(mine: Demand | Bottom, yours: Demand | Bottom) -> Demand | Bottom:
    """What both demand."""
    return join((mine, yours))


def join(
    demands: Iterable[Demand | Bottom],
    registry: Mapping[int, ConstraintType] = REGISTRY,
    budget: StepBudget | None = None,
) -> Demand | Bottom:
    """What all of them demand: `meet` over any number, with one test at the end.

    `budget` pays as in `lift`.
    """
    whole: dict[int, MergedValue] = {}
    own: dict[Key, MergedValue] = {}
    carried: dict[Key, frozenset[Value]] = {}
    for demand in demands:
        if demand is BOTTOM:
            return BOTTOM
        for key, others in demand.carried.items():
            carried[key] = carried.get(key, frozenset()) | others
        for type_, value in demand.whole.items():
            if not _put(whole, type_, value, registry[type_], budget):
                return BOTTOM
        for key, value in demand.own.items():
            if not _put(own, key, value, registry[key[0]], budget):
                return BOTTOM
    joined = Demand(whole, own, carried)
    return BOTTOM if contradicts(joined, registry) else joined


def spell(demand: Demand, inputs: Iterable[Constraint]) -> tuple[Constraint, ...]:
    """A demand as constraints again, in a fixed order.

    Each has the lowest provenance of the inputs of its type, and must be
    understood if one of them must. Relations come from the inputs themselves.
    Sources are in the order of the first input that lists some, and what stands in for
    these comes last.
    """
    inputs = tuple(inputs)
    lowest: dict[int, Provenance] = {}
    understand: dict[int, bool] = {}
    relations: set[Constraint] = set()
    for constraint in inputs:
        type_ = constraint.type
        lowest[type_] = min(lowest.get(type_, constraint.provenance), constraint.provenance)
        understand[type_] = understand.get(type_, False) or constraint.must_understand
        if isinstance(REGISTRY.get(type_), RelationType):
            relations.add(constraint)
    spelled = list(relations)

    def add(type_: int, value: Value, planes: int) -> None:
        spelled.append(
            Constraint(
                type=type_,
                value=value,
                planes=planes,
                must_understand=understand[type_],
                provenance=lowest[type_],
            )
        )

    for type_, planes, merged in (
        *((type_, 0, merged) for type_, merged in demand.whole.items()),
        *((type_, 1 << plane, merged) for (type_, plane), merged in demand.own.items()),
    ):
        row = REGISTRY.get(type_)
        if isinstance(row, SourcesType):
            add(type_, _in_order(row, as_sources(merged), planes, inputs), planes)
        elif not isinstance(row, RelationType):
            assert not isinstance(merged, frozenset)
            add(type_, merged, planes)
    for (type_, planes), values in demand.carried.items():
        for value in values:
            add(type_, value, planes)
    return tuple(sorted(spelled, key=_order))


def _in_order(
    row: SourcesType, merged: frozenset[SourceId], planes: int, inputs: Iterable[Constraint]
) -> tuple[SourceId, ...]:
    """Merged sources of a plane, or of the buffer, as the first input about it lists them."""
    lists = (row.of(one) for one in inputs if not one.planes or not planes or one.planes & planes)
    first = next((listed for listed in lists if listed), ())
    rank = {source: place for place, source in enumerate(first)}
    return tuple(sorted(merged, key=lambda source: (rank.get(source, len(rank)), source)))


def _order(constraint: Constraint) -> tuple[int, int, bool, int, str]:
    """A fixed order of constraints; only what carries several values looks at them."""
    row = REGISTRY.get(constraint.type)
    return (
        constraint.type,
        constraint.planes,
        constraint.must_understand,
        constraint.provenance,
        "" if row is not None else constraint.value_in_order,
    )
