"""The answer to a problem with everything that explains it."""

from __future__ import annotations

from dataclasses import replace

from heapwire.protocol.explain.plan_reasons import Reasons
from heapwire.protocol.explain.source_verdict import verdicts_of
from heapwire.protocol.solver import (
    GoalPlans,
    TooComplexError,
    conflict_of,
    failure,
    failure_by,
    plans_of_goals,
    too_complex,
    without_repetition,
)
from heapwire.protocol.values import Answer, GoalFailure, Problem


def solve(problem: Problem) -> Answer:
    """The answer with everything that explains it.

    Plans carry reasons, every source has a verdict, and every goal that cannot
    be met its conflict. Plans, conflict and message are those of
    `heapwire.protocol.solver.solve_plans`. Raises nothing for what peers may send.
    """
    try:
        goals = plans_of_goals(problem)
        if any(goal.found for goal in goals):
            return _explained(goals)
        return _explained_failure(goals) if goals else failure(goals)
    except TooComplexError as error:
        return too_complex(error)


def _explained(goals: list[GoalPlans]) -> Answer:
    reasons = {goal: Reasons(goal.goal) for goal in goals}
    plans = list(without_repetition(goals))
    best_goal, best = plans[0]
    return Answer(
        plans=tuple(replace(found.plan, reasons=reasons[goal].of(found)) for goal, found in plans),
        # A source is told of what the best plan did with it.
        verdicts=verdicts_of(best_goal.goal, best),
        failures=tuple(
            GoalFailure(goal=goal.goal.name, conflict=conflict_of(goal.goal)[1])
            for goal in goals
            if not goal.found
        ),
    )


def _explained_failure(goals: list[GoalPlans]) -> Answer:
    conflicts = [conflict_of(goal.goal) for goal in goals]
    last = goals[-1].goal
    return replace(
        failure_by(last, *conflicts[-1]),
        verdicts=verdicts_of(last, None),
        failures=tuple(
            GoalFailure(goal=goal.goal.name, conflict=members)
            for goal, (_, members) in zip(goals, conflicts, strict=True)
        ),
    )
