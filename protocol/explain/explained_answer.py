"""Solving: from what everyone requires to ranked plans, or the smallest conflict.

**What is asked.** A problem has the client's participants, goals with more
participants (scanned out, else sampled), sources of memory, a picture's size
and a number of buffers. A plan gives a (fourcc, modifier) pair that all of them
can use, a source for each plane, and a layout.

**How it goes**, goal by goal:

1. *Hear* every participant (voice.py): the sets that apply to this content, and
   the pairs that each holds. The pairs that all offer are the candidates. A
   pair in several sets of one participant multiplies the ways; beyond 64 for
   one pair the answer is `TOO_COMPLEX`.
2. *Merge* (merge.py) one set of each participant to what they demand together.
   Pairs that come from the same sets share that: a thousand pairs are usually a
   handful of merges.
3. *SourceCheck* (judge.py) each source against the merge: for each plane the sources
   that it may come from, as a mask of bits.
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
pair that both know. The merge says: pitch alignment 64, contiguous. The mask of
sources loses `system`. Both planes go to `cma`; one object; 1920x1080 is 3 110
400 bytes at a pitch of 1920. Had there been no `cma`, nothing would be left of
the mask, and the conflict would be one requirement: the display's contiguous
memory, which no source has (conflict.py).

`solve` explains what it answers. `solve_plans` does not, and is what to call
when only the plans matter; an answer without plans has its conflict in both.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from heapwire.protocol.explain.plan_reasons import Reasons
from heapwire.protocol.explain.source_verdict import conflict_message, verdicts_of
from heapwire.protocol.solver import (
    MAX_PLANS,
    Found,
    PreparedParticipant,
    RankedSources,
    Search,
    TooComplexError,
    conflict_of,
    content_voice,
    spread,
    substitutes_of,
    voice_of,
)
from heapwire.protocol.values import (
    Answer,
    ConflictMember,
    FailureReason,
    Goal,
    GoalFailure,
    Layout,
    Plan,
    Problem,
)

_KEPT: Final = 16
"""Answers remembered: a compositor asks the same for each of its outputs and clients."""

_answers: deque[tuple[Problem, bool, Answer]] = deque(maxlen=_KEPT)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """One goal: what was found, and the search that found it."""

    goal: Goal
    search: Search
    found: tuple[Found, ...]


def solve(problem: Problem) -> Answer:
    """The answer with everything that explains it.

    Plans carry reasons, every source has a verdict, and every goal that cannot
    be met its conflict. The same object is returned for an equal problem that
    was solved lately. Raises nothing for what peers may send.
    """
    return _remembered(problem, explained=True)


def solve_plans(problem: Problem) -> Answer:
    """The answer without reasons, verdicts, and failures of goals that others make up for."""
    return _remembered(problem, explained=False)


def forget() -> None:
    """Drop the remembered answers."""
    _answers.clear()


def _remembered(problem: Problem, *, explained: bool) -> Answer:
    # Equality looks at identity first, piece by piece: a problem built from the
    # same participants is recognised at once. A hash would look at every pair.
    # What tells problems with the same participants apart is looked at before them.
    for known, was_explained, answer in tuple(_answers):
        if (
            was_explained is explained
            and known.extents == problem.extents
            and known.counts == problem.counts
            and known.content == problem.content
            and known == problem
        ):
            return answer
    answer = _solve(problem, explained=explained)
    _answers.appendleft((problem, explained, answer))
    return answer


def _solve(problem: Problem, *, explained: bool) -> Answer:
    memory = RankedSources(problem)
    try:
        outcomes = _outcomes(problem, memory)
        if any(outcome.found for outcome in outcomes):
            return _answer(problem, memory, outcomes, explained=explained)
        return _failure(problem, memory, outcomes, explained=explained)
    except TooComplexError as error:
        return Answer(
            plans=(),
            verdicts=(),
            reason=FailureReason.TOO_COMPLEX,
            message=f"{error}; give fewer alternatives",
        )


def _outcomes(problem: Problem, memory: RankedSources) -> list[_Outcome]:
    """What each goal has, in their order."""
    substitutes = substitutes_of(problem)
    clients = [voice_of(one, problem, substitutes) for one in problem.participants]
    content = content_voice(problem.content)
    outcomes = []
    for goal in problem.goals:
        voices: list[PreparedParticipant] = [
            *clients,
            *(voice_of(one, problem, substitutes) for one in goal.participants),
        ]
        voices.sort(key=lambda voice: voice.name)
        voices.append(content)
        voices = spread(voices)
        search = Search(problem, memory, voices, scanout=goal.scanout)
        outcomes.append(_Outcome(goal, search, tuple(search.found(MAX_PLANS, goal.name))))
    return outcomes


def _answer(
    problem: Problem, memory: RankedSources, outcomes: list[_Outcome], *, explained: bool
) -> Answer:
    plans: list[Plan] = []
    seen: dict[tuple[int, int], list[Layout]] = {}
    best: tuple[_Outcome, Found] | None = None
    for outcome in outcomes:
        reasons = Reasons(problem, outcome.search.voices) if explained else None
        for found in outcome.found:
            plan = found.plan
            if len(outcomes) > 1:
                layouts = seen.setdefault((plan.fourcc, plan.modifier), [])
                if plan.layout in layouts:
                    continue
                layouts.append(plan.layout)
            best = best or (outcome, found)
            if reasons is not None:
                plan = replace(plan, reasons=reasons.of(found))
            plans.append(plan)
    if best is None or not explained:
        return Answer(plans=tuple(plans), verdicts=())
    return Answer(
        plans=tuple(plans),
        verdicts=verdicts_of(problem, memory, best[0].search, best[1]),
        failures=tuple(
            GoalFailure(
                goal=outcome.goal.name,
                conflict=conflict_of(problem, memory, outcome.search.voices)[1],
            )
            for outcome in outcomes
            if not outcome.found
        ),
    )


def _failure(
    problem: Problem, memory: RankedSources, outcomes: list[_Outcome], *, explained: bool
) -> Answer:
    if not outcomes:
        return Answer(
            plans=(),
            verdicts=(),
            reason=FailureReason.NO_FORMAT,
            message="there is no goal: nobody is to show the buffer",
        )
    told: list[tuple[FailureReason, tuple[ConflictMember, ...]]] = []
    for outcome in outcomes if explained else outcomes[-1:]:
        told.append(conflict_of(problem, memory, outcome.search.voices))
    reason, conflict = told[-1]
    last = outcomes[-1]
    return Answer(
        plans=(),
        verdicts=verdicts_of(problem, memory, last.search, None) if explained else (),
        failures=tuple(
            GoalFailure(goal=outcome.goal.name, conflict=members)
            for outcome, (_, members) in zip(outcomes, told, strict=True)
        )
        if explained
        else (),
        conflict=conflict,
        reason=reason,
        message=conflict_message(problem, last.search, reason, conflict),
    )
