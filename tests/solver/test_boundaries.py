"""The last number that will do, and the first that will not."""

from __future__ import annotations

import pytest
from problem_building import CMA, NV12, XRGB, ask, display, heap, heap_id, need, of, part

from heapwire.protocol.explain import solve
from heapwire.protocol.solver import StepBudget, lift
from heapwire.protocol.solver.demand.merge import TOP, spell
from heapwire.protocol.solver.layout.exact_layout import (
    GREATEST_OFFSET,
    GREATEST_SIZE,
    GeometryDemand,
    put_into_objects,
)
from heapwire.protocol.solver.layout.plane_demand import PlaneRoom
from heapwire.protocol.solver.prepared_participant import (
    offers_of,
    prepared,
    without_wildcards,
)
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    MAX_BUFFER_COUNT,
    MAX_EXTENT,
    BufferCount,
    CoherencyDomain,
    Constraint,
    Content,
    Extent,
    Extents,
    FailureReason,
    FormatModifier,
    Provenance,
)

PICTURE = Extents(coded=Extent(64, 64))


@pytest.mark.parametrize(("most", "possible"), [(8, True), (7, False)])
def test_as_many_buffers_as_are_permitted(most: int, possible: bool) -> None:
    counts = BufferCount(minimum=4, queue=2, hold=2)
    answer = solve(ask(part("few", of(XRGB, need("max-buffers", most))), counts=counts))
    assert bool(answer.plans) is possible


@pytest.mark.parametrize(("least", "possible"), [(4, True), (4.015625, False)])
def test_as_many_buffers_as_all_together_can_hold(least: float, possible: bool) -> None:
    wanted = need("min-buffers", int(least * MAX_BUFFER_COUNT))
    assert bool(solve(ask(part("greedy", of(XRGB, wanted)))).plans) is possible


@pytest.mark.parametrize(("size", "possible"), [(GREATEST_OFFSET, True), (1 << 32, False)])
def test_a_plane_starts_where_32_bits_can_say(size: int, possible: bool) -> None:
    rooms = (PlaneRoom(1, size, 1), PlaneRoom(1, 1, 1))
    layout = put_into_objects(GeometryDemand(TOP, PICTURE), rooms, (0, 0), (heap_id(0),))
    assert (layout is not None) is possible
    if layout is not None:
        assert layout.planes[1].offset == size


@pytest.mark.parametrize(("size", "possible"), [(GREATEST_SIZE, True), (1 << 63, False)])
def test_an_object_ends_where_a_file_can(size: int, possible: bool) -> None:
    rooms = (PlaneRoom(1, size, 1),)
    layout = put_into_objects(GeometryDemand(TOP, PICTURE), rooms, (0,), (heap_id(0),))
    assert (layout is not None) is possible


@pytest.mark.parametrize(("alignment", "possible"), [(MAX_EXTENT, True), (MAX_EXTENT + 1, False)])
@pytest.mark.parametrize("side", ["width", "height"])
def test_the_room_is_no_greater_than_an_extent_can_be(
    side: str, alignment: int, possible: bool
) -> None:
    demand = lift([need(f"{side}-alignment", alignment)])
    assert demand is not None
    assert (GeometryDemand(demand, PICTURE).extent is not None) is possible


@pytest.mark.parametrize(("area", "possible"), [(64 * 64, True), (64 * 64 - 1, False)])
def test_a_picture_of_just_the_greatest_area(area: int, possible: bool) -> None:
    answer = solve(ask(part("small", of(XRGB, need("max-area", area))), size=(64, 64)))
    assert bool(answer.plans) is possible


@pytest.mark.parametrize(("bits", "possible"), [(64, True), (63, False)])
def test_64_bits_reach_addresses_that_nobody_knows(bits: int, possible: bool) -> None:
    unknown = heap("unknown", 0, address_range=None)
    answer = solve(ask(part("device", of(XRGB, need("dma-width", bits))), sources=(unknown,)))
    assert bool(answer.plans) is possible


@pytest.mark.parametrize(
    ("first", "last", "possible"), [(4096, 8191, True), (4097, 8191, False), (4096, 8190, False)]
)
def test_every_byte_of_a_source_is_within_the_range(first: int, last: int, possible: bool) -> None:
    source = heap("low", 0, address_range=(4096, 8191))
    asked = need("address-range", (first, last))
    answer = solve(ask(part("device", of(XRGB, asked)), sources=(source,), size=(1, 1)))
    assert bool(answer.plans) is possible


@pytest.mark.parametrize(("segments", "possible"), [(4, True), (3, False)])
def test_an_object_may_be_in_as_many_runs_as_it_has_pages(segments: int, possible: bool) -> None:
    four_pages = part("device", of(XRGB, need("max-segments", segments)))
    answer = solve(ask(four_pages, size=(64, 64), sources=(heap("system", 0),)))
    assert bool(answer.plans) is possible


class TestPairsInASet:
    def test_one_that_stands_twice_is_one_alternative_at_its_first_cost(self) -> None:
        twice = of([XRGB, XRGB], costs=(3, 1))
        assert offers_of((twice,), Content(), PICTURE, StepBudget()) == {XRGB: ((0, 3),)}

    def test_so_that_many_who_say_it_twice_are_not_too_complex(self) -> None:
        everyone = [part(f"p{n}", of([XRGB, XRGB], costs=(1, 1))) for n in range(7)]
        assert solve(ask(*everyone)).reason is not FailureReason.TOO_COMPLEX

    def test_one_that_stands_in_two_sets_is_two_alternatives_in_order(self) -> None:
        sets = (of([XRGB], costs=(3,)), of([NV12]), of([XRGB, NV12]))
        assert offers_of(sets, Content(), PICTURE, StepBudget()) == {
            XRGB: ((0, 3), (2, 0)),
            NV12: ((1, 0), (2, 0)),
        }


class TestWildcards:
    ANY_XRGB = FormatModifier(XRGB.fourcc, ANY_MODIFIER)
    ANYTHING = FormatModifier(ANY_FOURCC, ANY_MODIFIER)

    @pytest.mark.parametrize(
        ("formats", "costs", "cost"),
        [
            ([XRGB, ANY_XRGB], (1, 5), 1),
            ([ANY_XRGB, XRGB], (5, 1), 1),
            ([ANYTHING, ANY_XRGB], (7, 5), 5),
            ([ANYTHING], (7,), 7),
        ],
    )
    def test_a_pair_has_the_cost_of_what_names_it_most_closely(
        self, formats: list[FormatModifier], costs: tuple[int, ...], cost: int
    ) -> None:
        problem = ask(part("wild", of(formats, costs=costs)), part("other", of(XRGB)))
        wild = prepared(problem.participants[0], problem, {}, StepBudget())
        other = prepared(problem.participants[1], problem, {}, StepBudget())
        spelled, _ = without_wildcards([wild, other], StepBudget())
        assert spelled.offers == {XRGB: ((0, cost),)}

    def test_sets_stay_alternatives_in_their_order(self) -> None:
        problem = ask(part("wild", of([self.ANYTHING]), of([XRGB])), part("other", of(XRGB)))
        everyone = [
            prepared(participant, problem, {}, StepBudget()) for participant in problem.participants
        ]
        spelled, _ = without_wildcards(everyone, StepBudget())
        assert spelled.offers == {XRGB: ((0, 0), (1, 0))}


class TestConditions:
    @pytest.mark.parametrize(
        ("width", "holds"), [(1279, False), (1280, True), (1920, True), (1921, False)]
    )
    def test_both_ends_of_a_range_belong_to_it(self, width: int, holds: bool) -> None:
        constraint_set = of(XRGB, need("when-width", (1280, 1920)))
        extents = Extents(coded=Extent(width, 64))
        assert bool(offers_of((constraint_set,), Content(), extents, StepBudget())) is holds

    def test_the_height_is_not_the_width(self) -> None:
        constraint_set = of(XRGB, need("when-height", (64, 64)))
        assert offers_of((constraint_set,), Content(), Extents(coded=Extent(128, 64)), StepBudget())
        assert not offers_of(
            (constraint_set,), Content(), Extents(coded=Extent(64, 128)), StepBudget()
        )


class TestWhoCannotServe:
    @pytest.mark.parametrize(
        ("failing", "text"),
        [
            (1, "heap h0 is not"),
            (3, "heap h0, heap h1 and heap h2 are not"),
            (4, "heap h0, heap h1, heap h2 and 1 more are not"),
        ],
    )
    def test_three_are_named_and_the_rest_counted(self, failing: int, text: str) -> None:
        scattered = [heap(f"h{n}", n, contiguous=False) for n in range(failing)]
        answer = solve(
            ask(
                part("a", of(XRGB, need("contiguous"))),
                part("b", of(XRGB, need("permitted-sources", (scattered[0].id,)))),
                sources=(*scattered, heap("good", 9, contiguous=True)),
            )
        )
        assert any(member.text.endswith(f"; {text}") for member in answer.conflict)


class TestWhatAnAllocatorIsTold:
    def test_whether_it_must_be_understood_and_how_sure_it_is(self) -> None:
        """Whoever says it more strictly, and whoever is less sure of it, counts."""
        strict = need("pitch-alignment", 64, provenance=Provenance.KERNEL)
        lax = Constraint(
            type=strict.type, value=48, must_understand=False, provenance=Provenance.PROFILE
        )
        for listed in ([strict, lax], [lax, strict]):
            demand = lift(listed)
            (told,) = spell(demand, listed)
            assert (told.value, told.must_understand, told.provenance) == (
                192,
                True,
                Provenance.PROFILE,
            )


class TestCoherency:
    def test_a_display_reads_ram_and_others_start_at_the_cpu(self) -> None:
        everything = need("coherency-domains", 0b111)
        shown = solve(ask(part("a", of(XRGB, everything)), shown=(display(of(XRGB)),)))
        assert shown.plans[0].domain is CoherencyDomain.RAM
        assert solve(ask(part("a", of(XRGB, everything)))).plans[0].domain is CoherencyDomain.CPU

    def test_protected_memory_is_out_of_the_cpus_reach(self) -> None:
        secure = heap("secure", 5, protected=True)
        answer = solve(
            ask(part("a", of(XRGB)), content=Content(protected=True), sources=(CMA, secure))
        )
        assert answer.plans[0].domain is CoherencyDomain.INACCESSIBLE


def test_one_name_in_a_list_of_sources_orders_those_that_stand_in_for_it() -> None:
    """What is named comes before its substitutes, scarcer or not."""
    named = heap("named", 1, contiguous=True)
    substitute = heap("substitute", 2, substitutes_for=("named",))
    asked = need("permitted-sources", (named.id,))
    answer = solve(ask(part("a", of(XRGB, asked)), sources=(substitute, named)))
    assert [plan.layout.objects[0].source for plan in answer.plans] == [named.id, substitute.id]


def test_only_the_last_object_has_the_bytes_of_macroblocks() -> None:
    apart = need("different-source", 1, 0, 1)
    objects = [
        solve(ask(part("a", of(NV12, apart, *more)), size=(64, 64))).plans[0].layout.objects
        for more in ((), (need("macroblock-padding", 100),))
    ]
    grown = [with_.size - without.size for without, with_ in zip(*objects, strict=True)]
    assert grown == [0, 16 * 100]
