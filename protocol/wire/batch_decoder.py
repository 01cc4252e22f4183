"""Events of `xx_dmabuf_heap_feedback_v1`, collected into batches.

One method for each event, named after it. `done` and `failed` return the batch
that they complete. A compositor that breaks the protocol (an index beyond the
table, a plan outside a tranche) raises `RemoteError`; the decoder can then be
thrown away, but not used on.
"""

from __future__ import annotations

from dataclasses import replace

from heapwire.protocol.model.answer import FailureReason
from heapwire.protocol.model.coherency import CoherencyDomain, Fence
from heapwire.protocol.model.constraint import Constraint, Provenance, Value
from heapwire.protocol.model.constraint_set import ConstraintSet, FormatModifier
from heapwire.protocol.model.content import ColourEncoding, ColourRange
from heapwire.protocol.model.errors import LocalError, RemoteError
from heapwire.protocol.model.extents import Extent
from heapwire.protocol.model.identity import DeviceId
from heapwire.protocol.model.layout import BufferObject, Layout, LayoutKind, PlaneLayout
from heapwire.protocol.model.participant import Usage
from heapwire.protocol.model.plan import Plan, Reason
from heapwire.protocol.model.source import SourceId, SourceKind
from heapwire.protocol.wire.array import decode_formats, decode_indices
from heapwire.protocol.wire.batch import (
    Access,
    Batch,
    BatchParticipant,
    ConflictEntry,
    Offer,
    Refusal,
    Tranche,
    TrancheDevice,
    TrancheFlags,
    TrancheSet,
    TrancheSource,
)
from heapwire.protocol.wire.limits import TABLE_ENTRIES
from heapwire.protocol.wire.value import decode_value


class BatchDecoder:
    """Collects one feedback object's events."""

    __slots__ = ("_batch", "_table", "_tranche")

    def __init__(self) -> None:
        self._table: tuple[FormatModifier, ...] = ()
        self._batch = Batch()
        self._tranche: Tranche | None = None

    def format_table(self, content: bytes) -> None:
        """Replace the table; `content` is what the event's file holds."""
        try:
            table = decode_formats(content)
        except ValueError as error:
            raise RemoteError(f"format table: {error}") from None
        if len(table) > TABLE_ENTRIES:
            raise RemoteError(f"a format table of {len(table)} entries")
        self._table = table

    def participant(self, id_: int, usage: int, major: int, minor: int, name: str) -> None:
        """A device of the compositor's."""
        entry = BatchParticipant(id_, Usage(usage), _device(major, minor), name)
        self._batch = replace(self._batch, participants=(*self._batch.participants, entry))

    def tranche_flags(self, flags: int) -> None:
        """A tranche begins."""
        if self._tranche is not None:
            raise RemoteError("a tranche begins inside another")
        self._tranche = Tranche(flags=TrancheFlags(flags))

    def tranche_device(self, usage: int, major: int, minor: int) -> None:
        """A device that the tranche is for."""
        entry = TrancheDevice(Usage(usage), _device(major, minor))
        self._tranche = replace(self._open, devices=(*self._open.devices, entry))

    def tranche_formats(self, indices: bytes) -> None:
        """Pairs of the tranche."""
        pairs = self._pairs(indices)
        self._tranche = replace(self._open, formats=self._open.formats + pairs)

    def tranche_source(self, kind: int, major: int, minor: int, access: int) -> None:
        """A source that the tranche's devices can use."""
        entry = TrancheSource(_source(kind, major, minor), Access(access))
        self._tranche = replace(self._open, sources=(*self._open.sources, entry))

    def tranche_set(self, participant: int, indices: bytes) -> None:
        """A constraint set begins."""
        entry = TrancheSet(participant, ConstraintSet(formats=self._pairs(indices)))
        self._tranche = replace(self._open, sets=(*self._open.sets, entry))

    def tranche_constraint(
        self, type_: int, planes: int, flags: int, provenance: int, value: bytes
    ) -> None:
        """A constraint of the last set."""
        if not self._open.sets:
            raise RemoteError("a constraint outside a set")
        constraint = _constraint(type_, planes, flags, provenance, value)
        last = self._open.sets[-1]
        grown = replace(last.set, constraints=(*last.set.constraints, constraint))
        self._tranche = replace(
            self._open, sets=(*self._open.sets[:-1], TrancheSet(last.participant, grown))
        )

    def plan(
        self,
        index: int,
        fourcc: int,
        modifier_hi: int,
        modifier_lo: int,
        layout: int,
        width: int,
        height: int,
        count: int,
    ) -> None:
        """A plan begins."""
        scanout = bool(self._open.flags & TrancheFlags.SCANOUT)
        try:
            plan = Plan(
                fourcc=fourcc,
                modifier=modifier_hi << 32 | modifier_lo,
                goal="scanout" if scanout else "sampling",
                scanout=scanout,
                layout=Layout(
                    kind=LayoutKind(layout), extent=Extent(width, height), objects=(), planes=()
                ),
                buffer_count=count,
            )
        except (LocalError, ValueError) as error:
            raise RemoteError(f"plan {index}: {error}") from None
        offer = Offer(index, plan, ())
        self._tranche = replace(self._open, offers=(*self._open.offers, offer))

    def plan_object(
        self, kind: int, major: int, minor: int, access: int, size_hi: int, size_lo: int
    ) -> None:
        """An object of the last plan."""
        offer, layout = self._offer, self._offer.plan.layout
        entry = BufferObject(_source(kind, major, minor), size_hi << 32 | size_lo)
        plan = replace(offer.plan, layout=replace(layout, objects=(*layout.objects, entry)))
        self._replace(Offer(offer.index, plan, (*offer.access, Access(access))))

    def plan_plane(self, object_: int, offset: int, pitch: int) -> None:
        """A plane of the last plan."""
        offer, layout = self._offer, self._offer.plan.layout
        if object_ >= len(layout.objects):
            raise RemoteError(f"plane in object {object_}, which the plan has not")
        planes = (*layout.planes, PlaneLayout(object_, offset, pitch))
        plan = replace(offer.plan, layout=replace(layout, planes=planes))
        self._replace(replace(offer, plan=plan))

    def plan_agreement(self, coherency: int, fence: int, encoding: int, range_: int) -> None:
        """What was agreed on beyond the layout of the last plan."""
        offer = self._offer
        try:
            plan = replace(
                offer.plan,
                domain=None if coherency < 0 else CoherencyDomain(coherency),
                fence=None if fence < 0 else Fence(fence),
                colour=None if encoding < 0 else (ColourEncoding(encoding), ColourRange(range_)),
            )
        except ValueError as error:
            raise RemoteError(f"plan {offer.index}: {error}") from None
        self._replace(replace(offer, plan=plan))

    def plan_constraint(
        self, type_: int, planes: int, flags: int, provenance: int, value: bytes
    ) -> None:
        """What the allocator of the last plan must keep to."""
        offer, layout = self._offer, self._offer.plan.layout
        constraint = _constraint(type_, planes, flags, provenance, value)
        grown = replace(layout, constraints=(*layout.constraints, constraint))
        self._replace(replace(offer, plan=replace(offer.plan, layout=grown)))

    def plan_reason(self, subject: str, plane: int, text: str) -> None:
        """A sentence about the last plan."""
        offer = self._offer
        reason = Reason(subject, text, None if plane < 0 else plane)
        reasons = (*offer.plan.reasons, reason)
        self._replace(replace(offer, plan=replace(offer.plan, reasons=reasons)))

    def tranche_done(self) -> None:
        """The tranche is complete."""
        self._batch = replace(self._batch, tranches=(*self._batch.tranches, self._open))
        self._tranche = None

    def refusal(
        self,
        kind: int,
        major: int,
        minor: int,
        participant: int,
        type_: int,
        planes: int,
        text: str,
    ) -> None:
        """Why a source is in no plan."""
        entry = Refusal(
            source=_source(kind, major, minor),
            participant=participant,
            type=type_,
            planes=planes,
            text=text,
        )
        self._batch = replace(self._batch, refusals=(*self._batch.refusals, entry))

    def conflict(
        self, goal: int, participant: int, type_: int, planes: int, value: bytes, text: str
    ) -> None:
        """A requirement that contradicts others."""
        entry = ConflictEntry(
            goal=TrancheFlags(goal),
            participant=participant,
            type=type_,
            planes=planes,
            value=_value(type_, value) if type_ else b"",
            text=text,
        )
        self._batch = replace(self._batch, conflicts=(*self._batch.conflicts, entry))

    def done(self, cookie: int, serial: int) -> Batch:
        """The batch is complete."""
        return self._finish(replace(self._batch, cookie=cookie, serial=serial))

    def failed(self, cookie: int, serial: int, reason: int, message: str) -> Batch:
        """The batch is complete and has no plans; a reason from later is INTERNAL."""
        known = reason in FailureReason.__members__.values()
        return self._finish(
            replace(
                self._batch,
                cookie=cookie,
                serial=serial,
                reason=FailureReason(reason) if known else FailureReason.INTERNAL,
                message=message,
            )
        )

    def _finish(self, batch: Batch) -> Batch:
        if self._tranche is not None:
            raise RemoteError("a batch ends inside a tranche")
        self._batch = Batch()
        return batch

    @property
    def _open(self) -> Tranche:
        if self._tranche is None:
            raise RemoteError("an event of a tranche outside any")
        return self._tranche

    @property
    def _offer(self) -> Offer:
        if not self._open.offers:
            raise RemoteError("an event of a plan outside any")
        return self._open.offers[-1]

    def _replace(self, offer: Offer) -> None:
        self._tranche = replace(self._open, offers=(*self._open.offers[:-1], offer))

    def _pairs(self, raw: bytes) -> tuple[FormatModifier, ...]:
        try:
            return tuple(self._table[index] for index in decode_indices(raw))
        except ValueError as error:
            raise RemoteError(str(error)) from None
        except IndexError:
            raise RemoteError("an index beyond the format table") from None


def _device(major: int, minor: int) -> DeviceId | None:
    try:
        return DeviceId(major, minor) if major or minor else None
    except LocalError as error:
        raise RemoteError(str(error)) from None


def _source(kind: int, major: int, minor: int) -> SourceId:
    try:
        return SourceId(SourceKind(kind), major, minor)
    except (LocalError, ValueError) as error:
        raise RemoteError(str(error)) from None


def _value(type_: int, raw: bytes) -> Value:
    try:
        return decode_value(type_, raw)
    except ValueError as error:
        raise RemoteError(str(error)) from None


def _constraint(type_: int, planes: int, flags: int, provenance: int, raw: bytes) -> Constraint:
    known = provenance in Provenance.__members__.values()
    return Constraint(
        type=type_,
        value=_value(type_, raw),
        planes=planes,
        must_understand=bool(flags & 1),
        provenance=Provenance(provenance) if known else Provenance.USER,
    )
