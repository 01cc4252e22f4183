"""The ladder: which of two facts holds, and what becomes of the other."""

from dataclasses import replace

import pytest

from heapwire.kernel.description import Fact, Platform, resolve
from heapwire.protocol.values import (
    BY_NAME,
    LINEAR,
    Constraint,
    ConstraintSet,
    FormatModifier,
    HeapId,
    Provenance,
    SourceId,
    Usage,
    fourcc,
)

XRGB, NV12 = (FormatModifier(fourcc(code), LINEAR) for code in ("XR24", "NV12"))
SYSTEM, CMA = SourceId.heap(HeapId(254, 0)), SourceId.heap(HeapId(254, 1))
RUNGS = list(Provenance)


def said(name, value, rung, planes=0):
    return Constraint(type=BY_NAME[name].type, value=value, provenance=rung, planes=planes)


def held(*facts, pairs=(XRGB,), own=()):
    resolution = resolve(Usage.SCANOUT, [ConstraintSet(formats=pairs, constraints=own)], facts)
    found = {pair: s.constraints for s in resolution.sets for pair in s.formats}
    return found, resolution.overruled


def test_the_rungs_have_their_order():
    assert [rung.name for rung in RUNGS] == [
        *("PRESUMPTION", "UNCHECKED", "PROFILE", "GAUGE", "TRIAL", "KERNEL", "USER")
    ]


@pytest.mark.parametrize("low", range(len(RUNGS) - 1))
def test_each_rung_overrules_those_below_it(low):
    for higher in RUNGS[low + 1 :]:
        lower = said("pitch-alignment", 64, RUNGS[low])
        upper = said("pitch-alignment", 16, higher)
        for facts in ((lower, upper), (upper, lower)):
            found, overruled = held(*(Fact(constraint=one) for one in facts))
            assert found == {XRGB: (upper,)}
            [lost] = overruled
            assert (lost.usage, lost.constraint, lost.by) == (Usage.SCANOUT, lower, upper)
            assert lost.pairs == (XRGB,)


def test_facts_on_one_rung_and_about_different_things_add_up():
    facts = [
        said("pitch-alignment", 64, Provenance.PROFILE),
        said("pitch-alignment", 48, Provenance.PROFILE),
        said("pitch-alignment", 8, Provenance.KERNEL, planes=2),
        said("max-width", 1920, Provenance.PRESUMPTION),
    ]
    found, overruled = held(*(Fact(constraint=one) for one in facts))
    assert (found[XRGB], overruled) == (tuple(facts), ())


def test_a_fact_holds_for_its_pairs_and_divides_a_set():
    only_nv12 = said("pitch-alignment", 64, Provenance.GAUGE)
    general = said("pitch-alignment", 256, Provenance.PROFILE)
    found, overruled = held(
        Fact(constraint=general),
        Fact(constraint=only_nv12, pairs=frozenset((NV12,))),
        pairs=(XRGB, NV12),
    )
    assert found == {XRGB: (general,), NV12: (only_nv12,)}
    assert [one.pairs for one in overruled] == [(NV12,)]


def test_what_is_known_of_a_format_stands_beside_what_the_kernel_says_of_the_device():
    device = said("max-width", 8192, Provenance.KERNEL)
    exact = said("max-width", 4096, Provenance.PROFILE)
    found, _ = held(Fact(constraint=exact, pairs=frozenset((XRGB,))), own=(device,))
    assert found[XRGB] == (device, exact)
    found, _ = held(Fact(constraint=exact), own=(device,))
    assert found[XRGB] == (device,)
    user = said("max-width", 2048, Provenance.USER)
    found, _ = held(
        Fact(constraint=exact, pairs=frozenset((XRGB,))), Fact(constraint=user), own=(device,)
    )
    assert found[XRGB] == (user,)


def test_a_list_of_memory_overrules_what_is_said_of_memory_in_other_words():
    presumed = said("contiguous", 1, Provenance.PRESUMPTION)
    table = said("permitted-sources", (CMA,), Provenance.PROFILE)
    tried = said("permitted-sources", (SYSTEM, CMA), Provenance.TRIAL)
    narrow = said("address-range", (0, 1 << 30), Provenance.PROFILE)
    found, overruled = held(*(Fact(constraint=o) for o in (presumed, table, tried, narrow)))
    assert found[XRGB] == (tried, narrow)  # an import says nothing of addresses
    assert {(one.constraint, one.by) for one in overruled} == {(presumed, tried), (table, tried)}
    found, _ = held(*(Fact(constraint=one) for one in (tried, replace(presumed, provenance=5))))
    assert len(found[XRGB]) == 2  # and a demand overrules no list


def test_costs_stay_with_their_pairs():
    exact = Fact(constraint=said("max-width", 64, Provenance.PROFILE), pairs=frozenset((NV12,)))
    whole = ConstraintSet(formats=(NV12, XRGB), costs=(3, 1))
    first, second = resolve(Usage.DECODE, [whole], [exact]).sets
    assert (first.formats, first.costs) == ((NV12,), (3,))
    assert (second.formats, second.costs) == ((XRGB,), (1,))


def test_an_unchecked_row_of_a_file_stands_below_a_checked_one():
    file = """
    [[device]]
    name = "display"
    kind = "display"
    [[device.use]]
    usage = "scanout"
    constraints = [
        { type = "pitch-alignment", value = 64, source = "vendor_plane.c: check" },
        { type = "max-width", value = 1920, source = "the data sheet (unchecked)" },
    ]
    [[device.use.set]]
    formats = ["XRGB8888"]
    """
    [only] = Platform.parse(file).participant("display", Usage.SCANOUT).sets
    assert [(one.provenance, one.source) for one in only.constraints] == [
        (Provenance.PROFILE, "vendor_plane.c: check"),
        (Provenance.UNCHECKED, "the data sheet (unchecked)"),
    ]


@pytest.mark.parametrize("planes", [0, 1])
def test_what_a_higher_rung_says_too_is_not_lost(planes):
    """It holds once, by the higher word, and is no contradiction to be told."""
    lower = said("pitch-alignment", 64, Provenance.PROFILE, planes)
    upper = said("pitch-alignment", 64, Provenance.GAUGE, planes)
    found, overruled = held(Fact(constraint=lower), Fact(constraint=upper))
    assert found == {XRGB: (upper,)}
    assert overruled == ()
