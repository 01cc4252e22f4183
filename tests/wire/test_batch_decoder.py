"""What a compositor that breaks the protocol gets from a client: a PeerError."""

from __future__ import annotations

import pytest

from heapwire.protocol import PeerError
from heapwire.protocol.values import (
    BY_NAME,
    CoherencyDomain,
    ColourEncoding,
    ColourRange,
    FailureReason,
    Fence,
    LayoutKind,
    Usage,
)
from heapwire.protocol.wire import Batch, BatchDecoder, RefusalCause, TrancheFlags

PITCH = BY_NAME["pitch-alignment"].type
PLAN = ("plan", (0, 2, 1, 0, 0, 0, 64, 64, 3))
OBJECT = ("plan_object", (0, 254, 0, 1, 0, 4096))

BUFFER = (OBJECT, ("plan_plane", (0, 0, 64)))  # what makes a plan of it

BROKEN = {
    "plan-number": ([PLAN, *BUFFER], PLAN),
    "many-objects": ([PLAN, *[OBJECT] * 4], OBJECT),
    "many-planes": ([PLAN, OBJECT, *[BUFFER[1]] * 4], BUFFER[1]),
    "no-object": ([PLAN], ("done", (1, 1))),
    "no-plane": ([PLAN, OBJECT], ("done", (1, 1))),
    "no-pitch": ([PLAN, OBJECT, ("plan_plane", (0, 0, 0))], ("done", (1, 1))),
    "plane-behind-its-object": ([PLAN, OBJECT, ("plan_plane", (0, 4096, 64))], ("done", (1, 1))),
    "participant-number": ([], ("participant", (0x8000_0000, 8, 0, 1 << 20, "display"))),
    "plan-size": ([], ("plan", (0, 2, 1, 0, 0, 0, 0, 64, 3))),
    "plan-layout": ([], ("plan", (0, 2, 1, 0, 0, 3, 64, 64, 3))),
    "object-outside-plan": ([], OBJECT),
    "object-source": ([PLAN], ("plan_object", (9, 254, 0, 1, 0, 1))),
    "source-outside-plan": ([], ("plan_source", (0, 254, 0, 1))),
    "source-kind": ([PLAN], ("plan_source", (3, 254, 0, 1))),
    "source-number": ([PLAN], ("plan_source", (0, 4096, 0, 1))),
    "plane-outside-plan": ([], ("plan_plane", (0, 0, 64))),
    "plane-object": ([PLAN, OBJECT], ("plan_plane", (1, 0, 64))),
    "agreement-outside-plan": ([], ("plan_agreement", (0, 0, 0, 0, 0))),
    "agreement-coherency": ([PLAN], ("plan_agreement", (1, 9, 0, 0, 0))),
    "agreement-fence": ([PLAN], ("plan_agreement", (2, 0, 9, 0, 0))),
    "agreement-colour": ([PLAN], ("plan_agreement", (4, 0, 0, 3, 0))),
    "constraint-outside-plan": ([], ("plan_constraint", (PITCH, 0, 0, 0, bytes(8)))),
    "constraint-value": ([PLAN], ("plan_constraint", (PITCH, 0, 0, 0, bytes(7)))),
    "reason-outside-plan": ([], ("plan_reason", (2, 1, "wide"))),
    "refusal-source": ([], ("refusal", (3, 254, 0, 0, 0, 0, 0, ""))),
    "conflict-value": ([], ("conflict", (1, 0, 0, 1, PITCH, 0, bytes(9), ""))),
}


@pytest.mark.parametrize(("before", "event"), BROKEN.values(), ids=BROKEN)
def test_a_broken_batch(
    before: list[tuple[str, tuple[object, ...]]], event: tuple[str, tuple[object, ...]]
) -> None:
    decoder = BatchDecoder()
    for name, arguments in before:
        getattr(decoder, name)(*arguments)
    with pytest.raises(PeerError) as caught:
        getattr(decoder, event[0])(*event[1])
    assert str(caught.value)


def test_what_later_versions_may_add_is_no_fault() -> None:
    decoder = BatchDecoder()
    decoder.participant(0x8000_0000, 1 << 12 | 8, 0, 0, "display")
    decoder.plan(0, 1 | 8, *PLAN[1][2:])
    for name, arguments in BUFFER:
        getattr(decoder, name)(*arguments)
    decoder.plan_agreement(8, 99, 99, 99, 99)
    decoder.plan_reason(99, 0, "later")
    decoder.refusal(0, 254, 0, 99, 0, 0, 0, "later")
    decoder.conflict(1, 99, 1 << 9, 1, 0, 0, b"", "later")
    batch = decoder.failed(7, 8, 99, "later")
    assert batch.reason is FailureReason.INTERNAL
    assert batch.participants[0].usage & Usage.SCANOUT
    assert batch.tranches[0].flags & TrancheFlags.SCANOUT
    (offer,) = batch.offers
    assert offer.plan.scanout
    assert [reason.subject for reason in offer.plan.reasons] == ["other"]
    assert [refusal.cause for refusal in batch.refusals] == [RefusalCause.ELSEWHERE]
    assert [entry.type for entry in batch.conflicts] == [0]


def test_a_batch_replaces_all_of_the_one_before() -> None:
    decoder = BatchDecoder()
    decoder.participant(0x8000_0000, 8, 0, 0, "display")
    decoder.plan(*PLAN[1])
    for name, arguments in BUFFER:
        getattr(decoder, name)(*arguments)
    decoder.conflict(1, 1, 0, 1, 0, 0, b"", "no format")
    decoder.failed(1, 1, 0, "no")
    assert decoder.done(2, 2) == Batch(cookie=2, serial=2)


def test_what_is_just_within_the_limits_is_taken() -> None:
    decoder = BatchDecoder()
    decoder.plan(*PLAN[1])
    decoder.plan_object(2, 4095, 1048575, 3, 0xFFFF_FFFF, 0xFFFF_FFFF)
    decoder.plan_plane(0, 0, 64)
    decoder.plan_agreement(7, 0, 0, 0, 0)
    decoder.plan_reason(2, 1, "of the first plane")
    decoder.plan_reason(2, 8, "of the last plane")
    decoder.plan_reason(2, 0, "of the buffer")
    (offer,) = decoder.done(1, 1).offers
    assert offer.plan.layout.objects[0].size == 2**64 - 1
    assert (offer.plan.domain, offer.plan.fence) == (CoherencyDomain.CPU, Fence.NONE)
    assert offer.plan.colour == (ColourEncoding.RGB, ColourRange.UNSPECIFIED)
    assert [(reason.subject, reason.plane) for reason in offer.plan.reasons] == [
        ("pitch", 0),
        ("pitch", 3),
        ("pitch", None),
    ]


def test_what_was_not_agreed_on_is_not_looked_at() -> None:
    decoder = BatchDecoder()
    decoder.plan(*PLAN[1])
    for name, arguments in BUFFER:
        getattr(decoder, name)(*arguments)
    decoder.plan_agreement(0, 9, 9, 9, 9)
    (offer,) = decoder.done(1, 1).offers
    assert (offer.plan.domain, offer.plan.fence, offer.plan.colour) == (None, None, None)


def test_who_lays_out_decides_on_the_size() -> None:
    decoder = BatchDecoder()
    decoder.plan(0, 2, 1, 0, 0, LayoutKind.ALLOCATOR, 64, 64, 3)
    decoder.plan_source(1, 226, 0, 1)
    (offer,) = decoder.done(1, 1).offers
    assert [entry.size for entry in offer.plan.layout.objects] == [0]
    assert len(offer.access) == 1
