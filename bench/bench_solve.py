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

from heapwire.protocol.explain import AnswerMemory, solve
from heapwire.protocol.solver import (
    DEFAULT_STEPS,
    StepBudget,
    TooComplexError,
    failure,
    plans_of_goals,
    solve_plans,
)
from heapwire.protocol.values import (
    BY_NAME,
    FORMATS,
    LINEAR,
    Constraint,
    ConstraintSet,
    DeviceId,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    HeapId,
    Participant,
    Problem,
    Source,
    SourceId,
    Usage,
    parse_fourcc,
)
from heapwire.protocol.values.pixels.modifier import INTEL_X_TILED, INTEL_Y_TILED, modifier_code

Asked = TypeVar("Asked", Problem, Question)
ARM = 8
BY_HAND = "2 participants x 8 x 4 heaps"
SHARED = "4 participants x 1200 x 16 heaps"
DISTINCT = "4 participants x 1200 distinct x 16"
AIMS = {BY_HAND: 10, SHARED: 3, DISTINCT: 4}  # times a merge by hand, hearing, and hearing
SETS = 16  # of one participant, as many as the protocol takes alternatives
MODIFIERS = [
    LINEAR, INTEL_X_TILED, INTEL_Y_TILED, *(modifier_code(ARM, code) for code in range(1, 200)),
]  # fmt: skip
FOUR_PLANES = FormatModifier(parse_fourcc("QQ4P"), LINEAR)


def need(name: str, value: int | tuple[SourceId, ...] = 1, planes: int = 0) -> Constraint:
    return Constraint(type=BY_NAME[name].type, value=value, planes=planes)


def heaps(count: int) -> tuple[Source, ...]:
    return sources_of([SourceId.heap(HeapId(254, number)) for number in range(count)])


def drivers(count: int) -> tuple[Source, ...]:
    return sources_of([SourceId.device(DeviceId(226, number)) for number in range(count)])


def sources_of(ids: list[SourceId]) -> tuple[Source, ...]:
    return tuple(
        Source(
            id=id_,
            name=f"source{number}",
            contiguous=number % 2 == 1,
            cached=True,
            capacity=(256 + number) << 20,
        )
        for number, id_ in enumerate(ids)
    )


def pairs(count: int) -> list[FormatModifier]:
    listed = [FormatModifier(fourcc, modifier) for modifier in MODIFIERS for fourcc in FORMATS]
    return listed[:count]


def many_pairs(
    participants: int, count: int, sources: int, sets: int, *, distinct: bool = False
) -> Problem:
    """Participants with their pairs in so many sets, each with its own alignments.

    Sets of a participant say the same, unless they are to be distinct: then no two do.
    """
    listed = pairs(count)
    chunk = -(-count // sets)
    everyone = [
        Participant(
            name=f"device{number}",
            usage=Usage.SCANOUT if number == 0 else Usage.DECODE,
            sets=tuple(
                ConstraintSet(
                    formats=tuple(listed[start : start + chunk]),
                    constraints=(
                        need("pitch-alignment", 64 << number % 3),
                        need("scanline-alignment", 4 << number % 2),
                        need("max-width", 8192 - (start // chunk * distinct)),
                        *((need("contiguous"),) if number == 0 else ()),
                    ),
                )
                for start in range(0, count, chunk)
            ),
        )
        for number in range(participants)
    ]
    return Problem(
        participants=tuple(everyone[1:]),
        goals=(Goal(name="scanout", participants=tuple(everyone[:1]), scanout=True),),
        sources=heaps(sources),
        extents=Extents(coded=Extent(1920, 1080)),
    )


def four_planes(sources: int) -> Problem:
    """Four planes, each from a source of its own, and each with its own order of sources."""
    known = drivers(sources)
    ids = tuple(source.id for source in known)
    banks = tuple(
        need("permitted-sources", ids[plane:] + ids[:plane], 1 << plane) for plane in range(4)
    )
    relations = (need("different-source", 1, 0b0111), need("different-source", 1, 0b1001))
    return Problem(
        participants=(
            Participant(
                name="codec",
                usage=Usage.DECODE,
                sets=(ConstraintSet(formats=(FOUR_PLANES,), constraints=(*banks, *relations)),),
            ),
        ),
        goals=(
            Goal(
                name="scanout",
                participants=(
                    Participant(
                        name="display",
                        usage=Usage.SCANOUT,
                        sets=(
                            ConstraintSet(
                                formats=(FOUR_PLANES,), constraints=(need("max-width", 8192),)
                            ),
                        ),
                    ),
                ),
                scanout=True,
            ),
        ),
        sources=known,
        extents=Extents(coded=Extent(1920, 1080)),
    )


def three_devices(alignments: tuple[int, int, int]) -> Problem:
    """Three devices with five requirements each, which contradict if their pitches are odd."""
    nv12 = FormatModifier(parse_fourcc("NV12"), LINEAR)
    everyone = tuple(
        Participant(
            name=f"device{number}",
            usage=Usage.DECODE,
            sets=(
                ConstraintSet(
                    formats=(nv12,),
                    constraints=(
                        need("pitch-alignment", alignment),
                        need("max-pitch", 16384),
                        need("scanline-alignment", 2 << number),
                        need("size-alignment", 4096),
                        need("max-width", 8192),
                    ),
                ),
            ),
        )
        for number, alignment in enumerate(alignments)
    )
    return asked_by(everyone)


def one_fence_each(unknowns: int) -> Problem:
    """16 participants with a fence in common but for one each, and constraints of no meaning."""
    nv12 = FormatModifier(parse_fourcc("NV12"), LINEAR)
    return asked_by(
        tuple(
            Participant(
                name=f"device{number}",
                usage=Usage.DECODE,
                sets=(
                    ConstraintSet(
                        formats=(nv12,),
                        constraints=(
                            need("fences", 0xFFFF & ~(1 << number)),
                            *(
                                Constraint(type=0x7F000100 + n, value=b"", must_understand=False)
                                for n in range(unknowns)
                            ),
                        ),
                    ),
                ),
            )
            for number in range(16)
        )
    )


def all_alternatives() -> Problem:
    """16 participants with 16 alternatives each, which have no fence in common."""
    nv12 = FormatModifier(parse_fourcc("NV12"), LINEAR)
    return asked_by(
        tuple(
            Participant(
                name=f"device{number}",
                usage=Usage.DECODE,
                sets=tuple(
                    ConstraintSet(
                        formats=(nv12,),
                        constraints=(
                            need("fences", 0xFFFF & ~(1 << number)),
                            need("min-pitch", n + 1),
                        ),
                    )
                    for n in range(SETS)
                ),
            )
            for number in range(16)
        )
    )


def asked_by(participants: tuple[Participant, ...]) -> Problem:
    return Problem(
        participants=participants,
        goals=(Goal(name="scanout", scanout=True),),
        sources=heaps(4),
        extents=Extents(coded=Extent(1920, 1080)),
    )


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
