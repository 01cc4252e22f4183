"""The answer to a problem with everything that explains it."""

from __future__ import annotations

from heapwire.protocol.explain.plan_reasons import Reasons
from heapwire.protocol.explain.source_verdict import verdicts_of
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.solver import (
    DEFAULT_STEPS,
    FoundPlan,
    GoalPlans,
    SolverMemory,
    StepBudget,
    TooComplexError,
    conflict_of_last,
    failure,
    failure_by,
    plans_of_goals,
    too_complex,
    without_repetition,
)
from heapwire.protocol.values import Answer, GoalFailure, Plan, Problem


def solve(problem: Problem, *, steps: int = DEFAULT_STEPS) -> Answer:
    """The answer with everything that explains it.

    Plans carry reasons, every source has a verdict, and every goal that cannot
    be met its conflict. Plans, conflict and message are those of
    `heapwire.protocol.solver.solve_plans`. It costs at most so many `steps`: what
    is left unexplained when they end has no reasons and no verdicts. Raises
    nothing for what peers may send.
    """
    return solve_within(problem, StepBudget(steps))


def solve_within(
    problem: Problem, budget: StepBudget, memory: SolverMemory | None = None
) -> Answer:
    """As `solve`, for the steps of a budget; raises what that raises of its own.

    With a memory it takes less time, and as many steps.
    """
    try:
        goals = plans_of_goals(problem, budget, memory)
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
        plans=tuple(_with_reasons(reasons[goal], found) for goal, found in plans),
        # A source is told of what the best plan did with it.
        verdicts=verdicts_of(best_goal.goal, best),
        failures=tuple(_goal_failure(goal) for goal in goals if not goal.found),
    )


def _with_reasons(reasons: Reasons, found: FoundPlan) -> Plan:
    try:
        return replace(found.plan, reasons=reasons.of(found))
    except TooComplexError:
        return found.plan


def _goal_failure(goal: GoalPlans) -> GoalFailure:
    """Why a goal is not met; without a conflict where the steps end before it is known."""
    name = goal.goal.name
    try:
        conflict = goal.conflict()
    except TooComplexError:
        return GoalFailure(goal=name, conflict=(), proved_minimal=False)
    return GoalFailure(goal=name, conflict=conflict.members, proved_minimal=conflict.proved_minimal)


def _explained_failure(goals: list[GoalPlans]) -> Answer:
    last = goals[-1].goal
    conflict = conflict_of_last(goals)
    answer = failure_by(last, conflict)
    return replace(
        answer,
        verdicts=verdicts_of(last, None, conflict.members),
        failures=(
            *(_goal_failure(goal) for goal in goals[:-1]),
            GoalFailure(
                goal=last.name, conflict=conflict.members, proved_minimal=conflict.proved_minimal
            ),
        ),
    )
