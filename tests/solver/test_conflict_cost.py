"""What a conflict costs, in counted steps: little more than a plan of the same question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import pytest
from conflicting_questions import everyone_without_one_fence, three_devices
from honest_conflicts import KINDS, asked
from problem_building import NV12, YUV420, ask, heap, need, of, pair, part

from heapwire.kernel.description import Platform, shipped
from heapwire.protocol.explain import solve
from heapwire.protocol.solver import DEFAULT_STEPS, solve_plans
from heapwire.protocol.values import (
    Constraint,
    Extent,
    Extents,
    Goal,
    Participant,
    Problem,
    SourceId,
    Usage,
)

Devices = tuple[Participant, ...]
RAW = "nobody who shows it"


class TestConflicts:
    def test_what_nobody_need_understand_costs_a_step_or_two(self, steps_of) -> None:
        with_unknowns = steps_of(everyone_without_one_fence(58))
        without = steps_of(everyone_without_one_fence(0))
        assert with_unknowns < without + 16 * 58 * 16
        assert with_unknowns < DEFAULT_STEPS / 10

    def test_and_the_sixteen_fences_are_the_conflict(self) -> None:
        answer = solve(everyone_without_one_fence(58))
        assert {member.constraint for member in answer.conflict} == {
            need("fences", 0xFFFF & ~(1 << n)) for n in range(16)
        }
        assert answer.proved_minimal

    @pytest.mark.parametrize(
        "contradicting", [(528, 1456, 1360), (48 * 64, 112 * 64, 80 * 64), (4099, 4111, 4127)]
    )
    def test_odd_pitches_cost_at_most_five_times_a_plan(self, steps_of, contradicting) -> None:
        honest, contradictory = three_devices((48, 112, 80)), three_devices(contradicting)
        assert solve(honest).plans
        assert len(solve(contradictory).conflict) == 3
        assert steps_of(contradictory) <= 5 * steps_of(honest)

    @pytest.mark.parametrize(
        "contradicting", [(528, 1456, 1360), (48 * 64, 112 * 64, 80 * 64), (4099, 4111, 4127)]
    )
    def test_and_so_they_do_without_an_explanation(self, steps_of, contradicting) -> None:
        heaps = tuple(heap(f"heap{n}", n, contiguous=n % 2 == 1) for n in range(4))
        honest, contradictory = (
            replace(three_devices(pitches), sources=heaps)
            for pitches in ((48, 112, 80), contradicting)
        )
        assert steps_of(contradictory, solve_plans) <= 5 * steps_of(honest, solve_plans)

    @pytest.mark.parametrize("name", ["NV12", "YUV420", "YVU444"])
    def test_an_object_that_is_too_large_costs_at_most_five_times_a_plan(
        self, steps_of, name
    ) -> None:
        """Whichever of twelve heaps its planes are in, which nobody tries one by one."""
        heaps = tuple(heap(f"heap{n}", n) for n in range(12))

        def of_at_most(*sizes: int) -> Problem:
            parts = (
                part(f"p{n}", of(pair(name), need("max-size", size)))
                for n, size in enumerate(sizes)
            )
            return ask(*parts, sources=heaps, size=(640, 480))

        honest, contradictory = (
            of_at_most(3 * 640 * 480, 4 * 640 * 480),
            of_at_most(640 * 480 - 1, 640 * 480),
        )
        assert solve(honest).plans
        assert [member.participant for member in solve(contradictory).conflict] == ["p0"]
        assert steps_of(contradictory) <= 5 * steps_of(honest)

    def test_a_conflict_of_two_is_found_beside_a_minimal_one_of_three(self) -> None:
        problem = three_devices((528, 1456, 1360))
        more = (part("x", of(NV12, need("fences", 1))), part("y", of(NV12, need("fences", 2))))
        answer = solve(replace(problem, participants=(*problem.participants, *more)))
        assert [member.participant for member in answer.conflict] == ["x", "y"]


def devices(*everyones: list[Constraint]) -> Devices:
    """A device for each list of requirements."""
    return tuple(part(f"device{n}", of(NV12, *own)) for n, own in enumerate(everyones))


def of_pitches(*numbers: int, formats: bool = False) -> Devices:
    """Devices that differ by the alignment of their pitches."""
    made = three_devices(numbers).participants
    if not formats:
        return made
    more = (NV12, YUV420, pair("NV21"), pair("XRGB8888"), pair("P010"))
    return tuple(
        replace(one, sets=tuple(replace(own, formats=more) for own in one.sets)) for one in made
    )


def of_one_alignment(alignment: int, *greatest: int) -> Devices:
    """One device with an alignment, two with a greatest pitch, and one with rows."""
    return devices(
        [need("pitch-alignment", alignment)],
        *([need("max-pitch", pitch), need("size-alignment", 4096)] for pitch in greatest),
        [need("scanline-alignment", 16)],
    )


def of_memory(first: tuple[SourceId, ...], second: tuple[SourceId, ...]) -> Devices:
    """Two devices with lists of sources, and two that do not care."""
    return devices(
        [need("permitted-sources", first), need("max-width", 8192)],
        [need("permitted-sources", second), need("pitch-alignment", 64)],
        [need("pitch-alignment", 128)],
        [need("scanline-alignment", 16), need("max-width", 4096)],
    )


def of_bits(name: str, *masks: int) -> Devices:
    """Devices with a mask each of one type, and a pitch."""
    return devices(*([need(name, mask), need("pitch-alignment", 64)] for mask in masks))


def of_reach(*bits: int) -> Devices:
    """Devices that reach so many bits of address."""
    return devices(*([need("dma-width", reach), need("max-pitch", 8192)] for reach in bits))


def honest_and_contradicting(platform: Platform) -> dict[str, tuple[Devices, Devices]]:
    """Questions that devices may well ask of a machine, each in two ways."""
    questions = {
        "three pitches": (of_pitches(48, 112, 80), of_pitches(528, 1456, 1360)),
        "three that are greater": (
            of_pitches(48, 112, 80),
            of_pitches(48 * 64, 112 * 64, 80 * 64),
        ),
        "of five formats": (
            of_pitches(48, 112, 80, formats=True),
            of_pitches(528, 1456, 1360, formats=True),
        ),
        "two maxima and an alignment": (
            of_one_alignment(256, 4096, 8192),
            of_one_alignment(3000, 2048, 2560),
        ),
        "coherency": (
            of_bits("coherency-domains", 7, 7, 7),
            of_bits("coherency-domains", 1, 2, 4),
        ),
        "fences, each two": (of_bits("fences", 7, 7, 7), of_bits("fences", 3, 5, 6)),
        "reach": (of_reach(64, 64, 64), of_reach(64, 8, 64)),
    }
    open_ = [source for source in platform.sources if not source.protected]
    for one, other in combinations(open_, 2):
        # Where one stands in for the other, who permits that permits both.
        if one.name not in other.substitutes_for and other.name not in one.substitutes_for:
            questions["lists of sources"] = (
                of_memory((one.id, other.id), (one.id,)),
                of_memory((one.id,), (other.id,)),
            )
    return questions


def all_goals(platform: Platform) -> Iterator[tuple[Goal, ...]]:
    """To have a buffer and no more, to sample it, and to scan it out or else sample it."""
    yield (Goal(name=RAW),)
    assert platform.first_sampler is not None
    gpu = platform.participant(platform.first_sampler.name, Usage.SAMPLING)
    yield (sampling := Goal(name="sampling", participants=(gpu,)),)
    screen = next(one for one in platform.devices if Usage.SCANOUT in one.sets)
    shown = (platform.participant(screen.name, Usage.SCANOUT), gpu)
    yield Goal(name="scanout", participants=shown, scanout=True), sampling


@pytest.mark.parametrize("name", shipped())
def test_a_conflict_costs_at_most_five_plans_on_each_machine(steps_of, name) -> None:
    """Whoever shows the buffer, where there is a plan to compare it with."""
    platform = Platform.load(name)
    for what, pairs in honest_and_contradicting(platform).items():
        for goals in all_goals(platform):
            honest, contradicting = (
                platform.problem(
                    participants=everyone, goals=goals, extents=Extents(coded=Extent(1280, 720))
                )
                for everyone in pairs
            )
            answer = solve_plans(contradicting)
            assert answer.conflict
            assert answer.proved_minimal
            if not solve_plans(honest).plans:
                assert goals[0].name != RAW
                continue
            for how in (solve_plans, solve):
                ratio = steps_of(contradicting, how) / steps_of(honest, how)
                assert ratio <= 5, (what, goals[-1].name, how.__name__)


@pytest.mark.parametrize("kind", KINDS)
def test_a_conflict_of_few_devices_costs_five_plans(steps_of, kind) -> None:
    """Of three members and more some cost more: a layout without each, and with each two."""
    ratios: dict[bool, list[float]] = {False: [], True: []}
    for seed in range(40):
        question = asked(kind, seed)
        answer = solve_plans(question.contradicting)
        if answer.conflict and solve_plans(question.honest).plans:
            assert answer.proved_minimal
            ratio = steps_of(question.contradicting, solve_plans) / steps_of(
                question.honest, solve_plans
            )
            ratios[len(answer.conflict) > 2].append(ratio)
    everything = [*ratios[False], *ratios[True]]
    assert len(everything) > 5
    assert sum(everything) <= 4 * len(everything)
    assert max(ratios[False], default=0) <= 5
    assert max(ratios[True], default=0) <= 7


def test_heaps_that_are_all_too_small_are_not_tried_one_with_another(steps_of) -> None:
    """An object is as large as its alignment, whatever is in it."""

    def of_sizes(*alignments: int) -> Problem:
        parts = (
            part(f"p{n}", of(NV12, need("size-alignment", alignment)))
            for n, alignment in enumerate(alignments)
        )
        heaps = tuple(heap(f"heap{n}", n, capacity=256 << 20) for n in range(12))
        return ask(*parts, sources=heaps)

    honest, contradicting = of_sizes(4096, 64, 8192), of_sizes(4097, 5003, 6007)
    assert len(solve(contradicting).conflict) == 4  # with the number of buffers
    assert steps_of(contradicting, solve_plans) <= 5 * steps_of(honest, solve_plans)


@pytest.mark.parametrize("greatest", [(16384,) * 4, (16912, 17840, 17744, 17808)], ids=str)
def test_a_fourth_device_makes_it_no_more(steps_of, greatest) -> None:
    """The pairs that have to be cleared are more, and most are by what is known of others."""

    def of_four(*alignments: int) -> Problem:
        return ask(
            *devices(
                *(
                    [need("pitch-alignment", alignment), need("max-pitch", most)]
                    for alignment, most in zip(alignments, greatest, strict=True)
                )
            ),
            sources=tuple(heap(f"heap{n}", n, contiguous=n % 2 == 1) for n in range(4)),
        )

    honest, contradicting = of_four(48, 112, 80, 64), of_four(528, 1456, 1360, 1424)
    assert len(solve(contradicting).conflict) == 3
    assert steps_of(contradicting, solve_plans) <= 5 * steps_of(honest, solve_plans)
