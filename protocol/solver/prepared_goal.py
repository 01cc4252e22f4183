"""One goal of a problem with everything made ready that its answer depends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from heapwire.protocol.solver.prepared_participant import (
    PreparedParticipant,
    prepared,
    prepared_content,
    substitutes_of,
    without_wildcards,
)
from heapwire.protocol.solver.ranked_sources import RankedSources
from heapwire.protocol.values import Problem


@dataclass(frozen=True, slots=True, eq=False)
class PreparedGoal:
    """What the solver is asked for one goal.

    `participants` are the client's, the goal's own and the content, by name and
    the content last. `heeds_capacity`: buffers have to fit into their heaps
    (a conflict is looked for with and without that).
    """

    problem: Problem
    sources: RankedSources
    participants: Sequence[PreparedParticipant]
    name: str = ""
    scanout: bool = False
    heeds_capacity: bool = True

    def with_participants(
        self, participants: Sequence[PreparedParticipant], *, heeds_capacity: bool = True
    ) -> PreparedGoal:
        """The same goal for others, or for the same ones with fewer demands."""
        return replace(self, participants=participants, heeds_capacity=heeds_capacity)


def prepared_goals(problem: Problem) -> list[PreparedGoal]:
    """The goals of a problem in their order; they share what does not depend on the goal."""
    sources = RankedSources(problem)
    substitutes = substitutes_of(problem)
    clients = [prepared(participant, problem, substitutes) for participant in problem.participants]
    content = prepared_content(problem.content)
    goals = []
    for goal in problem.goals:
        participants = [
            *clients,
            *(prepared(participant, problem, substitutes) for participant in goal.participants),
        ]
        # By name, so that nothing depends on who came first.
        participants.sort(key=lambda participant: participant.name)
        participants.append(content)
        goals.append(
            PreparedGoal(
                problem=problem,
                sources=sources,
                participants=without_wildcards(participants),
                name=goal.name,
                scanout=goal.scanout,
            )
        )
    return goals
