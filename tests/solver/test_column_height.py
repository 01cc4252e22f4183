"""Columns (SAND) that are as high as a picture's rows: the modifier follows from the picture."""

from dataclasses import replace

import pytest
from problem_building import CMA, NV12, ask, display, need, of, pair, part

from heapwire.protocol import solve_plans
from heapwire.protocol.solver import SolverMemory, StepBudget, solve_plans_within
from heapwire.protocol.values import (
    Extent,
    Extents,
    FailureReason,
    Usage,
    modifier_name,
)

ANY_HEIGHT = pair("NV12", "BROADCOM_SAND128(0)")
PACKED = (need("adjacent-planes"), need("height-alignment", 16))


def decoder(*constraints, formats=ANY_HEIGHT):
    return part("decoder", of(formats, *constraints), usage=Usage.DECODE)


def question(size, *constraints, shown=ANY_HEIGHT, formats=ANY_HEIGHT):
    return ask(
        decoder(*constraints, formats=formats),
        shown=(display(of(shown)),),
        sources=(CMA,),
        extents=Extents(coded=Extent(*size)),
    )


def names(answer):
    return [modifier_name(plan.modifier) for plan in answer.plans]


def planned(problem):
    return names(solve_plans(problem))


@pytest.mark.parametrize(
    ("size", "step", "height"),
    [
        ((1920, 1080), 16, 1632),
        ((1920, 1080), 8, 1620),
        ((1920, 1088), 16, 1632),
        ((64, 1), 1, 3),  # rows of luma are even: one of chroma is for two
        ((64, 17), 16, 48),
        ((64, 17), 3, 27),
    ],
)
def test_the_column_is_as_high_as_all_rows(size, step, height):
    problem = question(size, need("adjacent-planes"), need("height-alignment", step))
    [plan] = solve_plans(problem).plans
    assert modifier_name(plan.modifier) == f"BROADCOM_SAND128({height})"
    columns = -(-size[0] // 128)
    assert [one.size for one in plan.layout.objects] == [columns * 128 * height]
    assert plan.layout.planes[1].offset == height * 2 // 3 * 128


@pytest.mark.parametrize("constraints", [(), PACKED[:1], PACKED[1:]])
def test_without_both_signs_nobody_knows_the_height(constraints):
    answer = solve_plans(question((1920, 1080), *constraints))
    assert answer.plans == ()  # a heap decides no layout


@pytest.mark.parametrize("name", ["must-fit-height", "min-height"])
@pytest.mark.parametrize("who", ["the decoder", "the display", "another"])
def test_room_for_more_rows_than_the_picture_s_makes_columns_higher(name, who):
    more = (need(name, 1440),)
    problem = ask(
        decoder(*PACKED, *(more if who == "the decoder" else ())),
        *((part("player", of([NV12, ANY_HEIGHT], *more)),) if who == "another" else ()),
        shown=(display(of(ANY_HEIGHT, *(more if who == "the display" else ()))),),
        sources=(CMA,),
        extents=Extents(coded=Extent(1920, 1080)),
    )
    assert planned(problem) == ["BROADCOM_SAND128(2160)"]


def test_room_that_only_an_alternative_demands_makes_no_column_higher():
    player = part("player", of(ANY_HEIGHT, need("must-fit-height", 1440)), of(ANY_HEIGHT))
    problem = question((1920, 1080), *PACKED)
    assert planned(replace(problem, participants=(*problem.participants, player))) == [
        "BROADCOM_SAND128(1632)"
    ]


def test_all_alignments_of_the_set_count():
    more = (need("height-alignment", 32), need("height-alignment", 24))
    assert planned(question((64, 90), *PACKED, *more)) == ["BROADCOM_SAND128(144)"]


@pytest.mark.parametrize(("shown", "found"), [(1632, True), (1620, False)])
def test_who_names_a_height_is_met_by_that_alone(shown, found):
    named = pair("NV12", f"BROADCOM_SAND128({shown})")
    answer = solve_plans(question((1920, 1080), *PACKED, shown=named))
    assert bool(answer.plans) is found
    assert found or answer.reason is FailureReason.NO_FORMAT


def test_a_pair_keeps_its_cost_and_others_stay_as_they_are():
    formats = [NV12, ANY_HEIGHT]
    for costs, best in (((0, 1), "LINEAR"), ((1, 0), "BROADCOM_SAND128(1632)")):
        problem = ask(
            part("decoder", of(formats, *PACKED, costs=costs), usage=Usage.DECODE),
            shown=(display(of(formats)),),
            sources=(CMA,),
            extents=Extents(coded=Extent(1920, 1080)),
        )
        assert planned(problem)[0] == best


def test_a_memory_of_one_size_is_none_of_another():
    memory = SolverMemory()
    first = question((1920, 1080), *PACKED)
    second = replace(first, extents=Extents(coded=Extent(1920, 720)))
    found = [
        [
            modifier_name(plan.modifier)
            for plan in solve_plans_within(one, StepBudget(), memory).plans
        ]
        for one in (first, second, first)
    ]
    assert found == [
        ["BROADCOM_SAND128(1632)"], ["BROADCOM_SAND128(1080)"], ["BROADCOM_SAND128(1632)"],
    ]  # fmt: skip


def test_a_height_beyond_all_pictures_is_no_height():
    assert (
        planned(question((64, 64), need("adjacent-planes"), need("height-alignment", 1 << 60)))
        == []
    )
