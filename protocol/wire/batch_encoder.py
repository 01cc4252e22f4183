"""A batch as the events of `xx_dmabuf_negotiation_v1`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from heapwire.protocol.values import ConstraintSet, DeviceId, FormatModifier
from heapwire.protocol.wire.array import encode_formats, index_chunks
from heapwire.protocol.wire.batch import Batch, Offer, Tranche
from heapwire.protocol.wire.constraint_set_builder import constraint_arguments
from heapwire.protocol.wire.constraint_value import encode_value
from heapwire.protocol.wire.limits import TABLE_ENTRIES, clip

Event = tuple[str, tuple[int | str | bytes, ...]]
"""An event by its name, with its arguments; of a file its content in place of the fd."""


def format_table(batch: Batch) -> tuple[FormatModifier, ...]:
    """The pairs that a batch refers to by index, each once, in ascending order.

    In that order equal machines have equal tables, which need not be sent again. What a
    16-bit index does not reach is left out, of the table and so of the batch.
    """
    pairs = {pair for tranche in batch.tranches for pair in tranche.formats}
    for tranche in batch.tranches:
        for offered in tranche.sets:
            pairs.update(offered.set.formats)
    return tuple(sorted(pairs))[:TABLE_ENTRIES]


def encode_table(table: Sequence[FormatModifier]) -> bytes:
    """The content of the file of a `format_table` event."""
    return encode_formats(table)


def batch_events(batch: Batch, table: Sequence[FormatModifier]) -> Iterator[Event]:
    """All events of a batch but `format_table`, which carries an fd.

    `table` is what the client holds; pairs that are not in it are left out.
    """
    index = {pair: position for position, pair in enumerate(table)}
    for participant in batch.participants:
        major, minor = _numbers(participant.device)
        arguments = (participant.id, participant.usage, major, minor, clip(participant.name))
        yield "participant", arguments
    for tranche in batch.tranches:
        yield from _tranche_events(tranche, index)
    for refusal in batch.refusals:
        source = refusal.source
        yield (
            "refusal",
            (
                *(source.kind, source.major, source.minor),
                *(refusal.participant, refusal.type, refusal.planes, clip(refusal.text)),
            ),
        )
    for entry in batch.conflicts:
        value = encode_value(entry.type, entry.value) if entry.type else b""
        yield (
            "conflict",
            (entry.goal, entry.participant, entry.type, entry.planes, value, clip(entry.text)),
        )
    if batch.reason is None:
        yield "done", (batch.cookie, batch.serial)
    else:
        yield "failed", (batch.cookie, batch.serial, batch.reason, clip(batch.message))


def _tranche_events(tranche: Tranche, index: dict[FormatModifier, int]) -> Iterator[Event]:
    yield "tranche_flags", (tranche.flags,)
    for device in tranche.devices:
        yield "tranche_device", (device.usage, *_numbers(device.device))
    for chunk in index_chunks([index[pair] for pair in tranche.formats if pair in index]):
        yield "tranche_formats", (chunk,)
    for entry in tranche.sources:
        source = entry.source
        yield "tranche_source", (source.kind, source.major, source.minor, entry.access)
    for offered in tranche.sets:
        yield from _set_events(offered.participant, offered.set, index)
    for offer in tranche.offers:
        yield from _offer_events(offer)
    yield "tranche_done", ()


def _set_events(
    participant: int, constraint_set: ConstraintSet, index: dict[FormatModifier, int]
) -> Iterator[Event]:
    # A set whose pairs do not fit one message goes out as several with the same constraints:
    # together they say the same. One without any pair that the client knows says nothing.
    indices = [index[pair] for pair in constraint_set.formats if pair in index]
    for chunk in index_chunks(indices):
        yield "tranche_set", (participant, chunk)
        for constraint in constraint_set.constraints:
            yield "tranche_constraint", constraint_arguments(constraint)


def _offer_events(offer: Offer) -> Iterator[Event]:
    plan, layout = offer.plan, offer.plan.layout
    modifier = (plan.modifier >> 32, plan.modifier & 0xFFFFFFFF)
    size = (layout.extent.width, layout.extent.height)
    yield "plan", (offer.index, plan.fourcc, *modifier, layout.kind, *size, plan.buffer_count)
    for entry, access in zip(layout.objects, offer.access, strict=True):
        source = (entry.source.kind, entry.source.major, entry.source.minor)
        yield "plan_object", (*source, access, entry.size >> 32, entry.size & 0xFFFFFFFF)
    for plane in layout.planes:
        yield "plan_plane", (plane.object, plane.offset, plane.pitch)
    agreed = (plan.domain, plan.fence, *(plan.colour or (None, None)))
    if any(number is not None for number in agreed):
        yield "plan_agreement", tuple(-1 if number is None else number for number in agreed)
    for constraint in layout.constraints:
        yield "plan_constraint", constraint_arguments(constraint)
    for reason in plan.reasons:
        plane_index = -1 if reason.plane is None else reason.plane
        yield "plan_reason", (clip(reason.subject, 128), plane_index, clip(reason.text))


def _numbers(device: DeviceId | None) -> tuple[int, int]:
    return (device.major, device.minor) if device else (0, 0)
