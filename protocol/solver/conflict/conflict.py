"""Why a goal has no plan: what cannot be met, as small as can be told, and in words.

What was asked for and cannot be had is a set of *atoms*: (participant, constraint), and two
that the content and the stream contribute (atom.py). The order in which they are dropped
depends on names, types and values alone, so the conflict is the same for every order of
arrival. Only when no (fourcc, modifier) pair is known to everyone are the lists of formats the
conflict, found the same way.
"""

from __future__ import annotations

from typing import Final

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.solver.conflict.atom import atom_order, atoms_of
from heapwire.protocol.solver.conflict.conflict_cases import ConflictCases
from heapwire.protocol.solver.conflict.conflict_text import atom_text, formats_text
from heapwire.protocol.solver.conflict.smallest_conflict import smallest_conflict
from heapwire.protocol.solver.constraint_sentence import source_names
from heapwire.protocol.solver.prepared_goal import PreparedGoal
from heapwire.protocol.solver.search import Search
from heapwire.protocol.solver.set_choice import common_pairs
from heapwire.protocol.solver.step_budget import TooComplexError
from heapwire.protocol.values import ConflictMember, FailureReason

MOST_NAMED: Final = 64
"""Members of a conflict that was not made smaller: nobody reads more."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Requirements that cannot all be met, and the kind of failure that this is.

    Without `proved_minimal` the steps ended before all members were tried: some may not be
    needed, and of more than `MOST_NAMED` the first are here.
    """

    reason: FailureReason
    members: tuple[ConflictMember, ...] = ()
    proved_minimal: bool = True


def conflict_of(search: Search) -> Conflict:
    """Why a goal has no plan that was searched in vain; `TooComplexError` if nobody can tell."""
    goal = search.goal
    goal.budget.doing = "looking for the requirements that contradict each other"
    if not search.common:
        return _formats_in_conflict(goal)
    if not goal.problem.sources:
        return Conflict(FailureReason.NO_SOURCE)
    goal.budget.spend(
        2 * sum([len(p.constraints(n)) for p in goal.participants for n in p.positions])
    )
    cases = ConflictCases(search, atoms_of(goal.participants))
    small = smallest_conflict(cases)
    kept = [atom for number, atom in enumerate(cases.atoms) if small.kept >> number & 1]
    names = source_names(goal.problem)
    members = tuple(
        ConflictMember(
            participant=atom.participant,
            constraint=atom.constraint,
            planes=atom.constraint.planes if atom.constraint is not None else 0,
            text=atom_text(goal, atom, names),
        )
        for atom in sorted(kept, key=atom_order)[:MOST_NAMED]
    )
    return Conflict(FailureReason.CONFLICT, members, small.proved_minimal)


def _formats_in_conflict(goal: PreparedGoal) -> Conflict:
    """The fewest lists of formats with nothing in common."""
    offering = sorted(
        (participant for participant in goal.participants if participant.offers is not None),
        key=lambda participant: participant.name,
    )
    kept = offering
    proved_minimal = True
    try:
        for participant in offering:
            fewer = [other for other in kept if other is not participant]
            if fewer and not Search(goal.with_participants(fewer)).common:
                kept = fewer
    except TooComplexError:
        proved_minimal = False
    # What all of these know all the same is what nobody here can lay out.
    shared = common_pairs(kept, goal.problem.fixed, goal.budget)
    unknown = [pair for pairs in shared.values() for pair in pairs]
    members = tuple(
        ConflictMember(
            participant=participant.name,
            constraint=None,
            planes=0,
            text=formats_text(
                participant, goal.problem, unknown if participant is kept[-1] else ()
            ),
        )
        for participant in kept
    )
    return Conflict(FailureReason.NO_FORMAT, members, proved_minimal)
