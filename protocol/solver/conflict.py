"""The smallest set of requirements that contradict each other.

What was asked for and cannot be had is a set of *atoms*: (participant,
constraint), and two that the content and the stream contribute. Most conflicts
are a single requirement that nothing here meets, or two that exclude each
other: these are tried as they are. Else atoms are dropped one after the other,
in a fixed order; one whose absence leaves the rest unsatisfiable was not needed
for the conflict. What remains is minimal: without any one of it, the rest can
be met. Whole participants are tried first, since most have nothing to do with
it. Only when no (fourcc, modifier) pair is known to everyone are the lists of
formats the conflict, found the same way.

The order in which atoms are dropped depends on names, types and values alone,
so the conflict is the same for every order of arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from heapwire.protocol.solver.constraint_sentence import (
    Names,
    listed,
    requirement,
    source_name,
    source_names,
)
from heapwire.protocol.solver.fixed_layout import changes
from heapwire.protocol.solver.merge import BOTTOM, lift
from heapwire.protocol.solver.merged_group import group_of
from heapwire.protocol.solver.prepared_goal import PreparedGoal
from heapwire.protocol.solver.prepared_participant import (
    CONTENT,
    STREAM,
    PreparedParticipant,
    substitutes_of,
)
from heapwire.protocol.solver.search import Search
from heapwire.protocol.solver.source_check import RULES
from heapwire.protocol.values import (
    REGISTRY,
    ConflictMember,
    Constraint,
    FailureReason,
    FixedBuffer,
    FormatModifier,
    fourcc_name,
    modifier_name,
)

_TRIED_WHOLE = 2  # conflicts of so many members are looked for as they are: nothing is smaller
_MOST_TRIED_WHOLE = 24  # atoms; more pairs than these make take too long to try
_NAMED = 3  # formats or sources that a sentence lists before it says how many more there are


@dataclass(frozen=True, slots=True)
class Atom:
    """One thing that can be dropped; without a constraint it is the stream's amount."""

    participant: str
    constraint: Constraint | None


_STREAM: Final = Atom(STREAM, None)


def conflict_of(goal: PreparedGoal) -> tuple[FailureReason, tuple[ConflictMember, ...]]:
    """Why a goal that has no plan has none; `TooComplexError` if that cannot be told."""
    if not Search(goal).common:
        return FailureReason.NO_FORMAT, _formats_in_conflict(goal)
    if not goal.problem.sources:
        return FailureReason.NO_SOURCE, ()
    kept = _reduced(goal, _atoms(goal.participants))
    names = source_names(goal.problem)
    members = tuple(
        ConflictMember(
            participant=atom.participant,
            constraint=atom.constraint,
            planes=atom.constraint.planes if atom.constraint is not None else 0,
            text=_text(goal, atom, names),
        )
        for atom in sorted(kept, key=_order)
    )
    return FailureReason.CONFLICT, members


def _atoms(participants: Sequence[PreparedParticipant]) -> list[Atom]:
    """Everything that can be dropped, in the order in which that is tried."""
    atoms = {
        Atom(participant.name, constraint)
        for participant in participants
        for position in participant.positions
        for constraint in participant.constraints(position)
    }
    return [_STREAM, *sorted(atoms, key=_order)]


def _order(atom: Atom) -> tuple[bool, str, int, int, str, bool, int]:
    """A total order: what the content and the stream say first, then by name and type."""
    constraint = atom.constraint
    first = atom.participant not in (CONTENT, STREAM)
    if constraint is None:
        return first, atom.participant, -1, 0, "", False, 0
    return (
        first,
        atom.participant,
        constraint.type,
        constraint.planes,
        repr(constraint.value),
        constraint.must_understand,
        constraint.provenance,
    )


def _reduced(goal: PreparedGoal, atoms: list[Atom]) -> set[Atom]:
    """A minimal subset of the atoms that still cannot be met."""
    # What fails with nothing asked for fails by the picture or the buffer itself.
    if not _possible(goal, set()):
        return set()
    for size in range(1, _TRIED_WHOLE + 1):
        if size > 1 and len(atoms) > _MOST_TRIED_WHOLE:
            break
        # The smallest sizes first, so that no subset of what is found is a conflict too.
        for few in combinations(atoms, size):
            if not _possible(goal, set(few)):
                return set(few)
    kept = set(atoms)
    for participant in dict.fromkeys(atom.participant for atom in atoms):
        fewer = {atom for atom in kept if atom.participant != participant}
        if not _possible(goal, fewer):
            kept = fewer
    # What can be met stays so when less is asked for, so an atom that was needed once stays
    # needed while others go: one pass over all of them leaves a minimal set.
    for atom in atoms:
        if atom in kept and not _possible(goal, kept - {atom}):
            kept.discard(atom)
    return kept


def _possible(goal: PreparedGoal, kept: set[Atom]) -> bool:
    """Whether there is any plan when only these atoms are asked for."""
    asking = goal.with_participants(
        [_silenced(participant, kept) for participant in goal.participants],
        heeds_capacity=_STREAM in kept,
    )
    return bool(Search(asking).plans(limit=1))


def _silenced(participant: PreparedParticipant, kept: set[Atom]) -> PreparedParticipant:
    dropped = frozenset(
        constraint
        for position in participant.positions
        for constraint in participant.constraints(position)
        if Atom(participant.name, constraint) not in kept
    )
    return participant.without(dropped) if dropped else participant


def _formats_in_conflict(goal: PreparedGoal) -> tuple[ConflictMember, ...]:
    """The fewest lists of formats with nothing in common."""
    offering = sorted(
        (participant for participant in goal.participants if participant.offers is not None),
        key=lambda participant: participant.name,
    )
    kept = offering
    for participant in offering:
        fewer = [other for other in kept if other is not participant]
        if fewer and not Search(goal.with_participants(fewer)).common:
            kept = fewer
    return tuple(
        ConflictMember(
            participant=participant.name,
            constraint=None,
            planes=0,
            text=f"{participant.name} can use only {_pairs_text(participant.offers)}"
            if participant.offers
            else f"{participant.name} has no format for such content",
        )
        for participant in kept
    )


def _pairs_text(pairs: Iterable[FormatModifier]) -> str:
    ordered = sorted(pairs)
    shown = [
        f"{fourcc_name(pair.fourcc)} {modifier_name(pair.modifier)}" for pair in ordered[:_NAMED]
    ]
    more = len(ordered) - len(shown)
    return listed([*shown, f"{more} more"] if more else shown)


def _text(goal: PreparedGoal, atom: Atom, names: Names) -> str:
    """The requirement, and what of this machine and this stream does not meet it."""
    constraint = atom.constraint
    if constraint is None:
        held = goal.problem.counts.total
        return f"{STREAM} needs {held} buffers at the same time; no source has room for them"
    text = requirement(atom.participant, constraint, names)
    if constraint.type in RULES:
        failing = _failing(goal, constraint)
        if failing:
            return f"{text}; {failing}"
    row = REGISTRY.get(constraint.type)
    if row is not None and row.subject.picture is not None:
        return f"{text}; the picture is {row.subject.picture(goal.problem.extents)}"
    return text


def _failing(goal: PreparedGoal, constraint: Constraint) -> str:
    """`heap system is not`: the sources that do not meet a constraint by themselves."""
    demand = lift((constraint,), substitutes=substitutes_of(goal.problem))
    if demand is BOTTOM:
        return ""
    check = goal.sources.check
    meeting = check.everything
    for (type_, _), value in demand.values.items():
        meeting &= check.meeting(type_, value)
    names = [
        source_name(source)
        for position, source in enumerate(check.sources)
        if not meeting >> position & 1
    ]
    if not names:
        return ""
    if not meeting:
        return "no source is"
    more = len(names) - _NAMED
    shown = [*names[:_NAMED], f"{more} more"] if more > 0 else names
    return f"{listed(shown)} {'is' if len(names) == 1 else 'are'} not"


def conflict_message(
    goal: PreparedGoal, reason: FailureReason, conflict: tuple[ConflictMember, ...]
) -> str:
    """One line for logs: the conflict's sentences, or what a fixed buffer would need."""
    if reason is FailureReason.NO_SOURCE:
        return "there is no source of memory"
    text = "; ".join(member.text for member in conflict)
    fixed = goal.problem.fixed
    if fixed is None or reason is not FailureReason.CONFLICT:
        return text or "nothing meets every requirement"
    return "; ".join(_fewest_changes(goal, fixed)) or text or "the buffer is not usable"


def _fewest_changes(goal: PreparedGoal, fixed: FixedBuffer) -> list[str]:
    """The smallest changes to a fixed buffer, for the choice of sets that needs the fewest."""
    best: list[str] | None = None
    planes = max(1, len(fixed.layout.planes))
    for choice, _ in Search(goal).choices():
        group = group_of(goal, choice, planes)
        if group is None:
            continue
        needed = [str(change) for change in changes(fixed, group.demand, goal.problem.extents)]
        if best is None or (len(needed), needed) < (len(best), best):
            best = needed
    return best or []
