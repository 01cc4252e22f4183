"""How long the solver takes, beside hearing the question and beside python-constraint2.

Every time is a median of processor time of one thread, in microseconds. *cold*
is a problem that was not solved before; *same* is one that was, built again
from the same participants; *heard* is the question as it comes off the wire and is
kept, and no more (`models/heard_question.py`), which whoever answers does first; *walk*
is a loop over every pair that somebody names, which is in memory already: less than any
solver does.

python-constraint2 is asked the same question with its own means: which pair,
which source for each plane, and which pitch, of the multiples of 64 bytes up to
16 KiB (for the problem of four planes: sources only, as their layout is left to
their drivers). It can give one answer (*any*), or all of them (*all*), which is
what ranking them takes; the solver gives the best eight, with offsets and sizes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from statistics import median
from typing import TypeVar

import shared_modules
from constraint_model import all_answers, any_answer, participants_of
from heard_question import Question, heard, question_of
from merge_by_hand import merged_by_hand
from ratio_table import tell_ratio
from solver_questions import (
    SETS,
    all_alternatives,
    four_planes,
    many_pairs,
    one_fence_each,
    three_devices,
)

from heapwire.protocol.explain import AnswerMemory, solve
from heapwire.protocol.solver import (
    DEFAULT_STEPS,
    StepBudget,
    TooComplexError,
    failure,
    plans_of_goals,
    solve_plans,
)
from heapwire.protocol.values import Problem

Asked = TypeVar("Asked", Problem, Question)
BY_HAND = "2 participants x 8 x 4 heaps"
SHARED = "4 participants x 1200 x 16 heaps"
DISTINCT = "4 participants x 1200 distinct x 16"
AIMS = {BY_HAND: 10, SHARED: 3, DISTINCT: 4}  # times a merge by hand, hearing, and hearing


def walk(problem: Problem) -> int:
    """Look at every pair that somebody names."""
    seen = 0
    for participant in participants_of(problem):
        for one in participant.sets:
            for _pair in one.formats:
                seen += 1
    return seen


def microseconds(
    run: Callable[[Asked], object],
    build: Callable[[], Asked],
    *,
    least: float = 0.5,
    most: int = 500,
) -> float:
    """The median of one thread's processor time, over one run if that takes long.

    Each run has a problem, or a question, of its own, built before its time is taken.
    """
    times: list[float] = []
    until = time.perf_counter() + least
    while not times or (time.perf_counter() < until and len(times) < most):
        asked = build()
        start = time.thread_time_ns()
        run(asked)
        times.append((time.thread_time_ns() - start) / 1000)
    return median(times)


def least_in_turn(
    runs: Sequence[Callable[[Problem], object]], build: Callable[[], Problem]
) -> list[float]:
    """The least of one thread's processor time of each, taken in turn: what others do is in none.

    They are of a tenth of a millisecond or so, which others do not always interrupt.
    """
    least = [math.inf] * len(runs)
    for _ in range(500):
        for number, run in enumerate(runs):
            problem = build()
            start = time.thread_time_ns()
            run(problem)
            least[number] = min(least[number], (time.thread_time_ns() - start) / 1000)
    return least


def same(problem: Problem) -> float:
    """The time when the problem was solved before and is built again from its parts."""
    answers = AnswerMemory()
    answers.solve(problem)
    times = []
    for _ in range(200):
        again = replace(problem, participants=(*problem.participants,))
        start = time.thread_time_ns()
        answers.solve(again)
        times.append((time.thread_time_ns() - start) / 1000)
    return median(times)


def exponent(sizes: Iterable[int], times: Iterable[float]) -> float:
    """The slope of log time over log size, by least squares.

    A time is what was measured, and never a difference of two: of noisy ones that can be
    less than nothing, and has no logarithm.
    """
    points = [(math.log(size), math.log(t)) for size, t in zip(sizes, times, strict=True)]
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum(
        (x - mean_x) ** 2 for x, _ in points
    )


def conflicts_and_dear_questions() -> None:
    """What is answered with a conflict, or costs more than an honest question ever does."""
    print(
        "{:34}{:>9}{:>11}{:>10}".format("conflict or dear question", "cold", "explained", "steps")
    )
    for name, build in (
        ("3 devices, a plan", partial(three_devices, (48, 112, 80))),
        ("3 devices, odd pitches", partial(three_devices, (528, 1456, 1360))),
        ("16 fences, 58 unknown each", partial(one_fence_each, 58)),
        ("16 participants x 16 alternatives", all_alternatives),
    ):
        cold = microseconds(solve_plans, build)
        explained = microseconds(solve, build)
        print(f"{name:34}{cold:9.0f}{explained:11.0f}{steps_of(build()):10}")


def steps_of(problem: Problem) -> int:
    """The steps that plans or a conflict cost, without an explanation."""
    budget = StepBudget(DEFAULT_STEPS)
    with suppress(TooComplexError):
        goals = plans_of_goals(problem, budget)
        if not any(goal.found for goal in goals):
            failure(goals)
    return budget.used


def main() -> None:
    print("solver, medians in us of one thread's processor time")
    head = ("problem", "target", "cold", "explained", "same", "heard", "walk", "any", "all")
    print("{:36}{:>7}{:>8}{:>11}{:>6}{:>7}{:>7}{:>8}{:>9}".format(*head))
    for name, target, build, planes in (
        (BY_HAND, 150, partial(many_pairs, 2, 8, 4, 1), 1),
        (SHARED, 8000, partial(many_pairs, 4, 1200, 16, SETS), 1),
        ("4 planes x 16 drivers, related", 1000, partial(four_planes, 16), 4),
        (DISTINCT, 8000, partial(many_pairs, 4, 1200, 16, SETS, distinct=True), 1),
    ):
        cold = microseconds(solve_plans, build)
        explained = microseconds(solve, build)
        again = same(build())
        hearing = microseconds(heard, lambda build=build: question_of(build()))
        walked = microseconds(walk, build)
        first = microseconds(partial(any_answer, planes), build)
        every = microseconds(partial(all_answers, planes), build)
        print(
            f"{name:36}{target:7}{cold:8.0f}{explained:11.0f}{again:6.1f}{hearing:7.0f}"
            f"{walked:7.1f}{first:8.0f}{every:9.0f}"
        )
        if name == BY_HAND:
            solved, by_hand = least_in_turn((solve_plans, merged_by_hand), build)
            print(f"  least of many, in turn: {solved:.0f}, and {by_hand:.0f} by hand")
            tell_ratio(f"solver, {name}", solved / by_hand, "a merge by hand", limit=AIMS[name])
        if name in (SHARED, DISTINCT):
            tell_ratio(f"solver, {name}", cold / hearing, "hearing alone", limit=AIMS[name])
            tell_ratio(f"solver, {name}, explained", explained / hearing, "hearing alone")
            tell_ratio(f"solver, {name}", cold / walked, "a walk over its pairs")
        tell_ratio(f"solver, {name}", cold / every, "all answers of python-constraint2")
    conflicts_and_dear_questions()
    counts = (150, 300, 600, 1200, 2400)
    by_pairs = [
        microseconds(solve_plans, partial(many_pairs, 4, count, 16, SETS), most=20)
        for count in counts
    ]
    crowds = (2, 4, 8, 16)
    by_participants = [
        microseconds(solve_plans, partial(many_pairs, crowd, 1200, 16, SETS), most=20)
        for crowd in crowds
    ]
    for what, sizes, times in (
        ("pairs", counts, by_pairs),
        ("participants", crowds, by_participants),
    ):
        shown = ", ".join(f"{size}: {t:.0f}" for size, t in zip(sizes, times, strict=True))
        print(f"cost grows with {what} to the power of {exponent(sizes, times):.2f}  ({shown})")


if __name__ == "__main__":
    main()
