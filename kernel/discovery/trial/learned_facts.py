"""What a record says of a device, as facts: its pitches, and the memory that will do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from heapwire.kernel.description import (
    Device,
    Fact,
    Platform,
    scanout_sets,
    with_facts_of,
    with_facts_of_plane,
)
from heapwire.kernel.discovery.trial.verdict import DeviceRecord, Verdict
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import (
    CONTIGUOUS,
    FORMATS,
    INVALID,
    LINEAR,
    PERMITTED_SOURCES,
    PITCH_ALIGNMENT,
    Constraint,
    ConstraintSet,
    FormatModifier,
    Provenance,
    Source,
    SourceId,
    SourceKind,
    Usage,
    fourcc_name,
)


def learned(platform: Platform, device: Device, record: DeviceRecord) -> tuple[Device, list[str]]:
    """A device with what its record says, and notes of what it lists and never takes.

    Planes that were asked have facts of their own, beside those of the device as a whole.
    """
    notes = []
    unable = _never_taken(device.name, record.of_plane(""))
    if unable:
        notes.append(f"{device.name} lists {_names(unable)}, and takes no memory for that")
        device = _without(device, unable)
    for usage in device.sets:
        verdicts = record.of_plane("")
        facts = [
            *_gauged(device, usage, record),
            *_judged(platform, device, device.sets[usage], verdicts),
        ]
        device = with_facts_of(device, usage, facts)
    for plane in device.planes:
        verdicts = record.of_plane(plane.name)
        unable = _never_taken(device.name, verdicts)
        listed = {pair for each in plane.sets for pair in each.formats}
        if unable & listed:
            notes.append(
                f"{device.name} lists {_names(unable & listed)} for {plane.name}, and shows none "
                "there"
            )
            device = _without(device, unable, plane.name)
        if verdicts:
            sets = next(one.sets for one in device.planes if one.name == plane.name)
            facts = [*_judged(platform, device, sets, verdicts)]
            device = with_facts_of_plane(device, plane.name, facts)
    return device, notes


def _names(pairs: Iterable[FormatModifier]) -> str:
    return ", ".join(sorted({fourcc_name(pair.fourcc) for pair in pairs}))


def _never_taken(own: str, verdicts: Iterable[Verdict]) -> frozenset[FormatModifier]:
    """The pairs that a display lists and refuses, from its own memory too: nobody has better."""
    refused = {
        pair
        for verdict in verdicts
        if verdict.source == own and not verdict.taken
        for pair in verdict.pairs
    }
    taken = {pair for verdict in verdicts if verdict.taken for pair in verdict.pairs}
    return frozenset(refused - taken)


def _without(device: Device, pairs: frozenset[FormatModifier], plane: str = "") -> Device:
    """A display that does not list some pairs, or a plane that does not.

    Without any left it is for no scanout.
    """
    planes = tuple(
        replace(one, sets=tuple(_less(one.sets, pairs))) if plane in ("", one.name) else one
        for one in device.planes
    )
    if plane:
        sets = {**device.sets, Usage.SCANOUT: scanout_sets(planes)}
    else:
        sets = {usage: tuple(_less(each, pairs)) for usage, each in device.sets.items()}
    return replace(
        device, planes=planes, sets={usage: left for usage, left in sets.items() if left}
    )


def _less(
    sets: tuple[ConstraintSet, ...], pairs: frozenset[FormatModifier]
) -> Iterator[ConstraintSet]:
    for each in sets:
        costs = each.costs or (0,) * len(each.formats)
        kept = [(p, c) for p, c in zip(each.formats, costs, strict=True) if p not in pairs]
        if kept:
            yield replace(
                each,
                formats=tuple(pair for pair, _ in kept),
                costs=tuple(cost for _, cost in kept) if each.costs else (),
            )


def _gauged(device: Device, usage: Usage, record: DeviceRecord) -> Iterator[Fact]:
    """The pitch rule of each size of pixel, for the formats whose rows are just that."""
    pairs = _pairs(device.sets[usage])
    for bits, rule in record.pitches.items() if usage is Usage.SCANOUT else ():
        of_size = frozenset(pair for pair in pairs if _bits(pair) == bits)
        if of_size:
            yield Fact(
                constraint=Constraint(
                    type=PITCH_ALIGNMENT.type,
                    value=rule,
                    provenance=Provenance.GAUGE,
                    source=f"pitches of CREATE_DUMB, {bits} bits a pixel",
                ),
                pairs=of_size,
            )


def _judged(
    platform: Platform,
    device: Device,
    sets: Iterable[ConstraintSet],
    said: tuple[Verdict, ...],
) -> Iterator[Fact]:
    """A list of the memory that will do, for the pairs of which the driver says the same.

    Memory that was not tried is on it if what lower rungs say lets it in.
    """
    alike: dict[tuple[tuple[Verdict, ...], tuple[Constraint, ...]], list[FormatModifier]] = {}
    for each in sets:
        lower = tuple(
            constraint
            for constraint in each.constraints
            if constraint.type in (CONTIGUOUS.type, PERMITTED_SOURCES.type)
            and constraint.planes == 0
            and constraint.provenance < Provenance.TRIAL
        )
        for pair in each.formats:
            verdicts = tuple(v for v in said if not v.pairs or pair in v.pairs)
            if any(not verdict.taken for verdict in verdicts) or (verdicts and lower):
                alike.setdefault((verdicts, lower), []).append(pair)
    for (verdicts, lower), pairs in alike.items():
        judged = {verdict.source: verdict.taken for verdict in verdicts}
        permitted = [
            source.id
            for source in sorted(platform.sources, key=_order)
            if judged.get(source.name, all(_meets(source, one) for one in lower))
        ]
        if not permitted and device.id is not None:
            permitted = [SourceId.device(device.id)]  # what only its own driver makes
        if permitted:
            yield Fact(
                constraint=Constraint(
                    type=PERMITTED_SOURCES.type,
                    value=tuple(permitted),
                    provenance=Provenance.TRIAL,
                    source=_told(verdicts),
                ),
                pairs=frozenset(pairs),
            )


def _meets(source: Source, constraint: Constraint) -> bool:
    if constraint.type == CONTIGUOUS.type:
        return source.contiguous is True
    return source.id in PERMITTED_SOURCES.of(constraint)


def _order(source: Source) -> tuple[int, str]:
    """What is plentiful first; what is a display's own is the last resort."""
    kinds = {SourceKind.UDMABUF: 1, SourceKind.HEAP: 2, SourceKind.DEVICE: 4}
    rank = kinds[source.id.kind]
    if source.id.kind is SourceKind.HEAP and source.contiguous is False:
        rank = 0
    return (3 if source.protected is True else rank), source.name


def _told(verdicts: tuple[Verdict, ...]) -> str:
    """`system: PRIME import: EINVAL; taken: linux,cma, card0`."""
    parts = [f"{verdict.source}: {verdict.said}" for verdict in verdicts if not verdict.taken]
    taken = ", ".join(verdict.source for verdict in verdicts if verdict.taken)
    return "; ".join((*parts, f"taken: {taken}" if taken else "nothing taken"))


def _pairs(sets: tuple[ConstraintSet, ...]) -> dict[FormatModifier, None]:
    return dict.fromkeys(pair for each in sets for pair in each.formats)


def _bits(pair: FormatModifier) -> int | None:
    """The bits of a pixel of a format in one plane of rows; None for any other."""
    known = FORMATS.get(pair.fourcc)
    if known is None or pair.modifier not in (LINEAR, INVALID) or len(known.planes) != 1:
        return None
    [plane] = known.planes
    across = plane.block_width * plane.horizontal
    return (
        8 * plane.bytes_per_block if across == plane.block_height == plane.vertical == 1 else None
    )
