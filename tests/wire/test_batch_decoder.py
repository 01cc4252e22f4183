"""What a compositor that breaks the protocol gets from a client: a PeerError."""

from __future__ import annotations

import struct

import pytest

from heapwire.protocol import PeerError
from heapwire.protocol.values import (
    BY_NAME,
    CoherencyDomain,
    ColourEncoding,
    ColourRange,
    FailureReason,
    Fence,
    FormatModifier,
    Provenance,
    Usage,
)
from heapwire.protocol.wire import Batch, BatchDecoder, TrancheFlags
from heapwire.protocol.wire.array import encode_formats

TABLE = tuple(FormatModifier(number, 0) for number in range(3))
PITCH = BY_NAME["pitch-alignment"].type
PLAN = ("plan", (0, 1, 0, 0, 0, 64, 64, 3))
OBJECT = ("plan_object", (0, 254, 0, 1, 0, 4096))
OPEN = ("tranche_flags", (1,))
SET = ("tranche_set", (0x8000_0000, struct.pack("=H", 0)))

BROKEN = {
    "table-length": ([], ("format_table", (bytes(17),))),
    "table-too-long": ([], ("format_table", (bytes(16 * 65537),))),
    "tranche-in-tranche": ([OPEN], OPEN),
    "device-outside": ([], ("tranche_device", (1, 226, 0))),
    "device-number": ([OPEN], ("tranche_device", (1, 4096, 0))),
    "participant-number": ([], ("participant", (0x8000_0000, 8, 0, 1 << 20, "display"))),
    "formats-outside": ([], ("tranche_formats", (b"",))),
    "formats-odd": ([OPEN], ("tranche_formats", (b"\0\0\0",))),
    "formats-beyond": ([OPEN], ("tranche_formats", (struct.pack("=H", 3),))),
    "source-outside": ([], ("tranche_source", (0, 254, 0, 1))),
    "source-kind": ([OPEN], ("tranche_source", (3, 254, 0, 1))),
    "source-number": ([OPEN], ("tranche_source", (0, 4096, 0, 1))),
    "set-outside": ([], SET),
    "set-beyond": ([OPEN], ("tranche_set", (0x8000_0000, struct.pack("=H", 3)))),
    "constraint-outside": ([OPEN], ("tranche_constraint", (PITCH, 0, 0, 0, bytes(8)))),
    "constraint-value": ([OPEN, SET], ("tranche_constraint", (PITCH, 0, 0, 0, bytes(7)))),
    "plan-outside": ([], PLAN),
    "plan-size": ([OPEN], ("plan", (0, 1, 0, 0, 0, 0, 64, 3))),
    "plan-layout": ([OPEN], ("plan", (0, 1, 0, 0, 3, 64, 64, 3))),
    "object-outside-tranche": ([], OBJECT),
    "object-outside-plan": ([OPEN], OBJECT),
    "object-source": ([OPEN, PLAN], ("plan_object", (9, 254, 0, 1, 0, 1))),
    "plane-outside-plan": ([OPEN], ("plan_plane", (0, 0, 64))),
    "plane-object": ([OPEN, PLAN, OBJECT], ("plan_plane", (1, 0, 64))),
    "plan-agreement-outside": ([OPEN], ("plan_agreement", (0, 0, -1, -1))),
    "plan-constraint-outside": ([OPEN], ("plan_constraint", (PITCH, 0, 0, 0, bytes(8)))),
    "plan-reason-outside": ([OPEN], ("plan_reason", ("pitch", 0, "wide"))),
    "tranche-done-twice": ([OPEN, ("tranche_done", ())], ("tranche_done", ())),
    "refusal-source": ([], ("refusal", (3, 254, 0, 0, 0, 0, ""))),
    "conflict-value": ([], ("conflict", (1, 1, PITCH, 0, bytes(9), ""))),
    "done-inside": ([OPEN], ("done", (1, 1))),
    "failed-inside": ([OPEN], ("failed", (1, 1, 0, ""))),
}


@pytest.mark.parametrize(("before", "event"), BROKEN.values(), ids=BROKEN)
def test_a_broken_batch(
    before: list[tuple[str, tuple[object, ...]]], event: tuple[str, tuple[object, ...]]
) -> None:
    decoder = BatchDecoder()
    decoder.format_table(encode_formats(TABLE))
    for name, arguments in before:
        getattr(decoder, name)(*arguments)
    with pytest.raises(PeerError) as caught:
        getattr(decoder, event[0])(*event[1])
    assert str(caught.value)


def test_what_later_versions_may_add_is_no_fault() -> None:
    decoder = BatchDecoder()
    decoder.format_table(encode_formats(TABLE))
    decoder.participant(0x8000_0000, 1 << 12 | 8, 0, 0, "display")
    decoder.tranche_flags(1 | 8)
    decoder.tranche_set(0x8000_0000, struct.pack("=H", 1))
    decoder.tranche_constraint(0xEE00_0001, 0, 2, 9, b"anything")
    decoder.tranche_done()
    batch = decoder.failed(7, 8, 99, "later")
    assert batch.reason is FailureReason.INTERNAL
    assert batch.participants[0].usage & Usage.SCANOUT
    assert batch.tranches[0].flags & TrancheFlags.SCANOUT
    (constraint,) = batch.tranches[0].sets[0].set.constraints
    assert (constraint.value, constraint.provenance) == (b"anything", Provenance.PRESUMPTION)
    assert not constraint.must_understand


def test_the_table_of_an_earlier_batch_stays_in_force() -> None:
    decoder = BatchDecoder()
    decoder.format_table(encode_formats(TABLE))
    decoder.done(0, 1)
    decoder.tranche_flags(2)
    decoder.tranche_formats(struct.pack("=HH", 2, 0))
    decoder.tranche_done()
    assert decoder.done(0, 2).tranches[0].formats == (TABLE[2], TABLE[0])


def test_a_batch_replaces_all_of_the_one_before() -> None:
    decoder = BatchDecoder()
    decoder.participant(0x8000_0000, 8, 0, 0, "display")
    decoder.conflict(1, 1, 0, 0, b"", "no format")
    decoder.failed(1, 1, 0, "no")
    assert decoder.done(2, 2) == Batch(cookie=2, serial=2)


def test_what_is_just_within_the_limits_is_taken() -> None:
    decoder = BatchDecoder()
    decoder.format_table(bytes(16 * 65536))
    decoder.tranche_flags(1)
    decoder.tranche_formats(b"\xff\xff")
    decoder.plan(*PLAN[1])
    decoder.plan_object(2, 4095, 1048575, 3, 0xFFFF_FFFF, 0xFFFF_FFFF)
    decoder.plan_plane(0, 0, 64)
    decoder.plan_agreement(0, 0, 0, 0)
    decoder.plan_reason("pitch", 0, "of the first plane")
    decoder.plan_reason("pitch", -1, "of the buffer")
    decoder.tranche_done()
    (offer,) = decoder.done(1, 1).offers
    assert offer.plan.layout.objects[0].size == 2**64 - 1
    assert (offer.plan.domain, offer.plan.fence) == (CoherencyDomain.CPU, Fence.NONE)
    assert offer.plan.colour == (ColourEncoding.RGB, ColourRange.UNSPECIFIED)
    assert [reason.plane for reason in offer.plan.reasons] == [0, None]


def test_a_plan_that_agrees_on_nothing_says_so() -> None:
    decoder = BatchDecoder()
    decoder.tranche_flags(2)
    decoder.plan(*PLAN[1])
    decoder.plan_agreement(-1, -1, -1, -1)
    decoder.tranche_done()
    (offer,) = decoder.done(1, 1).offers
    assert (offer.plan.domain, offer.plan.fence, offer.plan.colour) == (None, None, None)
