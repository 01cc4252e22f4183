"""How Fuchsia's sysmem behaves, case by case, and where this project decides otherwise.

The labels are those of docs/decisions/0003-sysmem.md, which also names the tests
in sysmem_tests_v2.cc that the cases come from. A sysmem participant is one of
ours, camping and slack counts are the parties' shares of the buffer count, a
coherency domain is a bit of `coherency-domains`.
"""

from __future__ import annotations

import pytest
from problem_building import (
    NV12,
    SYSTEM,
    ask,
    display,
    heap,
    need,
    of,
    pair,
    part,
)

from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    Answer,
    BufferCount,
    CoherencyDomain,
    ColourEncoding,
    ColourRange,
    Content,
    DeviceId,
    Extent,
    FailureReason,
    FormatModifier,
    Plan,
    Source,
    SourceId,
    Usage,
    parse_fourcc,
)
from heapwire.protocol.values.colour import colour_bit
from heapwire.protocol.values.pixels.modifier import INTEL_X_TILED

CPU, RAM, INACCESSIBLE = 1, 2, 4
ABGR = parse_fourcc("ABGR8888")  # R8G8B8A8 in memory, which sysmem calls RGBA
SECURE = heap("secure", 5, contiguous=True, protected=True)
NO_HOLD = BufferCount(minimum=0, queue=1, hold=0)
BLOB = pair("R8")  # sysmem's buffers without an image format are rows of bytes here


def best(answer: Answer) -> Plan:
    assert answer.plans, answer.message
    return answer.plans[0]


def test_s1_two_participants_merge_and_a_third_without_needs_changes_nothing() -> None:
    one = part(
        "a",
        of(
            NV12,
            need("min-width", 256), need("min-height", 256), need("min-size", 64 << 10),
            need("max-size", 512 * 512 * 3 // 2), need("width-alignment", 2),
            need("height-alignment", 2), need("pitch-alignment", 2),
        ),
    )  # fmt: skip
    two = part(
        "b",
        of(
            NV12,
            need("min-width", 512), need("min-height", 512), need("min-size", 64 << 10),
            need("max-size", 512 * 512 * 3 // 2), need("width-alignment", 2),
            need("height-alignment", 2), need("pitch-alignment", 2),
        ),
    )  # fmt: skip
    counts = BufferCount(minimum=3, queue=3, hold=0)
    plan = best(solve(ask(one, two, size=(1, 1), counts=counts)))
    assert plan.buffer_count == 6
    assert plan.layout.objects[0].size >= 393_216
    assert plan.layout.objects[0].source == SYSTEM.id  # neither contiguous nor secure
    third = best(solve(ask(one, two, part("c"), size=(1, 1), counts=counts)))
    assert third.layout == plan.layout


def test_s3_a_least_size_does_not_shrink_what_the_picture_needs() -> None:
    only = part("a", of(NV12, need("min-size", 65_536)), usage=Usage.CPU_WRITE)
    plan = best(solve(ask(only, size=(64, 1024), counts=BufferCount(minimum=3, queue=0, hold=0))))
    assert plan.layout.objects[0].size == 64 * 1024 * 3 // 2 == 98_304
    assert plan.domain is CoherencyDomain.CPU
    assert plan.buffer_count == 3


def test_s5_a_display_prefers_ram() -> None:
    sizes = (need("min-size", 65_536), need("max-size", 131_072))
    both = of(BLOB, need("coherency-domains", CPU | RAM), *sizes)
    answer = solve(
        ask(part("cpu", both, usage=Usage.CPU_WRITE), shown=(display(both),), size=(1, 1))
    )
    assert best(answer).layout.objects[0].size == 65_536
    assert best(answer).domain is CoherencyDomain.RAM


def test_s6_one_colour_encoding_is_chosen_of_those_all_know() -> None:
    pal = colour_bit(ColourEncoding.BT601, ColourRange.LIMITED)
    pal_full = colour_bit(ColourEncoding.BT601, ColourRange.FULL)
    hd = colour_bit(ColourEncoding.BT709, ColourRange.LIMITED)
    plan = best(
        solve(
            ask(
                part("a", of(NV12, need("colours", pal | pal_full | hd))),
                part("b", of(NV12, need("colours", pal_full | hd))),
                counts=BufferCount(minimum=1, queue=1, hold=0),
            )
        )
    )
    assert plan.colour == (ColourEncoding.BT709, ColourRange.LIMITED)
    assert plan.buffer_count == 2


def test_s8_what_everybody_holds_adds_up() -> None:
    counts = BufferCount(minimum=2, queue=2, hold=0)
    assert best(solve(ask(part("a", of(NV12)), counts=counts))).buffer_count == 4


def test_s9_system_memory_serves_who_needs_no_access() -> None:
    ram = heap("system", 0, contiguous=True)
    only = part(
        "a",
        of(
            BLOB,
            need("permitted-sources", (ram.id,)), need("contiguous"),
            need("coherency-domains", INACCESSIBLE), need("min-size", 4096),
            need("max-size", 4096),
        ),
    )  # fmt: skip
    plan = best(solve(ask(only, sources=(ram,), size=(1, 1))))
    assert plan.domain is CoherencyDomain.INACCESSIBLE
    assert plan.layout.objects[0].source == ram.id
    assert plan.layout.objects[0].size == 4096


def test_s10_the_cpu_cannot_touch_what_is_out_of_its_reach() -> None:
    only = part("a", of(BLOB, need("coherency-domains", INACCESSIBLE)), usage=Usage.CPU_READ)
    answer = solve(ask(only, size=(1, 1)))
    assert answer.reason is FailureReason.CONFLICT
    assert len(answer.conflict) == 2


@pytest.mark.parametrize("domain", CoherencyDomain)
def test_s11_system_memory_can_be_in_any_domain(domain: CoherencyDomain) -> None:
    only = part("a", of(BLOB, need("coherency-domains", 1 << domain)))
    assert best(solve(ask(only, size=(1, 1)))).domain is domain


def test_s12_a_size_that_must_fit_makes_room() -> None:
    only = part(
        "a",
        of(
            NV12, need("min-width", 256), need("min-height", 256), need("must-fit-width", 512),
            need("must-fit-height", 1024),
        ),
    )  # fmt: skip
    assert best(solve(ask(only, size=(1, 1)))).layout.objects[0].size >= 786_432


def test_s14_use_by_the_cpu_needs_no_memory_constraints() -> None:
    cpu = part("a", of(BLOB), usage=Usage.CPU_WRITE)
    other = part("b", of(BLOB, need("min-size", 1)))
    assert best(solve(ask(cpu, other, size=(1, 1)))).domain is CoherencyDomain.CPU


ANY = FormatModifier(ANY_FOURCC, ANY_MODIFIER)
RGBA_ANY = FormatModifier(ABGR, ANY_MODIFIER)
ANY_X = FormatModifier(ANY_FOURCC, INTEL_X_TILED)
RGBA_X = FormatModifier(ABGR, INTEL_X_TILED)


@pytest.mark.parametrize(
    ("case", "one", "other"),
    [("s17", RGBA_X, ANY), ("s18", RGBA_ANY, ANY_X)],
)
def test_s17_and_s18_whatever_the_others_name(
    case: str, one: FormatModifier, other: FormatModifier
) -> None:
    plans = solve(ask(part("a", of(one)), part("b", of(other)))).plans
    assert {(plan.fourcc, plan.modifier) for plan in plans} == {RGBA_X}


def test_s21_a_pair_named_twice_is_an_alternative_and_no_error() -> None:
    """Decided otherwise: sysmem refuses a participant that repeats a pair."""
    twice = part("a", of(NV12, need("contiguous")), of(NV12))
    assert best(solve(ask(twice))).layout.objects[0].source != SYSTEM.id
    assert solve(ask(twice, sources=(SYSTEM,))).plans
    assert solve(ask(part("a", of([NV12, NV12])))).plans


@pytest.mark.parametrize("pairs", [ANY, ANY_X])
def test_s22_a_modifier_without_a_format_is_no_format(pairs: FormatModifier) -> None:
    answer = solve(ask(part("a", of(pairs))))
    assert answer.reason is FailureReason.NO_FORMAT


def test_s24_colours_that_only_one_side_knows_do_not_stand_in_the_way() -> None:
    rgb = colour_bit(ColourEncoding.RGB, ColourRange.FULL)
    wide = colour_bit(ColourEncoding.BT2020, ColourRange.LIMITED)
    plan = best(
        solve(
            ask(
                part("a", of(RGBA_ANY, need("colours", rgb))),
                part("b", of(ANY_X, need("colours", rgb | wide))),
            )
        )
    )
    assert (plan.fourcc, plan.modifier) == RGBA_X
    assert plan.colour == (ColourEncoding.RGB, ColourRange.FULL)


@pytest.mark.parametrize(
    ("domains", "ok"), [(CPU, False), (RAM, False), (CPU | RAM, False), (INACCESSIBLE, True)]
)
def test_s27_protected_memory_is_out_of_the_cpus_reach(domains: int, ok: bool) -> None:
    only = part("a", of(BLOB, need("coherency-domains", domains), need("min-size", 65_536)))
    answer = solve(
        ask(only, sources=(SYSTEM, SECURE), content=Content(protected=True), size=(1, 1))
    )
    assert bool(answer.plans) is ok
    if ok:
        plan = best(answer)
        assert plan.domain is CoherencyDomain.INACCESSIBLE
        assert plan.layout.objects == (plan.layout.objects[0],)
        assert plan.layout.objects[0].source == SECURE.id
        assert (plan.buffer_count, plan.layout.objects[0].size) == (4, 65_536)


INTEL_ORDER = [
    "LINEAR", "INTEL_X_TILED", "INTEL_Y_TILED", "INTEL_YF_TILED", "INTEL_Y_TILED_CCS",
    "INTEL_YF_TILED_CCS",
]  # fmt: skip
ARM_ORDER = [
    "LINEAR",
    "ARM_AFBC(16x16)",
    "ARM_AFBC(16x16,YTR,SPLIT,SPARSE)",
    "ARM_AFBC(16x16,YTR,SPLIT,SPARSE,TILED)",
]


def table(worst_first: list[str]) -> dict[FormatModifier, int]:
    """A cost table; what it does not name is as good as linear, which is the worst."""
    return {pair("ABGR8888", name): -step for step, name in enumerate(worst_first)}


@pytest.mark.parametrize("order", [INTEL_ORDER, ARM_ORDER], ids=["intel", "arm"])
def test_s29_the_cost_tables_order_the_modifiers(order: list[str]) -> None:
    pairs = [pair("ABGR8888", name) for name in order]
    # Not all of these can be laid out by others than the GPU's driver.
    driver = Source(id=SourceId.device(DeviceId(226, 128)), name="gpu")
    answer = solve(ask(part("gpu", of(pairs)), sources=(driver,), format_costs=table(order)))
    expected = [one.modifier for one in reversed(pairs)]
    assert [plan.modifier for plan in answer.plans] == expected


@pytest.mark.parametrize(
    ("order", "first"), [(INTEL_ORDER, "LINEAR"), (ARM_ORDER, "ARM_AFBC(16x16)")]
)
def test_s29_a_pair_that_no_table_names_ties_with_linear(order: list[str], first: str) -> None:
    """Decided otherwise: a tie goes by number, where sysmem keeps the first to come."""
    afbc, linear = pair("ABGR8888", "ARM_AFBC(16x16)"), pair("ABGR8888")
    for arrival in ([afbc, linear], [linear, afbc]):
        answer = solve(ask(part("gpu", of(arrival)), sources=(SYSTEM,), format_costs=table(order)))
        assert answer.plans[0].modifier == pair("ABGR8888", first).modifier


def test_extents_are_what_the_stream_says() -> None:
    """Decided otherwise: sysmem has no picture, only limits; here the stream has its size."""
    plan = best(solve(ask(part("a", of(NV12)), size=(320, 240), counts=NO_HOLD)))
    assert plan.layout.extent == Extent(320, 240)
    assert plan.buffer_count == 1
