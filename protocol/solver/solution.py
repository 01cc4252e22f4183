"""Solving: from what everyone requires to ranked plans, or the smallest conflict.

**What is asked.** A problem has the client's participants, goals with more
participants (scanned out, else sampled), sources of memory, a picture's size
and a number of buffers. A plan gives a (fourcc, modifier) pair that all of them
can use, a source for each plane, and a layout.

**How it goes**, goal by goal:

1. *Prepare* every participant (prepared_participant.py): the sets that apply to
   this content, and the pairs that each holds. The pairs that all offer are the
   candidates. A pair in several sets of one participant multiplies the ways;
   beyond 64 for one pair the answer is `TOO_COMPLEX`.
2. *Merge* (merge.py) one set of each participant to what they demand together
   (demand.py). Pairs that come from the same sets share that: a thousand pairs
   are usually a handful of merges.
3. *Check* (source_check.py) each source against the demand: for each plane the
   sources that it may come from, as a mask of bits.
4. *Assign* (assignment.py) planes to sources, respecting what keeps planes
   together or apart.
5. *Lay out* (exact_layout.py) and see whether the buffers fit the heaps.

**In which order.** Plans rank by how far they are from the participants' first
alternatives, by their own costs for the pair, by their own order of sources, by
the table of format costs, by how few objects a buffer has, by how scarce the
sources are, and then by numbers and names, so that there is never a tie. The
search (search.py) keeps a heap of keys that never promise too little and stops
after eight plans, so that most pairs are never merged, assigned or laid out.

**An example.** A decoder writes NV12 with pitches that are multiples of 64, to
anything. A display scans out NV12 and XRGB8888, from contiguous memory. The
machine has a `system` heap and a contiguous one, `cma`. NV12 LINEAR is the only
pair that both know. The demand says: pitch alignment 64, contiguous. The mask of
sources loses `system`. Both planes go to `cma`; one object; 1920x1080 is 3 110
400 bytes at a pitch of 1920. Had there been no `cma`, nothing would be left of
the mask, and the conflict would be one requirement: the display's contiguous
memory, which no source has (conflict.py).

`solve_plans` answers with plans, or with the conflict where there are none.
`heapwire.protocol.explain.solve` explains the same answer, which takes longer
than finding it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from heapwire.protocol.solver.assignment import TooComplexError
from heapwire.protocol.solver.conflict import conflict_message, conflict_of
from heapwire.protocol.solver.prepared_goal import PreparedGoal, prepared_goals
from heapwire.protocol.solver.search import FoundPlan, Search
from heapwire.protocol.values import Answer, ConflictMember, FailureReason, Layout, Problem


@dataclass(frozen=True, slots=True, eq=False)
class GoalPlans:
    """A goal and the plans that were found for it, best first."""

    goal: PreparedGoal
    found: tuple[FoundPlan, ...]


def solve_plans(problem: Problem) -> Answer:
    """The answer without reasons, verdicts, and failures of goals that others make up for.

    Raises nothing for what peers may send.
    """
    try:
        goals = plans_of_goals(problem)
        plans = tuple(found.plan for _, found in without_repetition(goals))
        return Answer(plans=plans, verdicts=()) if plans else failure(goals)
    except TooComplexError as error:
        return too_complex(error)


def plans_of_goals(problem: Problem) -> list[GoalPlans]:
    """What each goal has, in their order; `TooComplexError` if that cannot be told."""
    return [GoalPlans(goal, tuple(Search(goal).plans())) for goal in prepared_goals(problem)]


def without_repetition(goals: list[GoalPlans]) -> Iterator[tuple[GoalPlans, FoundPlan]]:
    """The plans of all goals, each with its goal, without those that an earlier goal has too."""
    seen: dict[tuple[int, int], list[Layout]] = {}
    for goal in goals:
        for found in goal.found:
            plan = found.plan
            if len(goals) > 1:
                layouts = seen.setdefault((plan.fourcc, plan.modifier), [])
                if plan.layout in layouts:
                    continue
                layouts.append(plan.layout)
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
    last = goals[-1].goal
    return failure_by(last, *conflict_of(last))


def failure_by(
    goal: PreparedGoal, reason: FailureReason, conflict: tuple[ConflictMember, ...]
) -> Answer:
    """The answer where no goal has a plan, and the conflict of the last is known."""
    return Answer(
        plans=(),
        verdicts=(),
        conflict=conflict,
        reason=reason,
        message=conflict_message(goal, reason, conflict),
    )


def too_complex(error: TooComplexError) -> Answer:
    """The answer where nothing could be told within the greatest number of steps."""
    return Answer(
        plans=(),
        verdicts=(),
        reason=FailureReason.TOO_COMPLEX,
        message=f"{error}; give fewer alternatives",
    )
