"""Whatever the model can say and the protocol allows survives the wire unchanged."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from sys import byteorder

import pytest
from hypothesis import given, strategies as st

from heapwire.protocol import PeerError
from heapwire.protocol.values import (
    REGISTRY,
    ROWS,
    BufferObject,
    CoherencyDomain,
    ColourEncoding,
    ColourRange,
    Constraint,
    ConstraintSet,
    ConstraintType,
    Content,
    DeviceId,
    Extent,
    Extents,
    FailureReason,
    Fence,
    FixedBuffer,
    FormatModifier,
    Layout,
    LayoutKind,
    MergeRule,
    Participant,
    Plan,
    PlaneLayout,
    Provenance,
    Reason,
    SourceId,
    SourceKind,
    Usage,
    Value,
    ValueKind as Kind,
)
from heapwire.protocol.wire import (
    FIRST_COMPOSITOR_ID,
    Access,
    Batch,
    BatchDecoder,
    ConflictEntry,
    ConstraintSetBuilder,
    Inquiry,
    MisuseError,
    NegotiationState,
    Offer,
    Refusal,
    Tranche,
    TrancheFlags,
    array,
    batch_events,
    inquiry_requests,
    set_requests,
)
from heapwire.protocol.wire.batch import BatchParticipant, Explanation, PlanSubject, RefusalCause
from heapwire.protocol.wire.constraint_value import decode_value, encode_value

U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)
MAJOR, MINOR = st.integers(0, 4095), st.integers(0, 2**20 - 1)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
DEVICE = st.builds(DeviceId, MAJOR, MINOR)
REAL_DEVICE = DEVICE.filter(lambda device: device.dev_t != 0)
SOURCE = st.builds(SourceId, st.sampled_from(SourceKind), MAJOR, MINOR)
PAIR = st.builds(FormatModifier, U32, U64)
EXTENT = st.builds(Extent, st.integers(1, 65536), st.integers(1, 65536))
ACCESS = st.sampled_from([Access.CLIENT, Access.COMPOSITOR, Access.CLIENT | Access.COMPOSITOR])
UNKNOWN_TYPE = U32.filter(lambda number: number not in REGISTRY)


def values_of(row: ConstraintType) -> st.SearchStrategy[Value]:
    """Values that the registry allows for a type."""
    match row.kind:
        case Kind.UINT | Kind.MASK:
            return st.integers(1 if row.merge is MergeRule.LCM else 0, 2**64 - 1)
        case Kind.FLAG:
            return st.just(1)
        case Kind.RANGE:
            return st.tuples(U64, U64).map(lambda ends: (min(ends), max(ends)))
        case Kind.SOURCES:
            return st.lists(SOURCE, min_size=1, max_size=85, unique=True).map(tuple)
        case Kind.PAIRS:
            entries = st.dictionaries(DEVICE, U64, min_size=1, max_size=64)
            return entries.map(lambda found: tuple(sorted(found.items())))
        case Kind.BYTES:
            return st.binary(max_size=1024)


TYPED_VALUE = st.sampled_from(ROWS).flatmap(
    lambda row: st.tuples(st.just(row.type), values_of(row))
) | st.tuples(UNKNOWN_TYPE, st.binary(max_size=1024))


@st.composite
def constraints(draw: st.DrawFn) -> Constraint:
    type_, value = draw(TYPED_VALUE)
    return Constraint(
        type=type_,
        value=value,
        planes=draw(st.integers(0, 15)),
        must_understand=draw(st.booleans()),
        provenance=draw(st.sampled_from(Provenance)),
    )


DISTINCT_CONSTRAINTS = st.lists(
    constraints(), max_size=5, unique_by=lambda one: (one.type, one.planes)
).map(tuple)


@st.composite
def constraint_sets(draw: st.DrawFn, *, costs: bool = True) -> ConstraintSet:
    formats = draw(st.lists(PAIR, min_size=1, max_size=6, unique=True))
    rated = draw(st.lists(st.integers(0, 3), min_size=len(formats), max_size=len(formats)))
    return ConstraintSet(
        formats=tuple(formats),
        constraints=draw(DISTINCT_CONSTRAINTS),
        costs=tuple(rated) if costs and any(rated) else (),
    )


@st.composite
def participants(draw: st.DrawFn) -> Participant:
    return Participant(
        name=draw(TEXT.filter(lambda name: len(name.encode()) <= 128)),
        usage=Usage(draw(st.integers(1, sum(Usage)))),
        sets=tuple(draw(st.lists(constraint_sets(), max_size=2))),
        device=draw(st.none() | REAL_DEVICE),
    )


@st.composite
def extents(draw: st.DrawFn) -> Extents:
    coded = draw(EXTENT)
    visible = st.builds(Extent, st.integers(1, coded.width), st.integers(1, coded.height))
    return Extents(coded=coded, visible=draw(st.none() | visible), maximum=draw(st.none() | EXTENT))


@st.composite
def fixed_layouts(draw: st.DrawFn) -> Layout:
    objects = draw(
        st.lists(st.builds(BufferObject, SOURCE, st.integers(1, 2**64 - 1)), min_size=1, max_size=4)
    )
    planes = []
    for index in draw(st.lists(st.integers(0, len(objects) - 1), min_size=1, max_size=4)):
        offset = draw(st.integers(0, min(objects[index].size, 2**32) - 1))
        planes.append(PlaneLayout(index, offset, draw(st.integers(1, 2**32 - 1))))
    return Layout(
        kind=LayoutKind.FIXED, extent=draw(EXTENT), objects=tuple(objects), planes=tuple(planes)
    )


@st.composite
def inquiries(draw: st.DrawFn) -> Inquiry:
    minimum = draw(st.integers(0, 64))
    content = st.builds(
        Content,
        protected=st.booleans(),
        interlaced=st.booleans(),
        rotation=st.sampled_from([0, 90, 180, 270]),
        encoding=st.sampled_from(ColourEncoding),
        range=st.sampled_from(ColourRange),
    )
    return Inquiry(
        participants=tuple(
            draw(st.dictionaries(st.integers(1, 2**31 - 1), participants(), max_size=3)).items()
        ),
        extents=draw(extents()),
        content=draw(content),
        minimum=minimum,
        queue=draw(st.integers(0 if minimum else 1, 64 - minimum)),
        openable=draw(st.none() | st.frozensets(SOURCE, max_size=5)),
        fixed=draw(st.none() | st.builds(FixedBuffer, PAIR, fixed_layouts())),
        explanation=draw(st.sampled_from(Explanation)),
    )


ENCODING = st.sampled_from(ColourEncoding)
RANGE = st.sampled_from(ColourRange)


FLAGS = st.integers(1, 3).map(TrancheFlags) | st.just(TrancheFlags.SCANOUT | TrancheFlags.BLACK)


@st.composite
def offers(draw: st.DrawFn, flags: TrancheFlags) -> Offer:
    kind = draw(st.sampled_from(LayoutKind))
    laid_out = draw(fixed_layouts())
    layout = Layout(
        kind=kind,
        extent=laid_out.extent,
        objects=tuple(
            replace(entry, size=0) if kind is LayoutKind.ALLOCATOR else entry
            for entry in laid_out.objects
        ),
        planes=() if kind is LayoutKind.ALLOCATOR else laid_out.planes,
        constraints=draw(DISTINCT_CONSTRAINTS) if kind is LayoutKind.ALLOCATOR else (),
    )
    subject = st.sampled_from(PlanSubject).map(lambda one: one.name.lower())
    reason = st.builds(Reason, subject, TEXT, st.none() | st.integers(0, 3))
    plan = Plan(
        fourcc=draw(U32),
        modifier=draw(U64),
        goal=flags.goal,
        scanout=bool(flags & TrancheFlags.SCANOUT),
        layout=layout,
        buffer_count=draw(U32),
        reasons=tuple(draw(st.lists(reason, max_size=2))),
        domain=draw(st.none() | st.sampled_from(CoherencyDomain)),
        fence=draw(st.none() | st.sampled_from(Fence)),
        colour=draw(st.none() | st.tuples(ENCODING, RANGE)),
    )
    access = draw(st.lists(ACCESS, min_size=len(layout.objects), max_size=len(layout.objects)))
    return Offer(0, plan, tuple(access))


COMPOSITOR_ID = st.integers(FIRST_COMPOSITOR_ID, 2**32 - 1)
USAGE = st.integers(1, sum(Usage)).map(Usage)


@st.composite
def tranches(draw: st.DrawFn) -> Tranche:
    flags = draw(FLAGS)
    return Tranche(
        flags=flags,
        offers=tuple(draw(st.lists(offers(flags), min_size=1, max_size=2))),
    )


@st.composite
def conflict_entries(draw: st.DrawFn) -> ConflictEntry:
    type_, value = draw(TYPED_VALUE | st.just((0, b"")))
    return ConflictEntry(
        goal=draw(FLAGS),
        participant=draw(U32),
        type=type_,
        planes=draw(st.integers(0, 15)),
        value=value if type_ else b"",
        text=draw(TEXT),
        proved=draw(st.booleans()),
    )


def numbered(tranches: Iterable[Tranche]) -> tuple[Tranche, ...]:
    """Plans are numbered from 0 within a batch."""
    numbers = itertools.count()
    return tuple(
        replace(one, offers=tuple(replace(offer, index=next(numbers)) for offer in one.offers))
        for one in tranches
    )


BATCH = st.builds(
    Batch,
    cookie=U32,
    serial=U32,
    participants=st.lists(
        st.builds(BatchParticipant, COMPOSITOR_ID, USAGE, st.none() | REAL_DEVICE, TEXT), max_size=3
    ).map(tuple),
    tranches=st.lists(tranches(), max_size=3, unique_by=lambda one: one.flags).map(numbered),
    refusals=st.lists(
        st.builds(
            Refusal,
            source=SOURCE,
            cause=st.sampled_from(RefusalCause),
            participant=U32,
            type=U32,
            planes=st.integers(0, 15),
            text=TEXT,
        ),
        max_size=2,
    ).map(tuple),
    conflicts=st.lists(conflict_entries(), max_size=3).map(tuple),
) | st.builds(
    Batch,
    cookie=U32,
    serial=U32,
    conflicts=st.lists(conflict_entries(), max_size=3).map(tuple),
    reason=st.sampled_from(FailureReason),
    message=TEXT,
)


def built(constraint_set: ConstraintSet) -> ConstraintSet:
    builder = ConstraintSetBuilder()
    for name, arguments in set_requests(constraint_set):
        getattr(builder, name)(*arguments)
    return builder.create()


def costs_by_pair(constraint_set: ConstraintSet) -> dict[FormatModifier, int]:
    costs = constraint_set.costs or (0,) * len(constraint_set.formats)
    return dict(zip(constraint_set.formats, costs, strict=True))


def decoded(
    batch: Batch, decoder: BatchDecoder, explanation: Explanation = Explanation.ALL
) -> Batch:
    result = None
    for name, arguments in batch_events(batch, explanation):
        assert result is None, "an event after the end of the batch"
        result = getattr(decoder, name)(*arguments)
    assert isinstance(result, Batch)
    return result


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@given(data=st.data())
def test_a_value_of_each_type(row: ConstraintType, data: st.DataObject) -> None:
    value = data.draw(values_of(row))
    assert decode_value(row.type, encode_value(row.type, value)) == value


@given(UNKNOWN_TYPE, st.binary(max_size=1024))
def test_a_value_of_an_unknown_type_is_carried_unchanged(type_: int, raw: bytes) -> None:
    assert encode_value(type_, decode_value(type_, raw)) == raw


@given(constraint_sets())
def test_a_constraint_set(constraint_set: ConstraintSet) -> None:
    there = built(constraint_set)
    assert there.constraints == constraint_set.constraints
    assert costs_by_pair(there) == costs_by_pair(constraint_set)


@given(constraint_sets(costs=False))
def test_a_set_without_costs_keeps_its_order(constraint_set: ConstraintSet) -> None:
    assert built(constraint_set) == constraint_set


@given(inquiries())
def test_an_inquiry(inquiry: Inquiry) -> None:
    state = NegotiationState()
    for name, arguments in inquiry_requests(inquiry):
        getattr(state, name)(*arguments)
    for id_, participant in inquiry.participants:
        for constraint_set in participant.sets:
            state.add_alternative(id_, constraint_set)
    assert state.commit(1) == inquiry


@given(st.lists(BATCH, min_size=1, max_size=3))
def test_batches_one_after_the_other(batches: list[Batch]) -> None:
    decoder = BatchDecoder()
    assert [decoded(batch, decoder) for batch in batches] == batches


@given(BATCH, st.sampled_from(Explanation))
def test_what_is_told_is_what_was_asked_for(batch: Batch, explanation: Explanation) -> None:
    assert decoded(batch, BatchDecoder(), explanation) == batch.as_told(explanation)


@given(st.lists(SOURCE).map(tuple))
def test_sources(sources: tuple[SourceId, ...]) -> None:
    assert array.decode_sources(array.encode_sources(sources)) == sources


@given(st.sampled_from([row.type for row in ROWS]), st.binary(max_size=64))
def test_bytes_of_any_kind_are_a_value_or_the_peers_error(type_: int, raw: bytes) -> None:
    with suppress(PeerError):
        assert encode_value(type_, decode_value(type_, raw)) == raw


@given(st.binary(max_size=200))
def test_arrays_of_any_bytes_are_decoded_or_the_peers_error(raw: bytes) -> None:
    for decode in (
        array.decode_formats,
        array.decode_sources,
        array.decode_objects,
        array.decode_planes,
        array.decode_indices,
    ):
        with suppress(PeerError):
            decode(raw)


@given(st.lists(PAIR, max_size=20), st.binary(min_size=4, max_size=4))
def test_of_an_entry_of_formats_the_unused_bytes_say_nothing(
    pairs: list[FormatModifier], unused: bytes
) -> None:
    raw = b"".join(
        pair.fourcc.to_bytes(4, byteorder) + unused + pair.modifier.to_bytes(8, byteorder)
        for pair in pairs
    )
    found = array.decode_formats(raw)
    assert found == tuple(pairs)
    assert all(type(pair) is FormatModifier for pair in found)


@given(st.text())
def test_any_text_can_be_the_name_of_a_participant_or_is_misuse(name: str) -> None:
    with suppress(MisuseError):
        NegotiationState().set_participant(1, 1, 0, 0, name)
