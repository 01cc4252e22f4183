"""The cases that the mailing list measured every proposal by."""

from __future__ import annotations

from dataclasses import replace

import pytest
from problem_building import (
    CMA,
    NV12,
    SYSTEM,
    XRGB,
    ask,
    device_source,
    display,
    heap,
    need,
    of,
    pair,
    part,
)

from heapwire.protocol.explain import solve
from heapwire.protocol.solver import common_formats
from heapwire.protocol.values import (
    ANY_FOURCC,
    Answer,
    CoherencyDomain,
    Content,
    DeviceId,
    FailureReason,
    FormatModifier,
    Goal,
    Participant,
    Place,
    Problem,
    Source,
    SourceId,
    SourceKind,
    Topology,
    Usage,
)

RIGHT = heap(
    "mfc-right", 2, contiguous=True, address_range=(0x43000000, 0x46FFFFFF), alignment=1 << 20
)
LEFT = heap(
    "mfc-left", 3, contiguous=True, address_range=(0x51000000, 0x54FFFFFF), alignment=1 << 20
)

MFC = part(
    "decoder",
    of(
        NV12,
        need("permitted-sources", (RIGHT.id,), 0),
        need("permitted-sources", (LEFT.id,), 1),
        need("different-source", 1, 0, 1),
        need("address-alignment", 128 << 10),
        need("pitch-alignment", 16),
        need("scanline-alignment", 32),
    ),
)
FIMD = display(of(NV12, need("contiguous")))


def sampling(*constraints: object) -> Participant:
    return part("gpu", of([NV12, XRGB], *constraints), usage=Usage.SAMPLING)


def shown(gpu: Participant, *displays: Participant) -> tuple[Goal, ...]:
    return (
        Goal(name="scanout", participants=(*displays, gpu), scanout=True),
        Goal(name="sampled", participants=(gpu,)),
    )


def names(problem: Problem, answer: Answer) -> list[tuple[str, ...]]:
    known = {source.id: source.name for source in problem.sources}
    return [tuple(known[one.source] for one in plan.layout.objects) for plan in answer.plans]


class TestTwoBanks:
    """Exynos MFC v5 writes Y to one bank and CbCr to the other."""

    everything = (SYSTEM, CMA, RIGHT, LEFT)

    def test_luma_and_chroma_are_in_their_banks_and_are_scanned_out(self) -> None:
        problem = ask(MFC, goals=shown(sampling(), FIMD), sources=self.everything)
        answer = solve(problem)
        assert names(problem, answer) == [("mfc-right", "mfc-left")]
        plan = answer.plans[0]
        assert plan.scanout
        assert [(plane.object, plane.offset) for plane in plan.layout.planes] == [(0, 0), (1, 0)]
        assert [one.size for one in plan.layout.objects] == [1920 * 1088, 1920 * 544]

    @pytest.mark.parametrize(
        ("missing", "plane", "bank"), [(RIGHT, 0, "mfc-right"), (LEFT, 1, "mfc-left")]
    )
    def test_without_a_bank_the_plane_that_needs_it_is_named(
        self, missing: Source, plane: int, bank: str
    ) -> None:
        sources = tuple(source for source in self.everything if source is not missing)
        answer = solve(ask(MFC, goals=shown(sampling(), FIMD), sources=sources))
        assert answer.reason is FailureReason.CONFLICT
        (member,) = answer.conflict
        assert (member.participant, member.planes) == ("decoder", 1 << plane)
        assert f"plane {plane}" in member.text

    def test_a_display_that_needs_one_buffer_cannot_have_it(self) -> None:
        one_buffer = display(of(NV12, need("contiguous"), need("same-buffer")))
        problem = ask(MFC, goals=shown(sampling(), one_buffer), sources=self.everything)
        answer = solve(problem)
        assert [plan.goal for plan in answer.plans] == ["sampled"]
        (failure,) = answer.failures
        assert failure.goal == "scanout"
        assert {member.participant for member in failure.conflict} == {"decoder", "display"}
        assert len(failure.conflict) == 2

    def test_then_a_gpu_samples_the_two_banks(self) -> None:
        one_buffer = display(of(NV12, need("same-buffer")))
        problem = ask(MFC, goals=shown(sampling(), one_buffer), sources=self.everything)
        assert names(problem, solve(problem)) == [("mfc-right", "mfc-left")]

    def test_and_a_gpu_that_needs_one_buffer_too_cannot(self) -> None:
        gpu = sampling(need("same-buffer"))
        answer = solve(ask(MFC, goals=shown(gpu, FIMD), sources=self.everything))
        assert {member.participant for member in answer.conflict} == {"decoder", "gpu"}

    def test_behind_an_iommu_one_object_anywhere_will_do(self) -> None:
        behind_iommu = part("decoder", of(NV12, need("pitch-alignment", 16)))
        problem = ask(
            behind_iommu,
            goals=shown(sampling(), display(of(NV12))),
            sources=self.everything,
        )
        assert names(problem, solve(problem))[0] == ("system",)

    def test_version_6_has_both_planes_in_the_left_bank(self) -> None:
        version_6 = part("decoder", of(NV12, need("permitted-sources", (LEFT.id,))))
        problem = ask(version_6, goals=shown(sampling(), FIMD), sources=self.everything)
        assert names(problem, solve(problem)) == [("mfc-left",)]

    def test_banks_given_as_addresses_come_to_the_same(self) -> None:
        by_address = part(
            "decoder",
            of(
                NV12,
                need("address-range", (0x43000000, 0x46FFFFFF), 0),
                need("address-range", (0x51000000, 0x54FFFFFF), 1),
            ),
        )
        problem = ask(by_address, goals=shown(sampling(), FIMD), sources=self.everything)
        assert names(problem, solve(problem)) == [("mfc-right", "mfc-left")]

    def test_rgb_of_the_same_decoder_is_in_one_object(self) -> None:
        """The banks are a matter of semi-planar formats only."""
        both = replace(MFC, sets=(*MFC.sets, of(XRGB)))
        screen = display(of(XRGB, need("contiguous")))
        problem = ask(both, goals=shown(sampling(), screen), sources=self.everything)
        answer = solve(problem)
        assert answer.plans[0].scanout
        assert len(answer.plans[0].layout.objects) == 1


GPU_A, GPU_B, NIC = DeviceId(226, 0), DeviceId(226, 1), DeviceId(510, 0)
VRAM_A = device_source("vram-a", GPU_A, device_local=GPU_A)
VRAM_B = device_source("vram-b", GPU_B, device_local=GPU_B)
TREE = {
    GPU_A: Place(("root0", "switch0", "gpu-a"), 0),
    GPU_B: Place(("root0", "switch0", "gpu-b"), 0),
    NIC: Place(("root1", "nic"), 1),
}
LINKED = Topology(places=TREE, peer_links=frozenset({frozenset({GPU_A, GPU_B})}))


class TestTwoGpus:
    """NVLink or XGMI: some work only in local memory, some in a peer's, some anywhere."""

    sources = (SYSTEM, VRAM_A, VRAM_B)

    def served(self, topology: Topology, *constraints: object) -> set[str]:
        user = part("user", of(XRGB, *constraints), device=GPU_A)
        problem = ask(user, sources=self.sources, topology=topology)
        return {name for (name,) in names(problem, solve(problem))}

    def test_any_memory(self) -> None:
        assert self.served(LINKED) == {"system", "vram-a", "vram-b"}

    def test_local_only(self) -> None:
        assert self.served(LINKED, need("max-hops", ((GPU_A, 0),))) == {"vram-a"}

    def test_local_or_over_the_peer_link(self) -> None:
        constraint = need("peer-link", ((GPU_A, 1),))
        assert self.served(LINKED, constraint) == {"vram-a", "vram-b"}
        assert self.served(Topology(places=TREE), constraint) == {"vram-a"}

    def test_peer_only(self) -> None:
        constraints = (need("peer-link", ((GPU_A, 1),)), need("not-local", ((GPU_A, 1),)))
        assert self.served(LINKED, *constraints) == {"vram-b"}
        assert self.served(Topology(places=TREE), *constraints) == set()

    def test_each_gpu_asks_for_its_own_memory_and_they_conflict(self) -> None:
        answer = solve(
            ask(
                part("a", of(XRGB, need("max-hops", ((GPU_A, 0),)))),
                part("b", of(XRGB, need("max-hops", ((GPU_B, 0),)))),
                sources=self.sources,
                topology=LINKED,
            )
        )
        assert {member.participant for member in answer.conflict} == {"a", "b"}


class TestHops:
    """Enough bandwidth only within some number of hops on the PCI tree."""

    @pytest.mark.parametrize(
        ("device", "most", "served"),
        [
            (GPU_B, 1, set()),
            (GPU_B, 2, {"vram-a"}),
            (NIC, 4, {"system"}),
            (NIC, 5, {"system", "vram-a"}),
            (GPU_B, 3, {"vram-a", "system"}),
            (NIC, 1, set()),
            (NIC, 2, {"system"}),
        ],
    )
    def test_at_most_so_many(self, device: DeviceId, most: int, served: set[str]) -> None:
        user = part("user", of(XRGB, need("max-hops", ((device, most),))))
        problem = ask(user, sources=(SYSTEM, VRAM_A), topology=Topology(places=TREE))
        assert {name for (name,) in names(problem, solve(problem))} == served

    def test_a_device_of_unknown_place_is_too_far(self) -> None:
        user = part("user", of(XRGB, need("max-hops", ((DeviceId(1, 1), 100),))))
        answer = solve(ask(user, sources=(SYSTEM, VRAM_A), topology=Topology(places=TREE)))
        assert not answer.plans


def test_a_heap_for_each_numa_node() -> None:
    node0, node1 = heap("node0", 6, numa_node=0), heap("node1", 7, numa_node=1)
    topology = Topology(places=TREE)
    for device, expected in ((GPU_A, "node0"), (NIC, "node1")):
        user = part("user", of(XRGB, need("same-numa-node", ((device, 1),))))
        problem = ask(user, sources=(SYSTEM, node0, node1), topology=topology)
        assert names(problem, solve(problem)) == [(expected,)]
    both = ask(
        part("a", of(XRGB, need("same-numa-node", ((GPU_A, 1),)))),
        part("b", of(XRGB, need("same-numa-node", ((NIC, 1),)))),
        sources=(SYSTEM, node0, node1),
        topology=topology,
    )
    assert len(solve(both).conflict) == 2


def test_scanout_needs_specific_memory_and_sampling_takes_any() -> None:
    gpu = part("gpu", of(XRGB), usage=Usage.SAMPLING)
    screen = display(of(XRGB, need("permitted-sources", (VRAM_A.id,))))
    problem = ask(
        part("app", of(XRGB), usage=Usage.CPU_WRITE),
        goals=shown(gpu, screen),
        sources=(SYSTEM, VRAM_A),
    )
    answer = solve(problem)
    assert [(plan.goal, name) for plan, (name,) in zip(
        answer.plans, names(problem, answer), strict=True
    )] == [("scanout", "vram-a"), ("sampled", "system")]  # fmt: skip


TILED = pair("NV12", "SAMSUNG_64_32_TILE")


def test_a_tiled_picture_for_the_gpu_and_a_linear_one_for_others_are_preferences() -> None:
    decoder = part("decoder", of([NV12, TILED]))
    gpu = part("gpu", of([NV12, TILED], costs=(5, 0)), usage=Usage.SAMPLING)
    encoder = part("encoder", of([NV12, TILED], costs=(0, 1)), usage=Usage.ENCODE)
    alone = solve(ask(decoder, goals=shown(gpu)))
    assert alone.plans[0].modifier == TILED.modifier
    both = solve(ask(decoder, encoder, goals=shown(gpu)))
    assert both.plans[0].modifier == TILED.modifier  # 1 against 5
    only_linear = solve(ask(decoder, part("encoder", of(NV12)), goals=shown(gpu)))
    assert {plan.modifier for plan in only_linear.plans} == {NV12.modifier}


class TestModifierFamilies:
    """What a device lists with parameter 0 stands for every parameter."""

    columns = pair("NV12", "BROADCOM_SAND128(1632)")
    any_height = pair("NV12", "BROADCOM_SAND128(0)")

    def answer(self, *mine: FormatModifier, display_lists: list[FormatModifier]) -> Answer:
        decoder = part("decoder", of(list(mine)))
        return solve(ask(decoder, shown=(display(of(display_lists)),)))

    def test_a_display_of_any_height_takes_the_decoders(self) -> None:
        answer = self.answer(self.columns, display_lists=[self.any_height, XRGB])
        assert {(plan.fourcc, plan.modifier) for plan in answer.plans} == {self.columns}

    @pytest.mark.parametrize(
        "listed",
        [
            pair("NV12", "BROADCOM_SAND64(0)"),
            pair("P030", "BROADCOM_SAND128(0)"),
            pair("NV12", "BROADCOM_SAND128(1620)"),
            pair("NV12", "ARM_AFBC(16x16)"),
        ],
    )
    def test_no_other_width_format_or_height_is_meant(self, listed: FormatModifier) -> None:
        answer = self.answer(self.columns, display_lists=[listed])
        assert answer.reason is FailureReason.NO_FORMAT

    def test_what_both_list_stays_and_each_height_has_its_own_demands(self) -> None:
        taller = pair("NV12", "BROADCOM_SAND128(3240)")
        decoder = part(
            "decoder", of(self.columns), of(taller, need("contiguous")), of(self.any_height)
        )
        answer = solve(ask(decoder, shown=(display(of(self.any_height)),)))
        # Of columns as high as one likes nobody here knows how high they are.
        assert {plan.modifier for plan in answer.plans} == {
            pair.modifier for pair in (self.columns, taller)
        }

    def test_any_format_with_a_family_is_one_of_each(self) -> None:
        everything = FormatModifier(ANY_FOURCC, self.any_height.modifier)
        answer = self.answer(self.columns, NV12, display_lists=[everything])
        assert {(plan.fourcc, plan.modifier) for plan in answer.plans} == {self.columns}

    def test_a_goal_offers_what_its_family_covers(self) -> None:
        gpu = part("gpu", of([self.columns, XRGB]))
        goal = Goal(name="both", participants=(gpu, display(of(self.any_height))))
        assert common_formats(goal) == (self.columns,)


class TestConfigurations:
    """What a device needs may depend on what it is asked to do."""

    compressed = pair("YU08", "ARM_AFBC(16x16)")

    def decoder(self) -> Participant:
        return part(
            "decoder",
            of(self.compressed, need("when-width", (1, 2560))),
            of(NV12, need("when-interlaced", 1), need("scanline-alignment", 64)),
            of(NV12, need("when-interlaced", 0)),
            of(XRGB, need("when-rotation", 0b1010), need("contiguous")),
            of(XRGB, need("when-rotation", 0b0101)),
        )

    @pytest.mark.parametrize(("width", "offered"), [(2560, True), (2561, False)])
    def test_extent(self, width: int, offered: bool) -> None:
        answer = solve(ask(self.decoder(), part("gpu", of(self.compressed)), size=(width, 64)))
        assert bool(answer.plans) is offered
        assert answer.reason is (None if offered else FailureReason.NO_FORMAT)

    @pytest.mark.parametrize(("interlaced", "rows"), [(True, 1088), (False, 1080)])
    def test_interlaced(self, interlaced: bool, rows: int) -> None:
        problem = ask(self.decoder(), part("gpu", of(NV12)), content=Content(interlaced=interlaced))
        assert solve(problem).plans[0].layout.planes[1].offset == 1920 * rows

    def test_a_display_turns_a_picture_only_where_a_set_says_so(self) -> None:
        silent, turning = of(XRGB), of(NV12, need("when-rotation", 0b0111))
        goals = (
            Goal(name="scanout", participants=(display(silent, turning),), scanout=True),
            Goal(name="sampling", participants=(part("gpu", of([XRGB, NV12])),)),
        )
        writer = part("cpu", of([XRGB, NV12]))
        for rotation, pairs in ((0, {XRGB, NV12}), (90, {NV12}), (270, set())):
            answer = solve(ask(writer, goals=goals, content=Content(rotation=rotation)))
            scanned = {(plan.fourcc, plan.modifier) for plan in answer.plans if plan.scanout}
            assert scanned == pairs
            assert answer.plans

    @pytest.mark.parametrize(("rotation", "name"), [(0, "system"), (90, "cma"), (270, "cma")])
    def test_rotation(self, rotation: int, name: str) -> None:
        problem = ask(self.decoder(), part("gpu", of(XRGB)), content=Content(rotation=rotation))
        assert names(problem, solve(problem))[0] == (name,)


def test_a_camera_that_leaves_dirty_lines_and_a_display_that_does_not_snoop() -> None:
    uncached = heap("system-uncached", 8, cached=False)
    camera = part("camera", of(XRGB, need("dirty-lines")), usage=Usage.CAMERA)
    screen = display(of(XRGB, need("no-snoop")))
    problem = ask(camera, shown=(screen,), sources=(SYSTEM, uncached))
    answer = solve(problem)
    assert names(problem, answer) == [("system-uncached",), ("system",)]
    assert answer.plans[0].domain is CoherencyDomain.RAM
    (verdict,) = [one for one in answer.verdicts if not one.chosen]
    assert verdict.text == (
        "display does not snoop the CPU's caches, and heap system is cached: "
        "it would do with DMA_BUF_IOCTL_SYNC"
    )
    # The end of CPU access cleans a heap's memory, if whoever passes buffers on says so.
    (alone,) = solve(replace(problem, sources=(SYSTEM,))).plans
    assert alone.domain is CoherencyDomain.RAM
    (told,) = [reason.text for reason in alone.reasons if reason.subject == "coherency"]
    assert "whoever passes a buffer to camera and back brackets that" in told
    cpu_only = need("coherency-domains", 1 << CoherencyDomain.CPU)
    for source, more in (
        (replace(SYSTEM, id=SourceId(SourceKind.UDMABUF, 10, 126)), ()),
        (replace(SYSTEM, cached=None), ()),
        (SYSTEM, (part("app", of(XRGB, need("no-sync")), usage=Usage.CPU_WRITE),)),
        (SYSTEM, (part("app", of(XRGB, cpu_only), usage=Usage.CPU_WRITE),)),
    ):
        other = solve(ask(camera, *more, shown=(screen,), sources=(source,)))
        assert not other.plans
        assert "display" in {member.participant for member in other.conflict}
    snooping = replace(problem, goals=(Goal(name="x", participants=(display(of(XRGB)),)),))
    assert names(problem, solve(snooping))[0] == ("system",)


def test_whoever_does_not_sync_cannot_share_cached_memory_with_who_does_not_snoop() -> None:
    writer = part("writer", of(XRGB, need("no-sync")), usage=Usage.CPU_WRITE)
    screen = display(of(XRGB, need("no-snoop")))
    assert not solve(ask(writer, shown=(screen,), sources=(SYSTEM,))).plans
    polite = part("writer", of(XRGB), usage=Usage.CPU_WRITE)
    assert solve(ask(polite, shown=(screen,), sources=(SYSTEM,))).plans


def test_fences_that_have_nothing_in_common_conflict() -> None:
    implicit = part("decoder", of(XRGB, need("fences", 0b010)))
    for mask, expected in ((0b110, "IMPLICIT"), (0b011, "IMPLICIT")):
        answer = solve(ask(implicit, shown=(display(of(XRGB, need("fences", mask))),)))
        assert answer.plans[0].fence is not None
        assert answer.plans[0].fence.name == expected
    answer = solve(ask(implicit, shown=(display(of(XRGB, need("fences", 0b100))),)))
    assert len(answer.conflict) == 2
