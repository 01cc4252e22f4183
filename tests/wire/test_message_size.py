"""Every message that we can send fits the connection buffers of libwayland."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from heapwire.protocol import NotPossibleError
from heapwire.protocol.values import (
    BufferObject,
    CoherencyDomain,
    Constraint,
    ConstraintSet,
    DeviceId,
    Extent,
    Extents,
    FailureReason,
    FixedBuffer,
    FormatModifier,
    Layout,
    LayoutKind,
    Participant,
    Plan,
    PlaneLayout,
    Reason,
    SourceId,
    SourceKind,
    Usage,
)
from heapwire.protocol.wire import (
    FIRST_COMPOSITOR_ID,
    Access,
    ArgumentKind as Kind,
    Batch,
    ConflictEntry,
    Inquiry,
    Message,
    Offer,
    Refusal,
    Tranche,
    TrancheFlags,
    batch_events,
    clip,
    inquiry_requests,
    set_requests,
)
from heapwire.protocol.wire.batch import BatchParticipant, RefusalCause
from heapwire.protocol.wire.bindings import (
    XX_DMABUF_CONSTRAINT_SET_CREATOR_V1 as CREATOR,
    XX_DMABUF_NEGOTIATION_V1 as OBJECT,
)
from heapwire.protocol.wire.constraint_value import encode_value
from heapwire.protocol.wire.limits import MAX_MESSAGE

Sent = tuple[str, tuple[int | str | bytes, ...]]

U32, U64 = 2**32 - 1, 2**64 - 1
LONG = "ü" * 3000
SOURCE = SourceId(SourceKind.UDMABUF, 4095, 1048575)
DEVICE = DeviceId(4095, 1048575)
UNKNOWN = 0xEE00_0001
MANY = tuple(FormatModifier(number, U64) for number in range(70000))


def size(messages: tuple[Message, ...], sent: Sent) -> int:
    """The bytes on the wire: a header of 8, and arguments padded to 32 bits."""
    name, values = sent
    (message,) = [one for one in messages if one.name == name]
    total = 8
    for argument, value in zip(message.arguments, values, strict=True):
        match argument.kind, value:
            case Kind.STRING, str(text):
                total += 4 + (len(text.encode()) + 1 + 3) // 4 * 4
            case Kind.ARRAY, bytes(raw):
                total += 4 + (len(raw) + 3) // 4 * 4
            case ((Kind.UINT | Kind.INT), int(number)):
                lowest, highest = (0, U32) if argument.kind is Kind.UINT else (-(2**31), 2**31 - 1)
                assert lowest <= number <= highest, (name, argument.name, number)
                total += 4
            case _:
                pytest.fail(f"{name}.{argument.name} is {value!r}")
    return total


def largest_constraints() -> tuple[Constraint, ...]:
    return tuple(
        Constraint(type=UNKNOWN + number, value=bytes(1024), planes=15) for number in range(256)
    )


def largest_plan(kind: LayoutKind) -> Plan:
    return Plan(
        fourcc=U32,
        modifier=U64,
        goal="scanout",
        scanout=True,
        layout=Layout(
            kind=kind,
            extent=Extent(65536, 65536),
            objects=(BufferObject(SOURCE, U64),) * 4,
            planes=(PlaneLayout(3, U32, U32),) * 4,
            constraints=largest_constraints(),
        ),
        buffer_count=U32,
        reasons=(Reason(LONG, LONG, 3),),
        domain=CoherencyDomain.RAM,
    )


def largest_batch(reason: FailureReason | None) -> Batch:
    tranche = Tranche(
        flags=TrancheFlags.SCANOUT | TrancheFlags.SAMPLING,
        offers=tuple(Offer(U32, largest_plan(kind), (Access.CLIENT,) * 4) for kind in LayoutKind),
    )
    return Batch(
        cookie=U32,
        serial=U32,
        participants=(BatchParticipant(FIRST_COMPOSITOR_ID, Usage.SCANOUT, DEVICE, LONG),),
        tranches=(tranche,),
        refusals=(
            Refusal(
                source=SOURCE,
                cause=RefusalCause.ALLOWANCE,
                participant=U32,
                type=U32,
                planes=15,
                text=LONG,
            ),
        ),
        conflicts=(
            ConflictEntry(
                goal=TrancheFlags.SCANOUT,
                participant=U32,
                type=UNKNOWN,
                planes=15,
                value=bytes(1024),
                text=LONG,
            ),
        ),
        reason=reason,
        message=LONG,
    )


@pytest.mark.parametrize("reason", [None, FailureReason.CONFLICT])
def test_events(reason: FailureReason | None) -> None:
    batch = largest_batch(reason)
    names = set()
    for event in batch_events(batch):
        assert size(OBJECT.events, event) <= MAX_MESSAGE, event[0]
        names.add(event[0])
    closing = {"done"} if reason is None else {"failed"}
    others = {"done", "failed"}
    assert names == {event.name for event in OBJECT.events} - others | closing


def requests_of_the_largest_inquiry() -> Iterator[Sent]:
    participant = Participant(name="ü" * 64, usage=Usage(255), device=DEVICE, sets=())
    extent = Extent(65536, 65536)
    inquiry = Inquiry(
        participants=tuple((2**31 - 1 - number, participant) for number in range(16)),
        extents=Extents(coded=extent, visible=extent, maximum=extent),
        openable=frozenset(SourceId(SourceKind.HEAP, 4095, number) for number in range(256)),
        fixed=FixedBuffer(
            FormatModifier(U32, U64),
            Layout(
                kind=LayoutKind.FIXED,
                extent=extent,
                objects=(BufferObject(SOURCE, U64),) * 4,
                planes=(PlaneLayout(3, U32, U32),) * 4,
            ),
        ),
        minimum=32,
        queue=32,
    )
    yield from inquiry_requests(inquiry)


def test_requests_of_an_inquiry() -> None:
    sent = list(requests_of_the_largest_inquiry())
    assert {name for name, _ in sent} >= {"set_participant", "set_openable", "set_fixed_layout"}
    assert max(size(OBJECT.requests, request) for request in sent) <= MAX_MESSAGE


def test_requests_of_a_set() -> None:
    constraint_set = ConstraintSet(
        formats=MANY[:4096], constraints=largest_constraints(), costs=(U32,) * 4096
    )
    sent = list(set_requests(constraint_set))
    assert sum(name == "add_formats" for name, _ in sent) > 1
    assert max(size(CREATOR.requests, request) for request in sent) <= MAX_MESSAGE


def test_a_value_that_fits_no_message_is_refused_where_it_is_made() -> None:
    assert len(encode_value(UNKNOWN, bytes(1024))) == 1024
    with pytest.raises(NotPossibleError, match="1024 is the most"):
        encode_value(UNKNOWN, bytes(1025))


@pytest.mark.parametrize("limit", range(8))
def test_a_clipped_text_is_whole_characters(limit: int) -> None:
    clipped = clip("aü€😀", limit)
    assert "aü€😀".startswith(clipped)
    assert len(clipped.encode()) <= limit
    assert len(clip("aü€😀", limit + 4)) > len(clipped) or clipped == "aü€😀"


def test_a_clipped_text_can_be_a_c_string() -> None:
    assert clip("a\0b\udcffc") == "a b?c"


def test_a_subject_that_has_no_number_is_another() -> None:
    """A vendor's type names what it likes; its text says what it is."""
    told = [
        arguments for name, arguments in batch_events(largest_batch(None)) if name == "plan_reason"
    ]
    assert told
    assert {subject for subject, _, _ in told} == {0}
