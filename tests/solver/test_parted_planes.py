"""When the planes of a picture are in more than one object."""

from __future__ import annotations

from dataclasses import replace

from problem_building import (
    NV12,
    YUV420,
    ask,
    heap,
    heap_id,
    need,
    of,
    part,
)

from heapwire.protocol.explain import solve
from heapwire.protocol.values import Answer, Problem


def names(problem: Problem, answer: Answer) -> list[str]:
    known = {source.id: source.name for source in problem.sources}
    return ["+".join(known[one.source] for one in plan.layout.objects) for plan in answer.plans]


def test_planes_part_only_where_one_source_has_no_room_for_both() -> None:
    luma, chroma = 1920 * 1080, 1920 * 1080 // 2
    one = heap("one", 4, capacity=4 * (luma + 4096))
    other = heap("other", 5, capacity=4 * (chroma + 4096))
    problem = ask(part("any", of(NV12)), sources=(one, other))
    assert names(problem, solve(problem)) == ["one+other"]


def test_planes_that_nothing_separates_share_an_object() -> None:
    problem = ask(part("any", of(YUV420)))
    assert names(problem, solve(problem)) == ["system", "cma"]


def test_planes_are_not_parted_by_what_is_merely_liked() -> None:
    left, right = heap("left", 0), heap("right", 1, capacity=3 * 1920 * 1080)
    each = (
        need("permitted-sources", (left.id, right.id), 0),
        need("permitted-sources", (right.id, left.id), 1),
    )
    asked = ask(part("torn", of(NV12, *each)), sources=(left, right))
    assert {len(plan.layout.objects) for plan in solve(asked).plans} == {1}
    # What is asked for parts them, and then each is where it is liked.
    apart = part("banks", of(NV12, need("different-source", 1, 0, 1)))
    plan, *_ = solve(replace(asked, participants=(*asked.participants, apart))).plans
    assert [one.source for one in plan.layout.objects] == [left.id, right.id]


def test_split_places_that_come_to_nothing_hide_no_whole_ones() -> None:
    """There are more ways to split three planes than plans that are kept."""
    heaps = (
        heap("one", 1, contiguous=True), heap("two", 2, contiguous=True), heap("three", 3),
        heap("four", 4),
    )  # fmt: skip
    order = tuple(heap_id(n) for n in (1, 2, 3))
    problem = ask(part("picky", of(YUV420, need("permitted-sources", order, 1))), sources=heaps)
    assert names(problem, solve(problem)) == ["one", "two", "three"]
