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
from heapwire.protocol.solver.step_budget import StepBudget
from heapwire.protocol.values import Problem


@dataclass(frozen=True, slots=True, eq=False)
class PreparedGoal:
    """What the solver is asked for one goal.

    `participants` are the client's, the goal's own and the content, by name and
    the content last. `heeds_capacity`: buffers have to fit into their heaps
    (a conflict is looked for with and without that). `budget` is what all the
    goals of a problem may cost together.
    """

    problem: Problem
    sources: RankedSources
    participants: Sequence[PreparedParticipant]
    budget: StepBudget
    name: str = ""
    scanout: bool = False
    heeds_capacity: bool = True

    def with_participants(self, participants: Sequence[PreparedParticipant]) -> PreparedGoal:
        """The same goal for others."""
        return replace(self, participants=participants)

    def whatever_its_size(self) -> PreparedGoal:
        """The same goal, for buffers that every heap has room for."""
        return replace(self, heeds_capacity=False)


def prepared_goals(problem: Problem, budget: StepBudget) -> list[PreparedGoal]:
    """The goals of a problem in their order; they share what does not depend on the goal.

    Raises `TooComplexError` when the steps end.
    """
    sources = RankedSources(problem, budget)
    substitutes = substitutes_of(problem)
    clients = [
        prepared(participant, problem, substitutes, budget) for participant in problem.participants
    ]
    content = prepared_content(problem.content, budget)
    goals = []
    for goal in problem.goals:
        participants = [
            *clients,
            *(
                prepared(participant, problem, substitutes, budget)
                for participant in goal.participants
            ),
        ]
        # By name, so that nothing depends on who came first.
        participants.sort(key=lambda participant: participant.name)
        participants.append(content)
        goals.append(
            PreparedGoal(
                problem=problem,
                sources=sources,
                participants=without_wildcards(participants, budget),
                budget=budget,
                name=goal.name,
                scanout=goal.scanout,
            )
        )
    return goals
