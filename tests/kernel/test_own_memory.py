"""Memory that a device allocates itself, and what it took beside the memory it is linked to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heapwire.kernel.description import Device, DeviceKind, Link, LinkKind, Platform
from heapwire.kernel.discovery import DeviceRecord, Verdict, with_records
from heapwire.kernel.discovery.own_memory import within_reach
from heapwire.kernel.memory import MemfdMemory
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    ADDRESS_RANGE,
    DMA_WIDTH,
    LINEAR,
    PERMITTED_SOURCES,
    Constraint,
    ConstraintSet,
    DeviceId,
    DeviceNumber,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Provenance,
    Source,
    SourceId,
    Usage,
    parse_fourcc,
)

CARD = DeviceId(226, 0)
OWN = Source(id=SourceId.device(CARD), name="card0", device_local=CARD)
SYSTEM = Source(id=SourceId.heap(DeviceNumber(254, 0)), name="system", contiguous=False)
CMA = Source(id=SourceId.heap(DeviceNumber(254, 1)), name="reserved", contiguous=True)
XRGB = FormatModifier(parse_fourcc("XR24"), LINEAR)


def display(*constraints: Constraint) -> Device:
    scanned_out = ConstraintSet(formats=(XRGB,), constraints=constraints)
    return Device(
        id=CARD,
        name="card0",
        kind=DeviceKind.DISPLAY,
        node="/dev/dri/card0",
        sets={Usage.SCANOUT: (scanned_out,)},
    )


def platform(device: Device, *sources: Source, links: tuple[Link, ...] = ()) -> Platform:
    return Platform(
        name="local",
        sources=sources,
        devices=(device,),
        memory=MemfdMemory(sources),
        links=links,
    )


def verdicts(machine: Platform) -> dict[str, bool]:
    """For each source, whether the display could scan it out."""
    goal = Goal(
        name="scanout", participants=(machine.participant("card0", Usage.SCANOUT),), scanout=True
    )
    answer = solve(machine.problem(goals=(goal,), extents=Extents(coded=Extent(640, 480))))
    return {
        verdict.name: bool(answer.plans) and verdict.participant is None
        for verdict in answer.verdicts
    }


def width(bits: int) -> Constraint:
    return Constraint(type=DMA_WIDTH.type, value=bits, provenance=Provenance.KERNEL)


BELOW_GIB = Constraint(
    type=ADDRESS_RANGE.type, value=(0x1000, 0x3FFFFFFF), provenance=Provenance.PROFILE
)


@pytest.mark.parametrize("bits", [32, 40])
def test_a_device_reaches_what_it_allocates_itself(bits):
    itself = Constraint(type=PERMITTED_SOURCES.type, value=(OWN.id,))
    machine = platform(display(width(bits), itself), SYSTEM, OWN)
    assert verdicts(machine) == {"system": False, "card0": False}
    sources = within_reach(machine.sources, machine.devices)
    assert verdicts(replace(machine, sources=sources)) == {"system": False, "card0": True}
    assert sources[1].address_range == (0, 2**bits - 1)
    assert sources[1].provenance["address_range"] is Provenance.KERNEL


@pytest.mark.parametrize(
    ("constraints", "reach", "rung"),
    [
        ((BELOW_GIB,), (0x1000, 0x3FFFFFFF), Provenance.PROFILE),
        ((BELOW_GIB, width(28)), (0x1000, 0xFFFFFFF), Provenance.PROFILE),
        ((width(40), BELOW_GIB), (0x1000, 0x3FFFFFFF), Provenance.PROFILE),
        ((BELOW_GIB, width(8)), None, None),  # nothing is within both
    ],
)
def test_its_bus_may_reach_less_than_a_device(constraints, reach, rung):
    machine = platform(display(*constraints), SYSTEM, OWN)
    (_, own) = within_reach(machine.sources, machine.devices)
    assert own.address_range == reach
    assert own.provenance.get("address_range") is rung
    assert verdicts(replace(machine, sources=(SYSTEM, own)))["card0"] is (reach is not None)


def test_what_is_known_of_addresses_stays_and_nothing_is_made_up():
    told = replace(OWN, address_range=(0x1000, 0x1FFF))
    assert within_reach((told, SYSTEM), (display(width(32)),)) == (told, SYSTEM)
    assert within_reach((OWN,), (display(),)) == (OWN,)


def test_a_source_that_a_trial_finds_is_within_reach():
    machine = platform(display(width(32)), SYSTEM)
    refused = Verdict(source="system", taken=False, said="PRIME import: EINVAL")
    asked = with_records(machine, {"card0": DeviceRecord(verdicts=(refused,), own=True)})
    assert verdicts(asked) == {"system": False, "card0": True}


def linked(kind: LinkKind) -> tuple[Link, ...]:
    return (Link(device="card0", source="system", kind=kind, provenance=Provenance.KERNEL),)


@pytest.mark.parametrize("kind", LinkKind)
def test_what_a_device_took_is_good_beside_what_it_is_linked_to(kind):
    machine = platform(display(), SYSTEM, CMA, links=linked(kind))
    taken = tuple(Verdict(source=name, taken=True) for name in ("system", "reserved"))
    asked = with_records(machine, {"card0": DeviceRecord(verdicts=taken)})
    assert verdicts(machine)["reserved"] is (kind is LinkKind.PREFERRED)
    assert verdicts(asked) == {"system": True, "reserved": True}
    assert next(link.source for link in asked.links_of("card0")) == "system"


def test_what_a_device_refused_is_not_good_for_being_linked():
    machine = platform(display(), SYSTEM, CMA, links=linked(LinkKind.SUPPORTED))
    record = DeviceRecord(
        verdicts=(
            Verdict(source="system", taken=False, said="PRIME import: EINVAL"),
            Verdict(source="reserved", taken=True),
        )
    )
    assert verdicts(with_records(machine, {"card0": record})) == {
        "system": False,
        "reserved": True,
    }
