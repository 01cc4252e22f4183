"""What a plan is preferred for, what is too much to ask, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from problem_building import (
    CMA,
    NV12,
    SYSTEM,
    XRGB,
    YUV420,
    ask,
    device_source,
    display,
    heap,
    heap_id,
    need,
    of,
    pair,
    part,
)

from heapwire.protocol.explain import solve
from heapwire.protocol.solver import MAX_PLANS, solve_plans
from heapwire.protocol.values import (
    LINEAR,
    Answer,
    BufferCount,
    Constraint,
    Content,
    DeviceId,
    FailureReason,
    FormatModifier,
    Goal,
    LayoutKind,
    Problem,
    Provenance,
    Source,
    SourceId,
    SourceKind,
    Usage,
)

UDMABUF = Source(id=SourceId(SourceKind.UDMABUF, 10, 125), name="udmabuf", contiguous=False)
SECURE = heap("protected,secure-video", 9, contiguous=True, protected=True)


def names(problem: Problem, answer: Answer) -> list[str]:
    known = {source.id: source.name for source in problem.sources}
    return ["+".join(known[one.source] for one in plan.layout.objects) for plan in answer.plans]


class TestSources:
    def test_the_least_scarce_is_first(self) -> None:
        vram = device_source("vram", DeviceId(226, 0), device_local=DeviceId(226, 0))
        decoder = device_source("decoder", DeviceId(81, 0))
        small = heap("small", 4, contiguous=True, capacity=64 << 20)
        problem = ask(
            part("any", of(XRGB)), sources=(UDMABUF, vram, small, CMA, decoder, SYSTEM, SECURE)
        )
        assert names(problem, solve(problem)) == [
            "system", "udmabuf", "cma", "small", "decoder", "vram",
        ]  # fmt: skip

    def test_a_participants_own_order_comes_before_scarcity(self) -> None:
        listed = part("picky", of(XRGB, need("permitted-sources", (CMA.id, SYSTEM.id))))
        problem = ask(listed)
        assert names(problem, solve(problem)) == ["cma", "system"]

    def test_orders_add_up_and_survive_merging(self) -> None:
        """Removing a heap from a list must not change the order of the others."""
        heaps = tuple(heap(f"h{n}", n) for n in range(4))
        one = part("one", of(XRGB, need("permitted-sources", tuple(heap_id(n) for n in (3, 0, 2)))))
        other = part("other", of(XRGB, need("permitted-sources", (heap_id(2), heap_id(3)))))
        problem = ask(one, other, sources=heaps)
        assert names(problem, solve(problem)) == ["h3", "h2"]

    def test_protected_memory_is_for_protected_content_and_for_nothing_else(self) -> None:
        sources = (SYSTEM, SECURE)
        plain = ask(part("any", of(XRGB)), sources=sources)
        assert names(plain, solve(plain)) == ["system"]
        secret = replace(plain, content=Content(protected=True))
        assert names(secret, solve(secret)) == ["protected,secure-video"]

    @pytest.mark.parametrize(
        ("needs", "good"),
        [
            (need("cpu-access", 1), False),
            (need("coherency-domains", 0b011), False),  # the CPU's caches, and RAM
            (need("coherency-domains", 0b100), True),  # out of the CPU's reach
        ],
    )
    def test_what_no_cpu_maps_is_out_of_its_reach_and_holds_what_nobody_protects(
        self, needs: Constraint, good: bool
    ) -> None:
        unmapped = replace(SYSTEM, mappable=False)
        assert bool(solve(ask(part("a", of(NV12, needs)), sources=(unmapped,))).plans) is good
        assert solve(ask(part("a", of(NV12)), sources=(unmapped,))).plans
        secret = ask(part("a", of(NV12)), sources=(unmapped,), content=Content(protected=True))
        assert not solve(secret).plans

    def test_a_layout_that_only_a_driver_knows_is_not_left_to_one_that_lays_out_rows(self) -> None:
        tiled = pair("NV12", "0x800000000000051")
        own = Source(id=SourceId.device(DeviceId(226, 0)), name="own", contiguous=True)
        problem = ask(part("a", of(tiled)), sources=(SYSTEM, own))
        assert names(problem, solve(problem)) == ["own"]
        dumb = replace(problem, sources=(SYSTEM, replace(own, rows_only=True)))
        assert not solve(dumb).plans

    @pytest.mark.parametrize("protected", [False, True])
    def test_what_nobody_knows_to_be_protected_or_not_is_neither(self, protected: bool) -> None:
        unknown = replace(SYSTEM, protected=None)
        content = Content(protected=protected)
        answer = solve(ask(part("a", of(NV12)), sources=(unknown,), content=content))
        assert not answer.plans
        assert [verdict.chosen for verdict in answer.verdicts] == [False]
        assert answer.verdicts[0].text.endswith("nobody knows whether heap system is")

    def test_no_protected_memory_is_a_conflict_with_the_content(self) -> None:
        answer = solve(ask(part("any", of(XRGB)), content=Content(protected=True)))
        assert [member.text for member in answer.conflict] == [
            "the content needs memory that is protected; no source is"
        ]

    def test_a_property_that_nobody_knows_meets_nothing(self) -> None:
        dark = Source(id=heap_id(3), name="dark")
        for constraint in (
            need("contiguous"), need("address-range", (0, (1 << 64) - 1)), need("dma-width", 63),
        ):  # fmt: skip
            answer = solve(ask(part("any", of(XRGB, constraint)), sources=(dark,)))
            assert [member.constraint for member in answer.conflict] == [constraint]
            assert answer.message.endswith("; no source is known to be")

    def test_who_does_not_meet_it_is_told_apart_from_whom_nobody_knows(self) -> None:
        contiguous = part("any", of(XRGB, need("contiguous")))
        dark = [Source(id=heap_id(5 + n), name=f"dark{n}") for n in range(2)]
        elsewhere = part("picky", of(XRGB, need("permitted-sources", (SYSTEM.id,))))
        sources = (SYSTEM, CMA, *dark)
        answer = solve(ask(contiguous, shown=(elsewhere,), sources=sources))
        assert [member.text for member in answer.conflict if member.participant == "any"] == [
            "any needs memory that is contiguous; heap system is not; "
            "nobody knows whether heap dark0 and heap dark1 are"
        ]
        # Of each source the verdict says what is sure, if anything is.
        in_range = replace(elsewhere, sets=(of(XRGB, need("address-range", (0, 1 << 30))),))
        told = solve(ask(in_range, contiguous, sources=(SYSTEM, dark[0]))).verdicts
        assert {verdict.name: verdict.text.partition("; ")[2] for verdict in told} == {
            "system": "heap system is not",
            "dark0": "nobody knows whether heap dark0 is",
        }

    def test_a_declared_substitute_serves_in_anothers_place(self) -> None:
        only_system = part("picky", of(XRGB, need("permitted-sources", (SYSTEM.id,))))
        contiguous = display(of(XRGB, need("contiguous")))
        stranger = ask(only_system, shown=(contiguous,))
        assert not solve(stranger).plans
        substitute = replace(CMA, substitutes_for=("system",))
        problem = ask(only_system, shown=(contiguous,), sources=(SYSTEM, substitute))
        assert names(problem, solve(problem)) == ["cma"]

    def test_all_buffers_must_have_room(self) -> None:
        size = 1920 * 1080 * 4
        for capacity, fits in ((4 * size, True), (4 * size - 1, False)):
            tight = heap("tight", 5, contiguous=True, capacity=capacity)
            answer = solve(ask(part("any", of(XRGB)), sources=(tight,)))
            assert bool(answer.plans) is fits
        assert [member.participant for member in answer.conflict] == ["the stream"]
        assert "no source has room" in answer.message

    def test_few_runs_of_addresses_are_promised_by_contiguous_memory_and_small_buffers(
        self,
    ) -> None:
        asks = part("any", of(XRGB, need("max-segments", 2)))
        large = ask(asks)
        assert names(large, solve(large)) == ["cma"]
        small = ask(asks, size=(64, 32))
        assert names(small, solve(small)) == ["system", "cma"]


class TestPreferences:
    def test_goals_rank_first(self) -> None:
        gpu = part("gpu", of([NV12, XRGB]), usage=Usage.SAMPLING)
        problem = ask(
            part("client", of([NV12, XRGB], costs=(9, 0))),
            goals=(
                Goal(name="scanout", participants=(display(of(NV12)), gpu), scanout=True),
                Goal(name="sampled", participants=(gpu,)),
            ),
            sources=(SYSTEM,),
        )
        plans = solve(problem).plans
        assert [(plan.fourcc, plan.goal) for plan in plans] == [
            (NV12.fourcc, "scanout"), (XRGB.fourcc, "sampled"),
        ]  # fmt: skip

    def test_a_plan_of_an_earlier_goal_is_not_repeated(self) -> None:
        gpu = part("gpu", of(XRGB), usage=Usage.SAMPLING)
        answer = solve(
            ask(
                part("client", of(XRGB)),
                goals=(Goal(name="a", participants=(gpu,), scanout=True), Goal(name="b")),
            )
        )
        assert [plan.goal for plan in answer.plans] == ["a", "a"]

    def test_alternatives_are_tried_in_their_order(self) -> None:
        picky = part("picky", of(XRGB, need("contiguous")), of(XRGB, need("pitch-alignment", 4096)))
        assert names(ask(picky), solve(ask(picky)))[0] == "cma"
        problem = ask(picky, sources=(SYSTEM,))
        assert solve(problem).plans[0].layout.planes[0].pitch == 8192

    def test_format_costs_break_ties_after_preferences(self) -> None:
        problem = ask(part("any", of([NV12, XRGB])), sources=(SYSTEM,))
        cheap = {NV12: 3, XRGB: 1}
        plans = solve(replace(problem, format_costs=cheap)).plans
        assert [plan.fourcc for plan in plans] == [XRGB.fourcc, NV12.fourcc]
        preferring = ask(
            part("any", of([NV12, XRGB], costs=(0, 1))), sources=(SYSTEM,), format_costs=cheap
        )
        assert solve(preferring).plans[0].fourcc == NV12.fourcc

    def test_there_are_never_more_plans_than_anyone_reads(self) -> None:
        heaps = tuple(heap(f"h{n}", n) for n in range(12))
        assert len(solve(ask(part("any", of([NV12, XRGB])), sources=heaps)).plans) == MAX_PLANS


class TestTooComplex:
    def test_the_places_of_planes_can_be_too_many(self) -> None:
        """Four planes, each from a source of its own, in sources that no order sets apart."""
        drivers = tuple(device_source(f"d{n}", DeviceId(226, n), capacity=4096) for n in range(40))
        four = pair("QQ4P")
        rules = [need("different-source", 1, 0, 1, 2, 3)]
        assert solve(ask(part("a", of(four, *rules)), sources=drivers)).plans
        hopeless = ask(
            part("a", of(YUV420, need("different-source", 1, 0, 1, 2), need("max-segments", 2))),
            sources=tuple(heap(f"h{n}", n) for n in range(120)),
        )
        assert solve(hopeless).reason is FailureReason.TOO_COMPLEX


class TestLayoutKinds:
    def test_a_modifier_that_only_its_driver_knows_is_left_to_it(self) -> None:
        tiled = pair("NV12", "ARM_AFBC(16x16)")
        driver = device_source("decoder", DeviceId(81, 0))
        unknown = Constraint(type=0x7F000002, value=b"vendor", must_understand=False)
        answer = solve(
            ask(
                part("a", of(tiled, need("pitch-alignment", 48), unknown)),
                part("b", of(tiled, need("pitch-alignment", 64, provenance=Provenance.KERNEL))),
                sources=(SYSTEM, driver),
            )
        )
        [layout] = [plan.layout for plan in answer.plans]
        assert layout.kind is LayoutKind.ALLOCATOR
        assert layout.planes == ()
        assert [one.size for one in layout.objects] == [0]
        assert need("pitch-alignment", 192) in layout.constraints  # of the weaker provenance
        assert unknown in layout.constraints

    def test_a_heap_decides_no_layout(self) -> None:
        device = device_source("decoder", DeviceId(81, 0))
        tiled, unheard_of = pair("NV12", "ARM_AFBC(16x16)"), pair("QQ4P")
        for only in (tiled, unheard_of):
            problem = ask(part("a", of([only])), sources=(SYSTEM, CMA, device))
            assert names(problem, solve(problem)) == ["decoder"]
        linear = ask(part("a", of([NV12])), sources=(SYSTEM, device))
        assert names(linear, solve(linear))[0] == "system"

    def test_without_a_driver_the_formats_are_to_blame(self) -> None:
        tiled = pair("NV12", "ARM_AFBC(16x16)")
        alone = solve(ask(part("a", of([tiled])), part("b", of([tiled, NV12]))))
        assert alone.reason is FailureReason.NO_FORMAT
        assert [one.text for one in alone.conflict] == [
            "a can use only NV12 ARM_AFBC(16x16); only a driver knows the layout of that, and no "
            "memory here is a driver's"
        ]
        both = solve(ask(part("a", of([tiled, XRGB])), part("b", of([tiled, NV12]))))
        assert [one.text for one in both.conflict] == [
            "a can use only NV12 ARM_AFBC(16x16) and XRGB8888 LINEAR",
            "b can use only NV12 LINEAR and NV12 ARM_AFBC(16x16); only a driver knows the layout "
            "of NV12 ARM_AFBC(16x16), and no memory here is a driver's",
        ]

    def test_what_rules_out_the_driver_is_a_conflict(self) -> None:
        device = device_source("decoder", DeviceId(81, 0), contiguous=False)
        tiled = pair("NV12", "ARM_AFBC(16x16)")
        asked = ask(part("a", of([tiled], need("contiguous"))), sources=(CMA, device))
        assert [one.constraint for one in solve(asked).conflict] == [need("contiguous")]


class TestCounts:
    def test_shares_add_up_and_slack_is_shared(self) -> None:
        counts = BufferCount(minimum=4, queue=2, hold=2)
        plain = part("a", of(XRGB))
        assert solve(ask(plain, counts=counts)).plans[0].buffer_count == 8
        slack = part("b", of(XRGB, need("shared-buffers", 2)))
        more = part("c", of(XRGB, need("shared-buffers", 1)))
        assert solve(ask(slack, more, counts=counts)).plans[0].buffer_count == 10
        least = part("d", of(XRGB, need("min-buffers", 16)))
        assert solve(ask(least, counts=counts)).plans[0].buffer_count == 16

    def test_a_count_beyond_all_reason_is_refused(self) -> None:
        for name in ("min-buffers", "shared-buffers"):
            answer = solve(ask(part("greedy", of(XRGB, need(name, 1 << 40)))))
            assert [member.constraint for member in answer.conflict] == [need(name, 1 << 40)]

    def test_too_many_is_refused_by_who_has_fewer(self) -> None:
        few = part("few", of(XRGB, need("max-buffers", 7)))
        answer = solve(ask(few, counts=BufferCount(minimum=4, queue=2, hold=2)))
        assert [member.participant for member in answer.conflict] == ["few"]


class TestUnknownTypes:
    unknown = 0x7F000003

    def test_a_set_that_must_be_understood_drops_out_with_that_reason(self) -> None:
        constraint = Constraint(type=self.unknown, value=b"")
        answer = solve(ask(part("vendor", of(XRGB, constraint))))
        (member,) = answer.conflict
        assert member.constraint == constraint
        assert "0x7f000003" in member.text
        assert "not known here" in member.text

    def test_other_pairs_of_the_same_participant_stay(self) -> None:
        constraint = Constraint(type=self.unknown, value=b"")
        answer = solve(ask(part("vendor", of(NV12, constraint), of(XRGB))))
        assert {plan.fourcc for plan in answer.plans} == {XRGB.fourcc}

    def test_one_that_need_not_be_understood_changes_nothing_here(self) -> None:
        constraint = Constraint(type=self.unknown, value=b"", must_understand=False)
        plain = solve(ask(part("vendor", of(XRGB))))
        assert [p.layout for p in solve(ask(part("vendor", of(XRGB, constraint)))).plans] == [
            p.layout for p in plain.plans
        ]


class TestAnswers:
    def test_formats_that_nobody_shares_name_the_fewest_participants(self) -> None:
        answer = solve(ask(part("a", of(NV12)), part("b", of([NV12, XRGB])), part("c", of(XRGB))))
        assert answer.reason is FailureReason.NO_FORMAT
        assert [member.text for member in answer.conflict] == [
            "a can use only NV12 LINEAR", "c can use only XRGB8888 LINEAR",
        ]  # fmt: skip

    def test_three_lists_that_only_together_leave_nothing(self) -> None:
        heaps = tuple(heap(f"h{n}", n) for n in range(3))
        noise = (need("pitch-alignment", 64), need("max-width", 8192))
        everyone = [
            part(
                name,
                of(XRGB, need("permitted-sources", (heap_id(one), heap_id(other))), *noise),
            )
            for name, one, other in (("a", 0, 1), ("b", 1, 2), ("c", 2, 0))
        ]
        bystander = part("d", of(XRGB, need("permitted-sources", (heap_id(0),)), *noise))
        answer = solve(ask(*everyone, sources=heaps))
        assert [(one.participant, one.constraint) for one in answer.conflict] == [
            (one.name, one.sets[0].constraints[0]) for one in everyone
        ]
        fewer = solve(ask(*everyone, bystander, sources=heaps))
        assert [one.participant for one in fewer.conflict] == ["b", "d"]

    def test_a_conflict_among_very_many_requirements_is_minimal(self) -> None:
        noise = [need("min-pitch", 64 + n) for n in range(30)]
        one = part("one", of(XRGB, *noise, need("max-pitch", 8000)))
        other = part("other", of(XRGB, *noise, need("min-pitch", 8001)))
        answer = solve(ask(one, other))
        assert [(member.participant, member.constraint) for member in answer.conflict] == [
            ("one", need("max-pitch", 8000)),
            ("other", need("min-pitch", 8001)),
        ]

    def test_what_makes_planes_of_an_unknown_format_is_part_of_a_conflict(self) -> None:
        """Of one plane it means nothing that planes are apart, and that they are adjacent."""
        unknown = FormatModifier(0x50345151, LINEAR)
        apart = [need("different-source", 1), need("adjacent-planes", 1)]
        third = need("contiguous", 1, 2)
        driver = device_source("driver", DeviceId(226, 0), contiguous=True)
        answer = solve(ask(part("a", of(unknown, *apart, third)), sources=(driver,)))
        assert answer.reason is FailureReason.CONFLICT
        assert third in [member.constraint for member in answer.conflict]
        assert solve(ask(part("a", of(unknown, *apart)), sources=(driver,))).plans

    def test_what_is_said_of_a_format_that_nobody_else_has_is_no_part_of_a_conflict(self) -> None:
        apart = need("different-source", 1, 0, 1)
        ann = part("ann", of(NV12), of(XRGB, apart))
        bob = part("bob", of(NV12, apart))
        answer = solve(ask(ann, bob, sources=(SYSTEM,)))
        assert [(one.participant, one.constraint) for one in answer.conflict] == [("bob", apart)]

    def test_what_each_says_of_another_format_is_needed_of_each(self) -> None:
        apart = need("different-source", 1, 0, 1)
        ann = part("ann", of(NV12, apart), of(YUV420))
        bob = part("bob", of(NV12), of(YUV420, apart))
        answer = solve(ask(ann, bob, sources=(SYSTEM,)))
        assert [one.participant for one in answer.conflict] == ["ann", "bob"]

    def test_of_two_conflicts_the_smaller_is_told(self) -> None:
        """Leaving out one requirement after the other would end with the three."""
        two = (
            part("a", of(XRGB, need("min-pitch", 8192))),
            part("b", of(XRGB, need("max-pitch", 4096))),
        )
        three = (
            part("c", of(XRGB, need("min-width", 64))),
            part("d", of(XRGB, need("min-height", 64))),
            part("e", of(XRGB, need("max-area", 4095))),
        )
        answer = solve(ask(*two, *three, size=(32, 32)))
        assert [member.participant for member in answer.conflict] == ["a", "b"]
        answer = solve(ask(*three, size=(32, 32)))
        assert [member.participant for member in answer.conflict] == ["c", "d", "e"]

    def test_no_source_at_all(self) -> None:
        assert solve(ask(part("a", of(NV12)), sources=())).reason is FailureReason.NO_SOURCE

    def test_no_goal_at_all(self) -> None:
        assert solve(ask(part("a", of(NV12)), goals=())).reason is FailureReason.NO_FORMAT

    def test_what_a_peer_may_send_never_raises(self) -> None:
        nonsense = [
            Constraint(type=need("pitch-alignment").type, value=0),
            Constraint(type=need("contiguous").type, value=b"bytes"),
            Constraint(type=need("permitted-sources").type, value=()),
            Constraint(type=need("address-range").type, value=(9, 1)),
            Constraint(type=need("coherency-domains").type, value=0),
            Constraint(type=need("pitch-alignment").type, value=1 << 64),
        ]
        for constraint in nonsense:
            answer = solve(ask(part("a", of(XRGB, constraint))))
            assert [member.constraint for member in answer.conflict] == [constraint]
            assert "means nothing" in answer.message

    def test_the_plans_are_the_same_without_explanations(self) -> None:
        problem = ask(part("a", of([NV12, XRGB])), shown=(display(of([NV12, XRGB])),))
        bare, full = solve_plans(problem), solve(problem)
        assert bare.verdicts == ()
        assert [replace(plan, reasons=()) for plan in full.plans] == list(bare.plans)

    @pytest.mark.parametrize("participants", [1, 4])
    def test_a_conflict_without_explanations_is_the_same(self, participants: int) -> None:
        everyone = [part(f"p{n}", of(XRGB, need("contiguous"))) for n in range(participants)]
        problem = ask(*everyone, sources=(SYSTEM,))
        bare, full = solve_plans(problem), solve(problem)
        assert bare.conflict == full.conflict
        assert bare.message == full.message
        assert len(bare.conflict) == 1
