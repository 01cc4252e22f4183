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

from heapwire.protocol.solver.constraint_sentence import (
    Names,
    listed,
    requirement,
    source_name,
    source_names,
)
from heapwire.protocol.solver.merge import BOTTOM, lift
from heapwire.protocol.solver.prepared_participant import (
    CONTENT,
    NO_SET,
    STREAM,
    PreparedParticipant,
    substitutes_of,
)
from heapwire.protocol.solver.ranked_sources import RankedSources
from heapwire.protocol.solver.search import Search
from heapwire.protocol.solver.source_check import RULES
from heapwire.protocol.values import (
    REGISTRY,
    ConflictMember,
    Constraint,
    FailureReason,
    FormatModifier,
    Problem,
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


def conflict_of(
    problem: Problem, memory: RankedSources, voices: Sequence[PreparedParticipant]
) -> tuple[FailureReason, tuple[ConflictMember, ...]]:
    """Why a goal that has no plan has none; `TooComplexError` if that cannot be told."""
    if not Search(problem, memory, voices).common:
        return FailureReason.NO_FORMAT, _formats_in_conflict(problem, memory, voices)
    if not problem.sources:
        return FailureReason.NO_SOURCE, ()
    kept = _reduced(problem, memory, voices, _atoms(voices))
    names = source_names(problem)
    members = tuple(
        ConflictMember(
            participant=atom.participant,
            constraint=atom.constraint,
            planes=atom.constraint.planes if atom.constraint is not None else 0,
            text=_text(problem, memory, atom, names),
        )
        for atom in sorted(kept, key=_order)
    )
    return FailureReason.CONFLICT, members


def _atoms(voices: Sequence[PreparedParticipant]) -> list[Atom]:
    """Everything that can be dropped, in the order in which that is tried."""
    found = {
        Atom(voice.name, constraint)
        for voice in voices
        for position in (range(len(voice.sets)) if voice.sets else (NO_SET,))
        for constraint in voice.constraints(position)
    }
    return [Atom(STREAM, None), *sorted(found, key=_order)]


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


def _reduced(
    problem: Problem,
    memory: RankedSources,
    voices: Sequence[PreparedParticipant],
    atoms: list[Atom],
) -> set[Atom]:
    """A minimal subset of the atoms that still cannot be met."""
    if not _possible(problem, memory, voices, set()):
        return set()
    for size in range(1, _TRIED_WHOLE + 1):
        if size > 1 and len(atoms) > _MOST_TRIED_WHOLE:
            break
        for few in combinations(atoms, size):
            if not _possible(problem, memory, voices, set(few)):
                return set(few)
    kept = set(atoms)
    for participant in dict.fromkeys(atom.participant for atom in atoms):
        fewer = {atom for atom in kept if atom.participant != participant}
        if not _possible(problem, memory, voices, fewer):
            kept = fewer
    for atom in atoms:
        if atom in kept and not _possible(problem, memory, voices, kept - {atom}):
            kept.discard(atom)
    return kept


def _possible(
    problem: Problem, memory: RankedSources, voices: Sequence[PreparedParticipant], kept: set[Atom]
) -> bool:
    """Whether there is any plan when only these atoms are asked for."""
    return bool(
        Search(
            problem,
            memory,
            [_silenced(voice, kept) for voice in voices],
            capacity=Atom(STREAM, None) in kept,
        ).found(limit=1)
    )


def _silenced(voice: PreparedParticipant, kept: set[Atom]) -> PreparedParticipant:
    dropped = frozenset(
        constraint
        for position in (range(len(voice.sets)) if voice.sets else (NO_SET,))
        for constraint in voice.constraints(position)
        if Atom(voice.name, constraint) not in kept
    )
    return voice.without(dropped) if dropped else voice


def _formats_in_conflict(
    problem: Problem, memory: RankedSources, voices: Sequence[PreparedParticipant]
) -> tuple[ConflictMember, ...]:
    """The fewest lists of formats with nothing in common."""
    offering = [voice for voice in voices if voice.offers is not None]
    kept = list(offering)
    for voice in sorted(offering, key=lambda one: one.name):
        fewer = [other for other in kept if other is not voice]
        if fewer and not Search(problem, memory, fewer).common:
            kept = fewer
    return tuple(
        ConflictMember(
            participant=voice.name,
            constraint=None,
            planes=0,
            text=f"{voice.name} can use only {_pairs_text(voice.offers or ())}"
            if voice.offers
            else f"{voice.name} has no format for such content",
        )
        for voice in sorted(kept, key=lambda one: one.name)
    )


def _pairs_text(pairs: Iterable[FormatModifier]) -> str:
    ordered = sorted(pairs)
    shown = [
        f"{fourcc_name(pair.fourcc)} {modifier_name(pair.modifier)}" for pair in ordered[:_NAMED]
    ]
    more = len(ordered) - len(shown)
    return listed([*shown, f"{more} more"] if more else shown)


def _text(problem: Problem, memory: RankedSources, atom: Atom, names: Names) -> str:
    """The requirement, and what of this machine and this stream does not meet it."""
    constraint = atom.constraint
    if constraint is None:
        held = problem.counts.total
        return f"{STREAM} needs {held} buffers at the same time; no source has room for them"
    text = requirement(atom.participant, constraint, names)
    if constraint.type in RULES:
        failing = _failing(problem, memory, constraint)
        if failing:
            return f"{text}; {failing}"
    row = REGISTRY.get(constraint.type)
    if row is not None and row.subject.picture is not None:
        return f"{text}; the picture is {row.subject.picture(problem.extents)}"
    return text


def _failing(problem: Problem, memory: RankedSources, constraint: Constraint) -> str:
    """`heap system is not`: the sources that do not meet a constraint by themselves."""
    lifted = lift((constraint,), substitutes=substitutes_of(problem))
    if lifted is BOTTOM:
        return ""
    meeting = memory.judge.everything
    for (type_, _), value in lifted.items():
        meeting &= memory.judge.meeting(type_, value)
    names = [
        source_name(source)
        for position, source in enumerate(memory.sources)
        if not meeting >> position & 1
    ]
    if not names:
        return ""
    if not meeting:
        return "no source is"
    more = len(names) - _NAMED
    shown = [*names[:_NAMED], f"{more} more"] if more > 0 else names
    return f"{listed(shown)} {'is' if len(names) == 1 else 'are'} not"
