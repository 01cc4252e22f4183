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
_LOW = 0xFFFFFFFF  # the half of a 64-bit number that is told last

Event = tuple[str, tuple[int | str | bytes, ...]]
"""An event by its name, with its arguments."""


def batch_events(batch: Batch, explanation: Explanation = Explanation.ALL) -> list[Event]:
    """All events of a batch, for a client that wants so much explained."""
    events: list[Event] = []
    if explanation >= Explanation.REASONS:
        spoken = None if explanation >= Explanation.ALL else _speakers(batch.conflicts)
        for participant in batch.participants:
            if spoken is None or participant.id in spoken:
                major, minor = _numbers(participant.device)
                name = clip(participant.name)
                about = (participant.id, participant.usage, major, minor, name)
                events.append(("participant", about))
    explained = explanation >= Explanation.ALL
    for tranche in batch.tranches:
        for offer in tranche.offers:
            _add_offer(events, offer, tranche.flags)
            if explained:
                events += _reason_events(offer)
    if explained:
        for refusal in batch.refusals:
            source = (refusal.source.kind, refusal.source.major, refusal.source.minor)
            cause = (refusal.cause, refusal.participant, refusal.type, refusal.planes)
            events.append(("refusal", (*source, *cause, clip(refusal.text))))
    if explanation >= Explanation.REASONS:
        events += [("conflict", _conflict(entry)) for entry in batch.conflicts]
    if batch.reason is None:
        events.append(("done", (batch.cookie, batch.serial)))
    else:
        told = (batch.cookie, batch.serial, batch.reason, clip(batch.message))
        events.append(("failed", told))
    return events


def _speakers(conflicts: tuple[ConflictEntry, ...]) -> set[int]:
    return {entry.participant for entry in conflicts}


def _conflict(entry: ConflictEntry) -> tuple[int | str | bytes, ...]:
    cause = ConflictCause.CONSTRAINT if entry.type else ConflictCause.FORMATS
    flags = ConflictFlag(0) if entry.proved else ConflictFlag.UNPROVED
    value = encode_value(entry.type, entry.value) if entry.type else b""
    about = (entry.participant, entry.type, entry.planes)
    return (entry.goal, cause, flags, *about, value, clip(entry.text))


def _add_offer(events: list[Event], offer: Offer, goal: TrancheFlags) -> None:
    plan, layout = offer.plan, offer.plan.layout
    modifier, kind, extent = plan.modifier, layout.kind, layout.extent
    told = (
        offer.index, goal, plan.fourcc, modifier >> 32, modifier & _LOW,
        kind, extent.width, extent.height, plan.buffer_count,
    )  # fmt: skip
    events.append(("plan", told))
    sized = kind is not LayoutKind.ALLOCATOR
    for entry, access in zip(layout.objects, offer.access, strict=True):
        source, size = entry.source, entry.size
        node, major, minor = source.kind, source.major, source.minor
        if sized:
            events.append(("plan_object", (node, major, minor, access, size >> 32, size & _LOW)))
        else:
            events.append(("plan_source", (node, major, minor, access)))
    for plane in layout.planes:
        events.append(("plan_plane", (plane.object, plane.offset, plane.pitch)))
    domain, fence, colour = plan.domain, plan.fence, plan.colour
    agreed = 0 if domain is None else _COHERENCY
    if fence is not None:
        agreed |= _FENCE
    if colour is not None:
        agreed |= _COLOUR
    if agreed:
        events.append(("plan_agreement", (agreed, domain or 0, fence or 0, *(colour or (0, 0)))))
    for constraint in layout.constraints:
        events.append(("plan_constraint", constraint_arguments(constraint)))


def _reason_events(offer: Offer) -> Iterator[Event]:
    for reason in offer.plan.reasons:
        planes = 0 if reason.plane is None else 1 << reason.plane
        yield "plan_reason", (PlanSubject.of(reason.subject), planes, clip(reason.text))


def _numbers(device: DeviceId | None) -> tuple[int, int]:
    return (device.major, device.minor) if device else (0, 0)
