"""A batch as the events of `xx_dmabuf_negotiation_v1`."""

from __future__ import annotations

from collections.abc import Iterator

from heapwire.protocol.values import DeviceId, LayoutKind
from heapwire.protocol.wire.batch import (
    Agreement,
    Batch,
    ConflictCause,
    ConflictEntry,
    ConflictFlag,
    Explanation,
    Offer,
    PlanSubject,
    TrancheFlags,
)
from heapwire.protocol.wire.constraint_set_builder import constraint_arguments
from heapwire.protocol.wire.constraint_value import encode_value
from heapwire.protocol.wire.limits import clip

# Plain numbers: operations on flags are slow.
_COHERENCY, _FENCE, _COLOUR = map(int, (Agreement.COHERENCY, Agreement.FENCE, Agreement.COLOUR))

Event = tuple[str, tuple[int | str | bytes, ...]]
"""An event by its name, with its arguments."""


def batch_events(batch: Batch, explanation: Explanation = Explanation.ALL) -> Iterator[Event]:
    """All events of a batch, for a client that wants so much explained."""
    if explanation >= Explanation.REASONS:
        spoken = None if explanation >= Explanation.ALL else _speakers(batch.conflicts)
        for participant in batch.participants:
            if spoken is None or participant.id in spoken:
                major, minor = _numbers(participant.device)
                name = clip(participant.name)
                yield "participant", (participant.id, participant.usage, major, minor, name)
    for tranche in batch.tranches:
        for offer in tranche.offers:
            yield from _offer_events(offer, tranche.flags)
            if explanation >= Explanation.ALL:
                yield from _reason_events(offer)
    if explanation >= Explanation.ALL:
        for refusal in batch.refusals:
            source = (refusal.source.kind, refusal.source.major, refusal.source.minor)
            about = (refusal.cause, refusal.participant, refusal.type, refusal.planes)
            yield "refusal", (*source, *about, clip(refusal.text))
    if explanation >= Explanation.REASONS:
        for entry in batch.conflicts:
            yield "conflict", _conflict(entry)
    if batch.reason is None:
        yield "done", (batch.cookie, batch.serial)
    else:
        yield "failed", (batch.cookie, batch.serial, batch.reason, clip(batch.message))


def _speakers(conflicts: tuple[ConflictEntry, ...]) -> set[int]:
    return {entry.participant for entry in conflicts}


def _conflict(entry: ConflictEntry) -> tuple[int | str | bytes, ...]:
    cause = ConflictCause.CONSTRAINT if entry.type else ConflictCause.FORMATS
    flags = ConflictFlag(0) if entry.proved else ConflictFlag.UNPROVED
    value = encode_value(entry.type, entry.value) if entry.type else b""
    about = (entry.participant, entry.type, entry.planes)
    return (entry.goal, cause, flags, *about, value, clip(entry.text))


def _offer_events(offer: Offer, goal: TrancheFlags) -> Iterator[Event]:
    plan, layout = offer.plan, offer.plan.layout
    pair = (plan.fourcc, plan.modifier >> 32, plan.modifier & 0xFFFFFFFF)
    size = (layout.extent.width, layout.extent.height)
    yield "plan", (offer.index, goal, *pair, layout.kind, *size, plan.buffer_count)
    for entry, access in zip(layout.objects, offer.access, strict=True):
        source = (entry.source.kind, entry.source.major, entry.source.minor)
        if layout.kind is LayoutKind.ALLOCATOR:
            yield "plan_source", (*source, access)
        else:
            yield "plan_object", (*source, access, entry.size >> 32, entry.size & 0xFFFFFFFF)
    for plane in layout.planes:
        yield "plan_plane", (plane.object, plane.offset, plane.pitch)
    agreed = 0
    if plan.domain is not None:
        agreed |= _COHERENCY
    if plan.fence is not None:
        agreed |= _FENCE
    if plan.colour is not None:
        agreed |= _COLOUR
    if agreed:
        colour = plan.colour or (0, 0)
        yield "plan_agreement", (agreed, plan.domain or 0, plan.fence or 0, *colour)
    for constraint in layout.constraints:
        yield "plan_constraint", constraint_arguments(constraint)


def _reason_events(offer: Offer) -> Iterator[Event]:
    for reason in offer.plan.reasons:
        planes = 0 if reason.plane is None else 1 << reason.plane
        yield "plan_reason", (PlanSubject.of(reason.subject), planes, clip(reason.text))


def _numbers(device: DeviceId | None) -> tuple[int, int]:
    return (device.major, device.minor) if device else (0, 0)
