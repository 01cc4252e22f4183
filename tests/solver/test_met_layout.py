"""What a layout keeps to without being asked changes nothing when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import event, given, settings, strategies as st
from problem_building import NV12, XRGB, YUV420, ask, heap, heap_id, need, of, pair, part
from test_against_exhaustive import constraints

from heapwire.protocol.solver import BOTTOM, DEFAULT_STEPS, StepBudget, class_of, lift
from heapwire.protocol.solver.conflict.met_layout import MetLayout
from heapwire.protocol.solver.demand.merge import join
from heapwire.protocol.solver.group_layout import any_layout
from heapwire.protocol.solver.merged_group import NO_CHOICE, group_with
from heapwire.protocol.solver.prepared_goal import prepared_goals
from heapwire.protocol.values import Constraint, FormatModifier, Source

TILES, SAND = pair("NV12", "INTEL_Y_TILED"), pair("NV12", "BROADCOM_SAND128(30)")
HEAPS = (
    heap("near", 0, contiguous=True, capacity=64 << 10, address_range=(0, 0xFFFF)),
    heap("far", 1, address_range=(0x8000, 0x1FFFF)),
    heap("safe", 2, contiguous=True, protected=True),
)


def laid_out(
    format_: FormatModifier,
    demanded: Sequence[Constraint],
    sources: tuple[Source, ...] = HEAPS,
    *,
    heeds_capacity: bool = False,
) -> MetLayout | None:
    """A layout of what is demanded; None where there is none."""
    problem = ask(part("a", of(format_)), sources=sources, size=(48, 20))
    [goal] = prepared_goals(problem, StepBudget(DEFAULT_STEPS))
    goal = goal if heeds_capacity else goal.whatever_its_size()
    layout_class = class_of(format_)
    assert layout_class is not None
    planes = layout_class.planes
    demand = join((lift(demanded, planes=planes),))
    if demand is BOTTOM:
        return None
    group = group_with(goal, NO_CHOICE, planes, demand, orders=None)
    if group is None or not all(group.domains):
        return None
    found = any_layout(goal, group, layout_class, format_)
    return None if found is None else MetLayout(goal, group, layout_class, found)


def keeps_to(met: MetLayout, one: Constraint) -> bool:
    return met.keeps_to(lift((one,), planes=met.group.planes))


@settings(max_examples=400)
@given(
    st.sampled_from([NV12, XRGB, YUV420, TILES, SAND]),
    st.lists(constraints(), max_size=4),
    st.lists(constraints(), min_size=1, max_size=12),
)
def test_all_that_it_keeps_to_asked_for_at_once_gives_the_same(format_, demanded, others) -> None:
    met = laid_out(format_, demanded)
    if met is None:
        return
    kept = [one for one in others if keeps_to(met, one)]
    event(f"keeps to {len(kept)}")
    again = laid_out(format_, [*demanded, *kept])
    assert again is not None
    assert (again.found.places, again.found.layout) == (met.found.places, met.found.layout)


@settings(max_examples=200)
@given(st.sampled_from([NV12, XRGB, YUV420, TILES, SAND]), st.lists(constraints(), max_size=4))
def test_where_it_has_room_there_is_one_with_the_size_in_mind(format_, demanded) -> None:
    met = laid_out(format_, demanded)
    if met is not None and met.has_room():
        again = laid_out(format_, demanded, heeds_capacity=True)
        assert again is not None
        assert (again.found.places, again.found.layout) == (met.found.places, met.found.layout)


class TestOne:
    """48x20 of NV12, whose rows are 48 bytes, and 30 of them 1440."""

    @pytest.mark.parametrize(
        "one",
        [
            need("max-pitch", 48), need("min-pitch", 48), need("pitch-alignment", 24),
            need("scanline-alignment", 10), need("offset-alignment", 960, 1),
            need("size-alignment", 1440), need("max-size", 1440), need("min-size", 1440),
            need("max-width", 48), need("max-height", 20), need("contiguous"),
            need("dma-width", 16), need("address-range", (0, 0xFFFF)), need("protected", 0),
            need("permitted-sources", (heap_id(0), heap_id(2))),
        ],
        ids=str,
    )  # fmt: skip
    def test_keeps_to_what_it_happens_to_be(self, one) -> None:
        met = laid_out(NV12, [], HEAPS[:1])
        assert met is not None
        assert keeps_to(met, one)

    @pytest.mark.parametrize(
        "one",
        [
            need("max-pitch", 47), need("min-pitch", 49), need("pitch-alignment", 32),
            need("scanline-alignment", 20), need("offset-alignment", 128, 1),
            need("size-alignment", 4096), need("max-size", 1439), need("min-size", 1441),
            need("max-width", 47), need("max-height", 19), need("dma-width", 15),
            need("address-range", (0x8000, 0xFFFF)), need("protected", 1),
            need("permitted-sources", (heap_id(2),)), need("fences", 1), need("padding", 1),
        ],
        ids=str,
    )  # fmt: skip
    def test_keeps_to_nothing_else(self, one) -> None:
        met = laid_out(NV12, [], HEAPS[:1])
        assert met is not None
        assert not keeps_to(met, one)

    def test_keeps_to_less_than_was_asked_for(self) -> None:
        met = laid_out(NV12, [need("fences", 0b011), need("padding", 64)])
        assert met is not None
        assert keeps_to(met, need("fences", 0b111))
        assert keeps_to(met, need("padding", 63))
        assert not keeps_to(met, need("fences", 0b110))

    def test_has_no_rows_behind_it(self) -> None:
        met = laid_out(NV12, [need("padding", 48)])
        assert met is not None
        assert met.rows(0) == 20
        assert not keeps_to(met, need("scanline-alignment", 21, 0))

    def test_that_is_in_a_small_heap_has_room_there_or_not(self) -> None:
        for size, has_room in ((4 << 12, True), ((4 << 12) - 1, False)):
            met = laid_out(NV12, [], (heap("small", 0, capacity=size),))
            assert met is not None
            assert met.has_room() is has_room
