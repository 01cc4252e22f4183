"""Solving: from what everyone requires to ranked plans, or the smallest conflict.

**What is asked.** A problem has the client's participants, goals with more
participants (scanned out, else sampled), sources of memory, a picture's size
and a number of buffers. A plan gives a (fourcc, modifier) pair that all of them
can use, a source for each plane, and a layout.

**How it goes**, goal by goal:

1. *Prepare* every participant (prepared_participant.py): the sets that apply to
   this content, and the pairs that each holds. The pairs that all offer are the
   candidates. A pair in several sets of one participant multiplies the ways;
   sets that say the same are one, and the ways are made one after the other,
   those nearest to everyone's first choice first (set_choice.py).
2. *Merge* (demand/merge.py) one set of each participant to what they demand together
   (demand/demand.py). Pairs that come from the same sets share that: a thousand pairs
   are usually a handful of merges.
3. *Check* (demand/source_check.py) each source against the demand: for each plane the
   sources that it may come from, as a mask of bits.
4. *Assign* (assignment.py) planes to sources, respecting what keeps planes
   together or apart.
5. *Lay out* (layout/exact_layout.py) and see whether the buffers fit the heaps.

**In which order.** Plans rank by how far they are from the participants' first
alternatives, by their own costs for the pair, by their own order of sources, by
the table of format costs, by how few objects a buffer has, by how scarce the
sources are, and then by numbers and names, so that there is never a tie. The
search (search.py) keeps a heap of keys that never promise too little and stops
after eight plans, so that most pairs are never merged, assigned or laid out.

**What it may cost.** Work is counted in steps, of which there are so many for a
problem (step_budget.py). When they end, the plans found so far are the answer;
without any it is `TOO_COMPLEX`. The same problem has the same answer everywhere.

**An example.** A decoder writes NV12 with pitches that are multiples of 64, to
anything. A display scans out NV12 and XRGB8888, from contiguous memory. The
machine has a `system` heap and a contiguous one, `cma`. NV12 LINEAR is the only
pair that both know. The demand says: pitch alignment 64, contiguous. The mask of
sources loses `system`. Both planes go to `cma`; one object; 1920x1080 is 3 110
400 bytes at a pitch of 1920. Had there been no `cma`, nothing would be left of
the mask, and the conflict would be one requirement: the display's contiguous
memory, which no source has (conflict/).

`solve_plans` answers with plans, or with the conflict where there are none.
`heapwire.protocol.explain.solve` explains the same answer, which takes longer
than finding it.
"""

from __future__ import annotations

from collections.abc import Iterator

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.solver.conflict import Conflict, conflict_message, conflict_of
from heapwire.protocol.solver.prepared_goal import PreparedGoal, SolverMemory, prepared_goals
from heapwire.protocol.solver.recorded_search import (
    LayoutsSeen,
    found_on_record,
    plans_on_record,
    record,
)
from heapwire.protocol.solver.search import FoundPlan, Search
from heapwire.protocol.solver.step_budget import DEFAULT_STEPS, StepBudget, TooComplexError
from heapwire.protocol.values import Answer, FailureReason, Problem


@dataclass(frozen=True, slots=True, eq=False)
class GoalPlans:
    """A goal and the plans that were found for it, best first.

    Where there are none it has the `search` that found none, or `ended`: there may be some, but
    the steps ended.
    """

    goal: PreparedGoal
    found: tuple[FoundPlan, ...]
    search: Search | None = None
    ended: TooComplexError | None = None

    def conflict(self) -> Conflict:
        """Why there are no plans; `TooComplexError` if that cannot be told."""
        if self.ended is not None:
            raise self.ended
        assert self.search is not None, "there are plans"
        return conflict_of(self.search)


def solve_plans(problem: Problem, *, steps: int = DEFAULT_STEPS) -> Answer:
    """The answer without reasons, verdicts, and failures of goals that others make up for.

    It costs at most so many `steps` (step_budget.py). Raises nothing for what peers may send.
    """
    return solve_plans_within(problem, StepBudget(steps))


def solve_plans_within(
    problem: Problem, budget: StepBudget, memory: SolverMemory | None = None
) -> Answer:
    """As `solve_plans`, for the steps of a budget; raises what that raises of its own.

    With a memory it takes less time, and as many steps.
    """
    if memory is not None:
        known = plans_on_record(problem, budget, memory.ranked(problem))
        if known:
            return Answer(plans=known, verdicts=())
    try:
        goals = plans_of_goals(problem, budget, memory)
        plans = tuple([found.plan for _, found in without_repetition(goals)])
        return Answer(plans=plans, verdicts=()) if plans else failure(goals)
    except TooComplexError as error:
        return too_complex(error)


def plans_of_goals(
    problem: Problem, budget: StepBudget, memory: SolverMemory | None = None
) -> list[GoalPlans]:
    """What each goal has, in their order; `TooComplexError` if nothing can be told of any.

    Every goal may use an equal part of the steps that are left, and so may what comes after
    them, the explanation: a goal that costs too much takes nothing from the others.
    A memory keeps the way there, and goes it for another size.
    """
    began = budget.left
    known = None if memory is None else found_on_record(problem, budget, memory.ranked(problem))
    goals = prepared_goals(problem, budget, memory)
    if known is not None:
        budget.left = known.left
        goals[0].check.add_met(known.met)
        return [GoalPlans(goal, found) for goal, found in zip(goals, known.goals, strict=True)]
    ready = began - budget.left
    results, searches = [], []
    for number, goal in enumerate(goals):
        budget.share(len(goals) - number)
        before = budget.left
        try:
            search = Search(goal)
            found = tuple(search.plans())
        except TooComplexError as error:
            results.append(GoalPlans(goal, (), ended=error))
        else:
            results.append(GoalPlans(goal, found, None if found else search))
            searches.append((goal, search, found, before - budget.left))
    budget.kept = 0
    if memory is not None and len(searches) == len(goals):
        record(problem, memory.ranked(problem), ready, searches)
    return results


def without_repetition(goals: list[GoalPlans]) -> Iterator[tuple[GoalPlans, FoundPlan]]:
    """The plans of all goals, each with its goal, without those that an earlier goal has too."""
    seen = LayoutsSeen() if len(goals) > 1 else None
    for goal in goals:
        for found in goal.found:
            if seen is None or not seen.has(found.plan):
                yield goal, found


def failure(goals: list[GoalPlans]) -> Answer:
    """The answer where no goal has a plan: the conflict of the last, which asks for the least.

    Raises `TooComplexError`.
    """
    if not goals:
        return Answer(
            plans=(),
            verdicts=(),
            reason=FailureReason.NO_FORMAT,
            message="there is no goal: nobody is to show the buffer",
        )
    return failure_by(goals[-1].goal, conflict_of_last(goals))


def conflict_of_last(goals: list[GoalPlans]) -> Conflict:
    """The conflict of the last goal, for half of the steps that are left.

    The other half is for explaining: whoever has that done gets the same conflict.
    """
    budget = goals[-1].goal.budget
    budget.share(1)
    conflict = goals[-1].conflict()
    budget.kept = 0
    return conflict


def failure_by(goal: PreparedGoal, conflict: Conflict) -> Answer:
    """The answer where no goal has a plan, and the conflict of the last is known."""
    return Answer(
        plans=(),
        verdicts=(),
        conflict=conflict.members,
        proved_minimal=conflict.proved_minimal,
        reason=conflict.reason,
        message=conflict_message(
            goal, conflict.reason, conflict.members, proved_minimal=conflict.proved_minimal
        ),
    )


def too_complex(error: TooComplexError) -> Answer:
    """The answer where nothing could be told within the greatest number of steps."""
    return Answer(
        plans=(), verdicts=(), reason=FailureReason.TOO_COMPLEX, message=f"too complex: {error}"
    )
