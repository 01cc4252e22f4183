"""The ladder: what becomes of facts about the same thing that stand on different rungs.

A fact is a constraint for some pairs of a device's use; its provenance is its rung.
Two facts are about the same thing if they have the same type and planes. Two more are
if both say which memory will do, each in its own way: a list of sources (`PERMITTED_SOURCES`)
and the demand for contiguous memory. Of such facts the higher rung overrules the lower,
unless the lower one is more exact: what a kernel says of all formats of a device does not
overrule what is known of one of them, and only the user's word does. What is not overruled
adds up. When a set applies is no fact about the device, and overrules no more than what is
presumed of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import (
    CONTIGUOUS,
    PERMITTED_SOURCES,
    REGISTRY,
    Constraint,
    ConstraintSet,
    FormatModifier,
    Provenance,
    Usage,
)

_THESE: frozenset[FormatModifier] = frozenset()  # just the pairs at hand, whichever they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What is known of one use of a device; `pairs` are those that it speaks of, None for all."""

    constraint: Constraint
    pairs: frozenset[FormatModifier] | None = None

    def speaks_of(self, pair: FormatModifier) -> bool:
        """Whether it holds for a pair."""
        return self.pairs is None or pair in self.pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Overruled:
    """A fact that a higher rung speaks against, for the pairs that both speak of."""

    usage: Usage
    constraint: Constraint
    by: Constraint
    pairs: tuple[FormatModifier, ...]


@dataclass(frozen=True, slots=True)
class Resolution:
    """The sets of a use by what holds, and what does not hold any more."""

    sets: tuple[ConstraintSet, ...]
    overruled: tuple[Overruled, ...]


def resolve(usage: Usage, sets: Iterable[ConstraintSet], facts: Iterable[Fact]) -> Resolution:
    """The sets of one use of a device with the facts that hold for their pairs.

    What the kernel says in a set is about the device as a whole; the rest is
    about just those pairs. A set is divided where other facts hold for some of its
    pairs; its parts stand in its place, in the order of its pairs.
    """
    known = tuple(facts)
    divided: list[ConstraintSet] = []
    lost: dict[tuple[Constraint, Constraint], dict[FormatModifier, None]] = {}
    for constraint_set in sets:
        own = tuple(
            Fact(
                constraint=constraint,
                pairs=None if constraint.provenance is Provenance.KERNEL else _THESE,
            )
            for constraint in constraint_set.constraints
        )
        costs = constraint_set.costs or (0,) * len(constraint_set.formats)
        parts: dict[tuple[Fact, ...], list[tuple[FormatModifier, int]]] = {}
        for pair, cost in zip(constraint_set.formats, costs, strict=True):
            spoken = tuple(fact for fact in known if fact.speaks_of(pair))
            parts.setdefault(spoken, []).append((pair, cost))
        for spoken, entries in parts.items():
            holding, overruled = _settled((*own, *spoken))
            pairs = tuple(pair for pair, _ in entries)
            for contradiction in overruled:
                lost.setdefault(contradiction, {}).update(dict.fromkeys(pairs))
            divided.append(
                ConstraintSet(
                    formats=pairs,
                    constraints=holding,
                    costs=tuple(cost for _, cost in entries) if constraint_set.costs else (),
                    provenance=constraint_set.provenance,
                    source=constraint_set.source,
                )
            )
    return Resolution(
        tuple(divided),
        tuple(
            Overruled(usage=usage, constraint=constraint, by=by, pairs=tuple(pairs))
            for (constraint, by), pairs in lost.items()
        ),
    )


def _settled(
    facts: Sequence[Fact],
) -> tuple[tuple[Constraint, ...], tuple[tuple[Constraint, Constraint], ...]]:
    """Of facts that speak of one pair those that hold, each once, and what they contradict.

    Of the latter each comes with the fact on the highest rung that overrules it; what says the
    same as that is no contradiction.
    """
    holding: dict[Constraint, None] = {}
    lost: dict[Constraint, Constraint] = {}
    for fact in facts:
        against = [other.constraint for other in facts if _overrules(other, fact)]
        if against:
            by = max(against, key=lambda constraint: constraint.provenance)
            if (by.type, by.value) != (fact.constraint.type, fact.constraint.value):
                lost[fact.constraint] = by
        else:
            holding[fact.constraint] = None
    return tuple(holding), tuple(lost.items())


def _overrules(higher: Fact, lower: Fact) -> bool:
    mine, theirs = higher.constraint, lower.constraint
    if mine.provenance <= theirs.provenance:
        return False
    if _conditional(mine) and theirs.provenance is not Provenance.PRESUMPTION:
        return False
    if lower.pairs is not None and higher.pairs is None and mine.provenance < Provenance.USER:
        return False
    if mine.type == PERMITTED_SOURCES.type and mine.planes in (0, theirs.planes):
        return theirs.type in (PERMITTED_SOURCES.type, CONTIGUOUS.type)
    return (mine.type, mine.planes) == (theirs.type, theirs.planes)


def _conditional(constraint: Constraint) -> bool:
    """Whether it says when a set applies, which is no fact about the device."""
    row = REGISTRY.get(constraint.type)
    return row is not None and row.condition
