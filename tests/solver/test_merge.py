"""Merging is a lattice meet, and free of the flaws that other systems have."""

from __future__ import annotations

from math import lcm

import pytest
from hypothesis import given, settings, strategies as st
from problem_building import heap_id, need

from heapwire.protocol.solver import BOTTOM, Demand, fault, join, lift, requirement
from heapwire.protocol.solver.demand.demand import common_ground, connected, pairs_of
from heapwire.protocol.solver.demand.merge import TOP, meet, spell
from heapwire.protocol.values import (
    ADDRESS_ALIGNMENT,
    AMD_VRAM_CONTIGUOUS,
    FENCES,
    ROWS,
    Constraint,
    DeviceId,
    MergeRule,
    ValueKind,
)

UNKNOWN = 0x7F000001

small = st.integers(0, 70)
big = st.one_of(small, st.integers(0, (1 << 64) - 1), st.sampled_from([1 << 16, 1 << 63]))


@st.composite
def values(draw: st.DrawFn, kind: ValueKind, rule: MergeRule) -> object:
    if kind is ValueKind.FLAG:
        return 1
    if kind is ValueKind.RANGE:
        return tuple(sorted((draw(big), draw(big))))
    if kind is ValueKind.MASK:
        return draw(st.integers(1, 15))
    if kind is ValueKind.SOURCES:
        listed = st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True)
        return tuple(heap_id(minor) for minor in draw(listed))
    if kind is ValueKind.PAIRS:
        devices = st.dictionaries(st.integers(0, 2), st.integers(0, 3), min_size=1)
        return tuple(sorted((DeviceId(1, n), hops) for n, hops in draw(devices).items()))
    if rule is MergeRule.EQUAL:
        return draw(st.integers(0, 1))
    number = draw(big)
    return max(number, 1) if rule is MergeRule.LCM else number


@st.composite
def constraints(draw: st.DrawFn) -> Constraint:
    planes = draw(st.sampled_from([0, 0, 1, 2, 3, 8, 15]))
    if draw(st.integers(0, 15)) == 0:
        raw = draw(st.sampled_from([b"", b"1", b"2"]))
        understood = draw(st.booleans())
        return Constraint(type=UNKNOWN, value=raw, planes=planes, must_understand=understood)
    row = draw(st.sampled_from(ROWS))
    value = draw(values(row.kind, row.merge))
    return Constraint(type=row.type, value=value, planes=planes)


demands = st.lists(constraints(), max_size=6).map(lambda listed: meet(lift(listed), TOP))


@given(demands, demands)
def test_the_meet_is_commutative(one: object, other: object) -> None:
    assert meet(one, other) == meet(other, one)


@settings(max_examples=500)
@given(demands, demands, demands)
def test_the_meet_is_associative(one: object, other: object, third: object) -> None:
    left = meet(meet(one, other), third)
    right = meet(one, meet(other, third))
    assert left == right
    assert left == join([one, other, third])


@given(demands)
def test_the_meet_is_idempotent_with_an_identity_and_a_bottom(one: object) -> None:
    assert meet(one, one) == one
    assert meet(one, TOP) == one == meet(TOP, one)
    assert meet(one, BOTTOM) is BOTTOM is meet(BOTTOM, one)


@given(st.lists(constraints(), max_size=8), st.integers(0, 8))
def test_it_does_not_matter_whose_constraint_it_is(listed: list[Constraint], cut: int) -> None:
    together = meet(lift(listed), TOP)
    apart = meet(lift(listed[:cut]), lift(listed[cut:]))
    assert together == apart


@given(st.lists(constraints(), max_size=6), st.lists(constraints(), max_size=6))
def test_a_merged_demand_spelled_out_demands_the_same(
    one: list[Constraint], other: list[Constraint]
) -> None:
    merged = meet(lift(one), lift(other))
    if merged is not BOTTOM:
        assert meet(lift(spell(merged, [*one, *other])), TOP) == merged


@settings(max_examples=500)
@given(st.lists(demands.filter(lambda one: one is not BOTTOM), min_size=1, max_size=4), demands)
def test_each_of_some_demands_implies_their_common_ground(
    some: list[Demand], other: Demand
) -> None:
    ground = common_ground(some)
    for one in some:
        assert meet(one, ground) == one
        if meet(ground, other) is BOTTOM:
            assert meet(one, other) is BOTTOM
    assert common_ground([*some, *some]) == ground


class TestFlawsOfOthers:
    def test_a_least_common_multiple_is_not_cut_to_32_bits(self) -> None:
        """liballoc: lcm(65536, 65536) is 0, lcm(2 MiB, 4096) is 0."""
        for one, other in ((1 << 16, 1 << 16), (2 << 20, 4096), (3 << 40, 5 << 41)):
            merged = meet(
                lift([need("address-alignment", one)]), lift([need("address-alignment", other)])
            )
            assert merged.uint(ADDRESS_ALIGNMENT, 1, 0) == lcm(one, other)

    def test_a_multiple_beyond_64_bits_is_refused(self) -> None:
        merged = meet(
            lift([need("pitch-alignment", (1 << 63) - 1)]), lift([need("pitch-alignment", 1 << 62)])
        )
        assert merged is BOTTOM

    def test_an_overflow_between_the_whole_and_a_plane_is_refused(self) -> None:
        one = lift([need("offset-alignment", (1 << 63) - 1)])
        other = lift([need("offset-alignment", 1 << 62, 1)])
        assert meet(one, other) is BOTTOM

    def test_an_alignment_of_zero_is_refused_and_never_divided_by(self) -> None:
        zero = need("pitch-alignment", 0)
        assert fault(zero) == "pitch-alignment: nothing is a multiple of 0"
        assert meet(lift([zero]), lift([zero])) is BOTTOM

    def test_a_pitch_alignment_above_the_greatest_pitch_is_seen(self) -> None:
        """Liballoc lets an alignment of 256 and a greatest pitch of 128 pass."""
        one, other = lift([need("pitch-alignment", 256)]), lift([need("max-pitch", 128)])
        assert meet(one, other) is BOTTOM

    @pytest.mark.parametrize(
        "listed",
        [
            [need("min-pitch", 500), need("max-pitch", 511), need("pitch-alignment", 256)],
            [need("power-of-two-pitch"), need("pitch-alignment", 48)],
            [need("power-of-two-pitch"), need("min-pitch", 1025), need("max-pitch", 2047)],
            [need("min-width", 64), need("max-width", 63)],
            [need("must-fit-height", 64), need("max-height", 63)],
            [need("must-fit-least-width", 15), need("min-width", 16)],
            [need("min-width", 64), need("min-height", 64), need("max-area", 4095)],
            [need("min-size", 4097), need("size-alignment", 4096), need("max-size", 8191)],
            [need("address-range", (1 << 32, 1 << 33)), need("dma-width", 32)],
            [need("protected", 1), need("cpu-access", 1)],
            [need("coherency-domains", 0b100), need("cpu-access", 1)],
            [need("min-buffers", 5), need("max-buffers", 4)],
            [need("max-segments", 0)],
            [need("same-source", 1, 0, 1), need("different-source", 1, 0, 1)],
            [
                need("same-buffer", 1, 0, 1),
                need("same-source", 1, 1, 2),
                need("different-source", 1, 0, 2),
            ],
            [need("permitted-sources", (heap_id(0),)), need("permitted-sources", (heap_id(1),), 1)],
        ],
        ids=lambda listed: "+".join(BY_NAME_OF[c.type] for c in listed),
    )
    def test_what_contradicts_itself_across_types_is_bottom(self, listed: list[Constraint]) -> None:
        for dropped in listed:
            rest = [one for one in listed if one is not dropped]
            if len(listed) > 1:
                assert meet(lift(rest), TOP) is not BOTTOM
        assert meet(lift(listed), TOP) is BOTTOM


BY_NAME_OF = {row.type: row.name for row in ROWS}


class TestUnknownTypes:
    def test_one_that_must_be_understood_cannot_be_met(self) -> None:
        assert lift([Constraint(type=UNKNOWN, value=b"x")]) is BOTTOM

    def test_one_that_need_not_be_is_carried_with_everybodys_values(self) -> None:
        mine = Constraint(type=UNKNOWN, value=b"x", must_understand=False)
        yours = Constraint(type=UNKNOWN, value=b"y", planes=2, must_understand=False)
        merged = meet(lift([mine]), lift([yours]))
        assert merged is not BOTTOM
        assert set(spell(merged, [mine, yours])) == {mine, yours}

    def test_a_vendors_row_merges_by_its_rule(self) -> None:
        assert AMD_VRAM_CONTIGUOUS.type >> 24 == 0x02
        asks = lift([need("amd-vram-contiguous")])
        assert meet(asks, asks) == Demand({AMD_VRAM_CONTIGUOUS.type: 1})

    def test_a_vendors_bit_of_a_general_mask_merges_like_any_other(self) -> None:
        vendor_bit = 1 << 56
        one = lift([need("fences", 0b1 | vendor_bit)])
        other = lift([need("fences", 0b10 | vendor_bit)])
        assert meet(one, other) == Demand({FENCES.type: vendor_bit})


class TestPlanes:
    def test_planes_that_a_format_does_not_have_are_not_spoken_of(self) -> None:
        listed = [
            need("permitted-sources", (heap_id(0),), 2),
            need("permitted-sources", (heap_id(1),), 2),
        ]
        assert lift(listed, planes=2) == TOP
        assert lift(listed, planes=3) is BOTTOM

    def test_being_tied_together_is_transitive(self) -> None:
        assert connected(pairs_of(0b0011) | pairs_of(0b0110)) == (0b111, 0b111, 0b111, 0b1000)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_says_what_it_demands_in_words(row: object) -> None:

    value: object = {
        ValueKind.RANGE: (1, 2),
        ValueKind.SOURCES: (heap_id(0),),
        ValueKind.PAIRS: ((DeviceId(226, 0), 2),),
    }.get(row.kind, 1)
    text = requirement("ann", Constraint(type=row.type, value=value), {})
    assert text.startswith("ann needs ")
    assert "{" not in text
    assert "  " not in text
