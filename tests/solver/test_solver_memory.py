"""What the solver keeps from one question to the next: no answer, and no count, depends on it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings, strategies as st
from patience import turns
from problem_building import CMA, NV12, SYSTEM, XRGB, ask, heap, heap_id, need, of, part
from test_against_exhaustive import extents, problems

from heapwire.protocol.explain import plan_reasons, solve_within
from heapwire.protocol.solver import (
    SolverMemory,
    StepBudget,
    merged_group,
    prepared_participant,
    solution,
    solve_plans_within,
)
from heapwire.protocol.solver.prepared_goal import RankedSources
from heapwire.protocol.values import (
    Answer,
    BufferCount,
    Content,
    DeviceId,
    Extent,
    Extents,
    Problem,
    Usage,
)

Solver: TypeAlias = Callable[[Problem, StepBudget, SolverMemory], Answer]


@st.composite
def rows_of_questions(draw: st.DrawFn) -> list[Problem]:
    """What a client asks of two machines, about other pictures and with fewer devices."""
    machines = draw(st.lists(problems(), min_size=1, max_size=2))
    asked = []
    for _ in range(draw(st.integers(2, 5))):
        question = draw(st.sampled_from(machines))
        if draw(st.booleans()):
            question = replace(question, extents=draw(extents()))
        if draw(st.booleans()):
            rotation = draw(st.sampled_from([0, 90]))
            question = replace(question, content=Content(protected=False, rotation=rotation))
        if draw(st.booleans()):
            question = replace(question, participants=question.participants[1:])
        asked.append(question)
    return asked


@settings(max_examples=200, deadline=None)
@given(rows_of_questions(), st.sampled_from([5, 20, 60, 120, 400, 100_000]), st.booleans())
def test_answers_and_steps_are_those_of_who_remembers_nothing(
    asked: list[Problem], steps: int, explained: bool
) -> None:
    solver = solve_within if explained else solve_plans_within
    memory = SolverMemory()
    for question in asked:
        fresh, known = StepBudget(steps), StepBudget(steps)
        assert solver(question, known, memory) == solver(question, fresh)
        assert known.used == fresh.used


def question(width: int) -> Problem:
    display = need("pitch-alignment", 64), need("contiguous")
    return ask(
        DECODER,
        part("display", of([NV12, XRGB], *display), usage=Usage.SCANOUT),
        extents=Extents(coded=Extent(width, 480)),
    )


MOST_KEPT = 256  # of any kind of thing
ALIGNED = of([NV12], need("pitch-alignment", 48))
DECODER = part("decoder", ALIGNED, usage=Usage.DECODE)


def test_another_size_merges_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = question(640)
    memory = SolverMemory()
    solve = partial(solve_plans_within, memory=memory)
    before = solve(first, StepBudget())
    merges: list[str] = []
    for module, name in (
        (prepared_participant, "lift"),
        (prepared_participant, "offers_of"),
        (merged_group, "join"),
    ):
        monkeypatch.setattr(module, name, lambda *_, name=name, **__: merges.append(name))
    after = solve(replace(first, extents=Extents(coded=Extent(320, 480))), StepBudget())
    assert not merges
    assert [plan.layout.planes[0].pitch for plan in (before.plans[0], after.plans[0])] == [768, 384]


def test_conditions_on_the_picture_are_looked_at_each_time() -> None:
    small = of([NV12], need("when-width", (1, 400)), need("pitch-alignment", 192))
    great = of([NV12], need("when-width", (401, 4096)), need("pitch-alignment", 512))
    first = ask(part("decoder", small, great), extents=Extents(coded=Extent(640, 480)))
    memory = SolverMemory()
    pitches = []
    for width in (640, 320, 640):
        asked = replace(first, extents=Extents(coded=Extent(width, 480)))
        answer = solve_plans_within(asked, StepBudget(), memory)
        pitches.append(answer.plans[0].layout.planes[0].pitch)
    assert pitches == [1024, 384, 1024]


@pytest.mark.parametrize("asks", [solve_plans_within, solve_within])
def test_no_set_is_kept_alive(asks: Solver) -> None:
    gone = of([NV12], need("pitch-alignment", 48))
    watched = weakref.ref(gone)
    memory = SolverMemory()
    asks(ask(part("decoder", gone)), StepBudget(), memory)
    del gone
    assert watched() is None


def test_what_is_kept_is_bounded_whatever_is_asked() -> None:
    """A client can make up any number of sets, names and values."""
    first, memory = question(640), SolverMemory()
    ranked = memory.ranked(first)
    kept = (
        *(ranked.sets._known, ranked.meeting, ranked.recorded),
        *(one._kept for one in (ranked.common, ranked.merged, ranked.placed, ranked.words)),
    )
    most = [0] * len(kept)
    for number in range(1, 2 * MOST_KEPT):
        sets = of(
            [NV12],
            need("pitch-alignment", number),
            need("max-hops", ((DeviceId(226, number), 200),)),
        )
        made_up = part(f"p{number}", sets, usage=Usage.DECODE)
        solve_within(replace(first, participants=(made_up,)), StepBudget(), memory)
        most = [max(entry) for entry in zip(most, map(len, kept), strict=True)]
    assert max(most) == MOST_KEPT, "it was full once"


def kept_of(machines: Iterable[RankedSources]) -> int:
    """The searches that are recorded, which are the most of what is kept."""
    return sum(len(machine.recorded) for machine in machines)


def test_a_machine_that_is_asked_about_no_more_goes_bit_by_bit() -> None:
    """Who says now that it can open this and now that, makes up any number of machines."""
    memory: SolverMemory = SolverMemory()
    machines: weakref.WeakSet[RankedSources] = weakref.WeakSet()
    for _ in range(40):
        first = question(640)
        first = replace(first, sources=(*first.sources,))  # another machine
        last = memory.ranked(first)
        machines.add(last)
        for width in range(1, 6):
            before = kept_of(machines)
            aligned = of([NV12], need("pitch-alignment", 16 * width))
            solve_within(
                replace(first, participants=(part("decoder", aligned, usage=Usage.DECODE),)),
                StepBudget(),
                memory,
            )
            assert len(last.recorded) == width
            assert kept_of(machines) >= before + 1 - 4  # it looks them up a few times
        assert len(machines) <= 2 * 8 + 1
    more = [True]
    for _ in turns(10_000, "the last of it"):
        if not more[-1]:
            break
        more.append(memory.forget_some())
    assert len(more) > 5 * 8
    assert not kept_of(machines)


def test_another_size_is_put_into_words_once(monkeypatch: pytest.MonkeyPatch) -> None:
    memory, first = SolverMemory(), question(640)
    explained = solve_within(first, StepBudget(), memory)
    said: list[str] = []
    monkeypatch.setattr(plan_reasons, "says", lambda *_: said.append(""))
    other = replace(first, extents=Extents(coded=Extent(320, 480)))
    after = solve_within(other, StepBudget(), memory)
    assert not said
    of_pitch = [
        [one.text for one in answer.plans[0].reasons if one.subject == "pitch"]
        for answer in (explained, after)
    ]
    multiple = "a multiple of 48 bytes for decoder, a multiple of 64 bytes for display"
    assert of_pitch == [[f"pitch {pitch}: {multiple}"] * 2 for pitch in (768, 384)]


@pytest.mark.parametrize(
    "other",
    [
        {"participants": (part("decoder", of([NV12], need("pitch-alignment", 80))),)},
        {"participants": (part("camera", ALIGNED),)},
        {"content": Content(protected=True)},
        {"absent": {heap_id(9): "gone"}},
    ],
    ids=["another requirement", "another name", "protected", "another name of a source"],
)
def test_what_is_said_otherwise_is_put_into_other_words(other: dict[str, Any]) -> None:
    memory = SolverMemory()
    preferred = need("permitted-sources", (CMA.id, heap_id(9)))
    secure = heap("secure", 7, contiguous=True, protected=True)
    first = ask(
        part("decoder", ALIGNED),
        part("display", of([NV12], preferred), usage=Usage.SCANOUT),
        sources=(SYSTEM, CMA, secure),
    )
    second = replace(first, **other)
    if "content" in other:
        first, second = (replace(one, participants=one.participants[:1]) for one in (first, second))
    elif "participants" in other:
        second = replace(first, participants=(*other["participants"], first.participants[1]))
    answers = [solve_within(asked, StepBudget(), memory) for asked in (first, second)]
    assert answers == [solve_within(asked, StepBudget()) for asked in (first, second)]
    assert answers[0].plans[0].reasons != answers[1].plans[0].reasons


def test_another_machine_with_the_same_sets_is_another_question() -> None:
    memory = SolverMemory()
    first = question(640)
    without = replace(first, sources=first.sources[:1])
    answers = [solve_plans_within(asked, StepBudget(), memory) for asked in (first, without, first)]
    assert answers == [solve_plans_within(asked, StepBudget()) for asked in (first, without, first)]
    assert answers[0] != answers[1]


@pytest.mark.parametrize("asks_before", [solve_plans_within, solve_within])
@pytest.mark.parametrize("asks", [solve_plans_within, solve_within])
def test_another_size_is_laid_out_without_another_search(
    monkeypatch: pytest.MonkeyPatch, asks_before: Solver, asks: Solver
) -> None:
    memory, first = SolverMemory(), question(640)
    other = replace(first, extents=Extents(coded=Extent(320, 480)))
    asks_before(first, StepBudget(), memory)
    fresh, known = StepBudget(), StepBudget()
    expected = asks(other, fresh)
    monkeypatch.setattr(solution, "Search", None)  # whoever begins one fails
    assert asks(other, known, memory) == expected
    assert known.used == fresh.used


@pytest.mark.parametrize(
    "other",
    [
        {"extents": Extents(coded=Extent(4096, 480))},  # too much for the nearest source
        {"extents": Extents(coded=Extent(8192, 480))},  # wider than the display permits
        {"counts": BufferCount(minimum=40)},
        {"content": Content(protected=True)},
        {"format_costs": {NV12: 5, XRGB: 1}},
        {"goals": ()},
    ],
    ids=lambda other: next(iter(other)),
)
def test_what_decides_more_than_layouts_is_searched_for(other: dict[str, Any]) -> None:
    memory = SolverMemory()
    first = ask(
        part("decoder", of([NV12, XRGB]), usage=Usage.DECODE),
        part("display", of([NV12, XRGB], need("max-width", 4096)), usage=Usage.SCANOUT),
        extents=Extents(coded=Extent(640, 480)),
        sources=(replace(SYSTEM, capacity=8 << 20), replace(CMA, capacity=64 << 20)),
    )
    solve_plans_within(first, StepBudget(), memory)
    asked = replace(first, **other)
    answer = solve_plans_within(asked, StepBudget(), memory)
    assert answer == solve_plans_within(asked, StepBudget())
    assert answer != solve_plans_within(first, StepBudget())


def test_pictures_that_are_turned_have_other_sets_and_those_that_are_not_keep_theirs() -> None:
    memory = SolverMemory()
    turning = (
        of(NV12, need("when-rotation", 0b0001)),
        of(XRGB, need("when-rotation", 0b0101)),
    )
    first = ask(
        part("decoder", of([NV12, XRGB]), usage=Usage.DECODE),
        part("encoder", *turning, usage=Usage.ENCODE),
        sources=(SYSTEM,),
    )
    for rotation, pairs in ((0, [NV12, XRGB]), (180, [XRGB]), (0, [NV12, XRGB]), (90, [])):
        asked = replace(first, content=Content(rotation=rotation))
        answer = solve_plans_within(asked, StepBudget(), memory)
        assert answer == solve_plans_within(asked, StepBudget())
        assert sorted((plan.fourcc, plan.modifier) for plan in answer.plans) == sorted(pairs)
