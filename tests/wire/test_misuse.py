"""Each error of the XML, raised by a request that the XML says raises it."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum

import pytest

from heapwire.protocol import NotPossibleError, UsageError
from heapwire.protocol.values import (
    BY_NAME,
    Constraint,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Participant,
    Usage,
)
from heapwire.protocol.wire import (
    ConstraintSetBuilder,
    Inquiry,
    MisuseError,
    NegotiationState,
    inquiry_requests,
    set_requests,
)
from heapwire.protocol.wire.array import encode_formats
from heapwire.protocol.wire.bindings import (
    ConstraintSetCreatorError as SetError,
    NegotiationError as Error,
)
from heapwire.protocol.wire.generate import protocol_xml

CREATOR = "xx_dmabuf_constraint_set_creator_v1"
FEEDBACK = "xx_dmabuf_negotiation_v1"
ROOT = ET.fromstring(protocol_xml())

PITCH = BY_NAME["pitch-alignment"].type
CONTIGUOUS = BY_NAME["contiguous"].type
RANGE = BY_NAME["address-range"].type
SOURCES = BY_NAME["permitted-sources"].type
HOPS = BY_NAME["max-hops"].type
UNKNOWN = 0xEE00_0001
NV12 = FormatModifier(0x3231564E, 0)
U64 = struct.Struct("=Q").pack
SOURCE = struct.Struct("=III").pack
OBJECT = struct.Struct("=IIIIQ").pack
PLANE = struct.Struct("=III").pack
HOP = struct.Struct("=IIQ").pack
A_SET = ConstraintSet(formats=(NV12,))


@dataclass(frozen=True)
class Case:
    """Requests that are fine, one that is not, and the error it raises."""

    request: str
    arguments: tuple[object, ...]
    error: IntEnum
    before: tuple[tuple[str, tuple[object, ...]], ...] = ()


def formats(count: int, start: int = 0) -> bytes:
    return encode_formats(FormatModifier(number, 0) for number in range(start, start + count))


def add(
    type_: int = UNKNOWN, planes: int = 0, flags: int = 0, provenance: int = 0, value: bytes = b""
) -> tuple[object, ...]:
    return (type_, planes, flags, provenance, value)


def participant(
    id_: int = 1, usage: int = 1, major: int = 0, minor: int = 0, name: str = "decoder"
) -> tuple[object, ...]:
    return (id_, usage, major, minor, name)


def fixed(
    objects: bytes = OBJECT(0, 254, 0, 0, 100),
    planes: bytes = PLANE(0, 0, 1),
    width: int = 1,
    height: int = 1,
) -> tuple[object, ...]:
    return (0, 0, 0, width, height, objects, planes)


CREATOR_CASES = [
    Case("add_formats", (0, b""), SetError.INVALID_ARRAY),
    Case("add_formats", (0, bytes(15)), SetError.INVALID_ARRAY),
    Case("add_formats", (0, bytes(17)), SetError.INVALID_ARRAY),
    Case("add_formats", (0, bytes(32)), SetError.ALREADY_SET),
    Case("add_formats", (1, bytes(16)), SetError.ALREADY_SET, (("add_formats", (0, bytes(16))),)),
    Case(
        "add_formats",
        (0, formats(1, 4096)),
        SetError.TOO_MANY,
        tuple(("add_formats", (0, formats(128, start))) for start in range(0, 4096, 128)),
    ),
    Case("add", add(planes=0x10), SetError.INVALID_PLANES),
    Case("add", add(planes=0x8000_0000), SetError.INVALID_PLANES),
    Case("add", add(flags=2), SetError.INVALID_FLAGS),
    Case("add", add(provenance=7), SetError.INVALID_PROVENANCE),
    Case("add", add(value=bytes(1025)), SetError.INVALID_VALUE),
    Case("add", add(PITCH, value=b""), SetError.INVALID_VALUE),
    Case("add", add(PITCH, value=bytes(4)), SetError.INVALID_VALUE),
    Case("add", add(PITCH, value=bytes(16)), SetError.INVALID_VALUE),
    Case("add", add(PITCH, value=U64(0)), SetError.INVALID_VALUE),
    Case("add", add(CONTIGUOUS, value=U64(1)), SetError.INVALID_VALUE),
    Case("add", add(RANGE, value=U64(2)), SetError.INVALID_VALUE),
    Case("add", add(RANGE, value=U64(2) + U64(1)), SetError.INVALID_VALUE),
    Case("add", add(SOURCES, value=b""), SetError.INVALID_VALUE),
    Case("add", add(SOURCES, value=bytes(13)), SetError.INVALID_VALUE),
    Case("add", add(SOURCES, value=SOURCE(3, 1, 1)), SetError.INVALID_VALUE),
    Case("add", add(SOURCES, value=SOURCE(0, 4096, 1)), SetError.INVALID_VALUE),
    Case("add", add(SOURCES, value=SOURCE(0, 254, 1) * 2), SetError.INVALID_VALUE),
    Case("add", add(HOPS, value=b""), SetError.INVALID_VALUE),
    Case("add", add(HOPS, value=bytes(8)), SetError.INVALID_VALUE),
    Case("add", add(HOPS, value=HOP(4096, 0, 1)), SetError.INVALID_VALUE),
    Case("add", add(HOPS, value=HOP(226, 1, 1) + HOP(226, 0, 1)), SetError.INVALID_VALUE),
    Case("add", add(HOPS, value=HOP(226, 1, 1) + HOP(226, 1, 1)), SetError.INVALID_VALUE),
    Case("add", add(), SetError.ALREADY_SET, (("add", add()),)),
    Case(
        "add", add(PITCH, value=U64(2)), SetError.ALREADY_SET, (("add", add(PITCH, value=U64(1))),)
    ),
    Case(
        "add",
        add(UNKNOWN + 256),
        SetError.TOO_MANY,
        tuple(("add", add(UNKNOWN + number)) for number in range(256)),
    ),
    Case("create", (), SetError.INCOMPLETE_SET),
    Case("create", (), SetError.INCOMPLETE_SET, (("add", add()),)),
]

FEEDBACK_CASES = [
    Case("set_participant", participant(0), Error.INVALID_PARTICIPANT),
    Case("set_participant", participant(0x8000_0000), Error.INVALID_PARTICIPANT),
    Case("set_participant", participant(usage=0), Error.INVALID_USAGE),
    Case("set_participant", participant(usage=256), Error.INVALID_USAGE),
    Case("set_participant", participant(major=4096), Error.INVALID_DEVICE),
    Case("set_participant", participant(minor=1048576), Error.INVALID_DEVICE),
    Case("set_participant", participant(name="x" * 129), Error.INVALID_NAME),
    Case("set_participant", participant(name="ü" * 65), Error.INVALID_NAME),
    Case(
        "set_participant",
        participant(17),
        Error.TOO_MANY,
        tuple(("set_participant", participant(number)) for number in range(1, 17)),
    ),
    Case("add_alternative", (1, A_SET), Error.NO_PARTICIPANT),
    Case(
        "add_alternative",
        (1, A_SET),
        Error.TOO_MANY,
        (("set_participant", participant()), *((("add_alternative", (1, A_SET)),) * 16)),
    ),
    Case("remove_participant", (1,), Error.NO_PARTICIPANT),
    Case(
        "remove_participant",
        (1,),
        Error.NO_PARTICIPANT,
        (("set_participant", participant()), ("remove_participant", (1,))),
    ),
    Case("set_extents", (0, 1, 0, 0, 0, 0), Error.INVALID_EXTENT),
    Case("set_extents", (1, 0, 0, 0, 0, 0), Error.INVALID_EXTENT),
    Case("set_extents", (65537, 1, 0, 0, 0, 0), Error.INVALID_EXTENT),
    Case("set_extents", (1, 65537, 0, 0, 0, 0), Error.INVALID_EXTENT),
    Case("set_extents", (2, 2, 1, 0, 0, 0), Error.INVALID_EXTENT),
    Case("set_extents", (2, 2, 0, 1, 0, 0), Error.INVALID_EXTENT),
    Case("set_extents", (2, 2, 3, 2, 0, 0), Error.INVALID_EXTENT),
    Case("set_extents", (2, 2, 2, 3, 4, 4), Error.INVALID_EXTENT),
    Case("set_extents", (2, 2, 0, 0, 1, 0), Error.INVALID_EXTENT),
    Case("set_extents", (2, 2, 0, 0, 0, 65537), Error.INVALID_EXTENT),
    Case("set_content", (4, 0, 2, 0), Error.INVALID_CONTENT),
    Case("set_content", (0, 45, 2, 0), Error.INVALID_CONTENT),
    Case("set_content", (0, 0, 3, 0), Error.INVALID_CONTENT),
    Case("set_content", (0, 0, 2, 3), Error.INVALID_CONTENT),
    Case("set_buffer_count", (0, 0), Error.INVALID_COUNT),
    Case("set_buffer_count", (64, 1), Error.INVALID_COUNT),
    Case("set_buffer_count", (0xFFFF_FFFF, 1), Error.INVALID_COUNT),
    Case("set_openable", (bytes(11),), Error.INVALID_ARRAY),
    Case("set_openable", (SOURCE(0, 1, 1) * 257,), Error.TOO_MANY),
    Case("set_openable", (SOURCE(3, 1, 1),), Error.INVALID_DEVICE),
    Case("set_openable", (SOURCE(0, 4096, 1),), Error.INVALID_DEVICE),
    Case("set_openable", (SOURCE(0, 1, 1048576),), Error.INVALID_DEVICE),
    Case("set_fixed_layout", fixed(objects=b""), Error.INVALID_ARRAY),
    Case("set_fixed_layout", fixed(objects=bytes(23)), Error.INVALID_ARRAY),
    Case("set_fixed_layout", fixed(planes=b""), Error.INVALID_ARRAY),
    Case("set_fixed_layout", fixed(planes=bytes(13)), Error.INVALID_ARRAY),
    Case("set_fixed_layout", fixed(objects=OBJECT(0, 1, 1, 0, 9) * 5), Error.TOO_MANY),
    Case("set_fixed_layout", fixed(planes=PLANE(0, 0, 1) * 5), Error.TOO_MANY),
    Case("set_fixed_layout", fixed(objects=OBJECT(3, 1, 1, 0, 9)), Error.INVALID_DEVICE),
    Case("set_fixed_layout", fixed(objects=OBJECT(0, 4096, 1, 0, 9)), Error.INVALID_DEVICE),
    Case("set_fixed_layout", fixed(width=0), Error.INVALID_EXTENT),
    Case("set_fixed_layout", fixed(height=65537), Error.INVALID_EXTENT),
    Case("set_fixed_layout", fixed(planes=PLANE(1, 0, 1)), Error.INVALID_LAYOUT),
    Case("set_fixed_layout", fixed(planes=PLANE(0, 0, 0)), Error.INVALID_LAYOUT),
    Case("set_fixed_layout", fixed(planes=PLANE(0, 100, 1)), Error.INVALID_LAYOUT),
    Case("set_explanation", (3,), Error.INVALID_EXPLANATION),
    Case("commit", (0,), Error.INVALID_COOKIE),
    Case("commit", (1,), Error.INCOMPLETE, (("set_participant", participant()),)),
]


def name_of(case: Case) -> str:
    return f"{case.request}-{case.error.name.lower()}"


def check(state: object, case: Case) -> None:
    for name, arguments in case.before:
        getattr(state, name)(*arguments)
    with pytest.raises(MisuseError) as caught:
        getattr(state, case.request)(*case.arguments)
    assert caught.value.code is case.error
    assert caught.value.message


def names_it(interface: str, case: Case) -> bool:
    text = ROOT.findtext(
        f"interface[@name='{interface}']/request[@name='{case.request}']/description"
    )
    return re.search(rf"\b{case.error.name.lower()}\b", text or "") is not None


@pytest.mark.parametrize("case", CREATOR_CASES, ids=name_of)
def test_misuse_of_the_creator(case: Case) -> None:
    check(ConstraintSetBuilder(), case)
    assert names_it(CREATOR, case)


@pytest.mark.parametrize("case", FEEDBACK_CASES, ids=name_of)
def test_misuse_of_the_feedback(case: Case) -> None:
    check(NegotiationState(), case)
    assert names_it(FEEDBACK, case)


def test_the_tables_cover_every_error() -> None:
    assert {case.error for case in CREATOR_CASES} == set(SetError)
    assert {case.error for case in FEEDBACK_CASES} == set(Error)


@pytest.mark.parametrize("case", [*CREATOR_CASES, *FEEDBACK_CASES], ids=name_of)
def test_what_precedes_the_misuse_is_fine_by_itself(case: Case) -> None:
    new: Callable[[], object] = ConstraintSetBuilder if case in CREATOR_CASES else NegotiationState
    state = new()
    for name, arguments in case.before:
        getattr(state, name)(*arguments)


def test_what_is_just_within_the_limits_is_taken() -> None:
    builder = ConstraintSetBuilder()
    for start in range(0, 4096, 128):
        builder.add_formats(0, formats(128, start))
    for number in range(256):
        builder.add(UNKNOWN + number, 15, 1, 3, bytes(1024))
    made = builder.create()
    assert (len(made.formats), len(made.constraints)) == (4096, 256)

    state = NegotiationState()
    for number in range(16):
        state.set_participant(0x7FFF_FFFF - number, 255, 4095, 1048575, "x" * 128)
    for _ in range(16):
        state.add_alternative(0x7FFF_FFFF, made)
    state.set_participant(0x7FFF_FFFF, 1, 0, 0, "replaced")
    state.set_extents(65536, 65536, 65536, 65536, 65536, 65536)
    state.set_buffer_count(0, 64)
    state.set_openable(b"".join(SOURCE(0, 254, number) for number in range(256)))
    state.set_fixed_layout(0, 0, 0, 1, 1, OBJECT(0, 1, 1, 0, 9) * 4, PLANE(3, 8, 1) * 4)
    inquiry = state.commit(0xFFFF_FFFF)
    assert dict(inquiry.participants)[0x7FFF_FFFF].sets == ()
    assert len(inquiry.openable or ()) == 256


def test_the_smallest_values_are_taken() -> None:
    builder = ConstraintSetBuilder()
    builder.add_formats(0, formats(1))
    builder.add(RANGE, 0, 0, 0, U64(7) + U64(7))
    builder.add(PITCH, 0, 0, 0, U64(1))
    assert [one.value for one in builder.create().constraints] == [(7, 7), 1]
    assert builder.create().costs == ()


@pytest.mark.parametrize("again", [[7], [3, 7, 4], [8, 9, 8, 7]])
def test_a_pair_that_is_added_twice_is_named(again: list[int]) -> None:
    builder = ConstraintSetBuilder()
    builder.add_formats(0, formats(1, 7))
    pairs = encode_formats(FormatModifier(number, 0) for number in again)
    with pytest.raises(MisuseError, match=r"^format 0x0000000[78] modifier 0x0 was added before"):
        builder.add_formats(0, pairs)


def test_a_participant_that_is_full_can_be_replaced() -> None:
    state = NegotiationState()
    for number in range(1, 17):
        state.set_participant(number, 1, 0, 0, "first")
    state.set_participant(16, 1, 0, 0, "second")
    state.set_extents(1, 1, 0, 0, 0, 0)
    assert state.commit(1).participants[-1][1].name == "second"


def test_a_type_that_is_not_known_is_not_looked_at() -> None:
    builder = ConstraintSetBuilder()
    builder.add_formats(0, formats(1))
    builder.add(UNKNOWN, 0, 0, 0, b"\x00\x01\x02")
    assert builder.create().constraints[0].value == b"\x00\x01\x02"


def test_the_size_of_a_layout_stays_when_it_is_unset() -> None:
    state = NegotiationState()
    state.set_fixed_layout(*fixed(width=640, height=480))
    assert state.commit(1).extents is None, "the layout has them"
    state.unset_fixed_layout()
    state.set_participant(*participant())
    inquiry = state.commit(2)
    assert inquiry.fixed is None
    assert inquiry.extents == Extents(coded=Extent(640, 480))
    state.set_extents(320, 200, 0, 0, 0, 0)
    assert state.commit(3).extents == Extents(coded=Extent(320, 200))


def test_state_takes_effect_only_with_a_commit() -> None:
    state = NegotiationState()
    before = state.commit(1)
    state.set_participant(1, 1, 0, 0, "decoder")
    state.set_extents(1920, 1088, 1920, 1080, 0, 0)
    assert before == Inquiry()
    after = state.commit(2)
    assert after.extents == Extents(coded=Extent(1920, 1088), visible=Extent(1920, 1080))
    state.remove_participant(1)
    assert len(after.participants) == 1


PARTICIPANT = Participant(name="decoder", usage=Usage.DECODE, sets=())
INQUIRY = Inquiry(participants=((1, PARTICIPANT),), extents=Extents(coded=Extent(64, 64)))


def with_participants(*participants: tuple[int, Participant]) -> Inquiry:
    return replace(INQUIRY, participants=participants)


def test_all_that_the_limits_permit_is_sent() -> None:
    most = tuple((n, replace(PARTICIPANT, name="x" * 128)) for n in range(1, 16))
    last = (16, replace(PARTICIPANT, sets=(A_SET,) * 16))
    assert inquiry_requests(replace(with_participants(*most, last), minimum=32, queue=32))
    assert set_requests(ConstraintSet(formats=tuple(FormatModifier(n, 0) for n in range(4096))))


@pytest.mark.parametrize(
    ("inquiry", "error"),
    [
        (replace(INQUIRY, extents=None), UsageError),
        (replace(INQUIRY, minimum=60, queue=5), UsageError),
        (replace(INQUIRY, participants=((0, PARTICIPANT),)), UsageError),
        (with_participants(*((n, PARTICIPANT) for n in range(1, 18))), NotPossibleError),
        (with_participants((1, replace(PARTICIPANT, name="x" * 129))), NotPossibleError),
        (with_participants((1, replace(PARTICIPANT, sets=(A_SET,) * 17))), NotPossibleError),
    ],
)
def test_an_inquiry_that_would_be_misuse_is_never_sent(
    inquiry: Inquiry, error: type[Exception]
) -> None:
    assert inquiry_requests(INQUIRY)
    with pytest.raises(error):
        inquiry_requests(inquiry)


@pytest.mark.parametrize(
    ("constraint_set", "error"),
    [
        (ConstraintSet(formats=()), UsageError),
        (ConstraintSet(formats=(NV12, NV12)), UsageError),
        (ConstraintSet(formats=tuple(FormatModifier(n, 0) for n in range(4097))), NotPossibleError),
        (replace(A_SET, constraints=(Constraint(type=PITCH, value=0),)), UsageError),
        (replace(A_SET, constraints=(Constraint(type=PITCH, value=-1),)), UsageError),
        (replace(A_SET, constraints=(Constraint(type=PITCH, value=1 << 64),)), UsageError),
        (replace(A_SET, constraints=(Constraint(type=PITCH, value=b"x"),)), UsageError),
        (replace(A_SET, constraints=(Constraint(type=PITCH, value=1),) * 2), UsageError),
        (replace(A_SET, constraints=(Constraint(type=PITCH, value=1, planes=16),)), UsageError),
        (replace(A_SET, constraints=(Constraint(type=CONTIGUOUS, value=0),)), UsageError),
        (replace(A_SET, constraints=(Constraint(type=RANGE, value=(2, 1)),)), UsageError),
        (replace(A_SET, constraints=(Constraint(type=SOURCES, value=()),)), UsageError),
        (
            replace(A_SET, constraints=(Constraint(type=UNKNOWN, value=bytes(1025)),)),
            NotPossibleError,
        ),
    ],
)
def test_a_set_that_would_be_misuse_is_never_sent(
    constraint_set: ConstraintSet, error: type[Exception]
) -> None:
    assert set_requests(A_SET)
    with pytest.raises(error):
        set_requests(constraint_set)
