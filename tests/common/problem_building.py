"""Short ways to say constraints, participants and problems in tests."""

from __future__ import annotations

from collections.abc import Mapping

from heapwire.protocol.values import (
    BY_NAME,
    BufferCount,
    Constraint,
    ConstraintSet,
    Content,
    DeviceId,
    Extent,
    Extents,
    FixedBuffer,
    FormatModifier,
    Goal,
    HeapId,
    Participant,
    Problem,
    Provenance,
    Source,
    SourceId,
    SourceKind,
    Topology,
    Usage,
    Value,
    parse_fourcc,
    parse_modifier,
)


def pair(fourcc: str, modifier: str = "LINEAR") -> FormatModifier:
    return FormatModifier(parse_fourcc(fourcc), parse_modifier(modifier))


NV12 = pair("NV12")
XRGB = pair("XRGB8888")
YUV420 = pair("YUV420")


def need(
    name: str,
    value: Value = 1,
    *planes: int,
    provenance: Provenance = Provenance.PROFILE,
) -> Constraint:
    """A constraint by its type's name, for the planes named or the whole buffer."""
    return Constraint(
        type=BY_NAME[name].type,
        value=value,
        planes=sum(1 << plane for plane in planes),
        provenance=provenance,
    )


def of(
    formats: FormatModifier | list[FormatModifier],
    *constraints: Constraint,
    costs: tuple[int, ...] = (),
) -> ConstraintSet:
    listed = tuple(formats) if isinstance(formats, list) else (formats,)
    return ConstraintSet(formats=listed, constraints=constraints, costs=costs)


def part(
    name: str,
    *sets: ConstraintSet,
    usage: Usage = Usage.DECODE,
    device: DeviceId | None = None,
) -> Participant:
    return Participant(name=name, usage=usage, sets=sets, device=device)


def display(*sets: ConstraintSet, name: str = "display") -> Participant:
    return part(name, *sets, usage=Usage.SCANOUT)


def heap_id(minor: int) -> SourceId:
    return SourceId.heap(HeapId(254, minor))


def heap(name: str, minor: int, **properties: object) -> Source:
    """A heap; not contiguous unless it is said."""
    known: dict[str, object] = {"contiguous": False, "cached": True, **properties}
    return Source(id=heap_id(minor), name=name, **known)


def device_source(name: str, device: DeviceId, **properties: object) -> Source:
    return Source(
        id=SourceId(SourceKind.DEVICE, device.major, device.minor),
        name=name,
        **properties,
    )


SYSTEM = heap("system", 0)
CMA = heap("cma", 1, contiguous=True, capacity=256 << 20, address_range=(0, (1 << 30) - 1))


def ask(
    *participants: Participant,
    shown: tuple[Participant, ...] = (),
    goals: tuple[Goal, ...] | None = None,
    sources: tuple[Source, ...] = (SYSTEM, CMA),
    size: tuple[int, int] = (1920, 1080),
    extents: Extents | None = None,
    content: Content | None = None,
    counts: BufferCount | None = None,
    topology: Topology | None = None,
    fixed: FixedBuffer | None = None,
    format_costs: Mapping[FormatModifier, int] | None = None,
) -> Problem:
    """A problem; without goals there is one, in which `shown` take part."""
    return Problem(
        participants=participants,
        goals=(Goal(name="scanout", participants=shown, scanout=True),) if goals is None else goals,
        sources=sources,
        extents=extents or Extents(coded=Extent(*size)),
        content=content or Content(),
        counts=counts or BufferCount(),
        topology=topology or Topology(),
        fixed=fixed,
        format_costs=format_costs or {},
    )
