"""Events of `xx_dmabuf_negotiation_v1`, collected into batches.

One method for each event, named after it. `done` and `failed` return the batch
that they complete. A compositor that breaks the protocol (an index beyond the
table, a plan outside a tranche) raises `PeerError`; the decoder can then be
thrown away, but not used on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from heapwire.protocol.errors import PeerError
from heapwire.protocol.values import (
    BufferObject,
    CoherencyDomain,
    Colour,
    ColourEncoding,
    ColourRange,
    Constraint,
    ConstraintSet,
    DeviceId,
    Extent,
    FailureReason,
    Fence,
    FormatModifier,
    Layout,
    LayoutKind,
    Plan,
    PlaneLayout,
    Provenance,
    Reason,
    Usage,
)
from heapwire.protocol.wire.array import decode_formats, decode_indices, decode_source
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
from heapwire.protocol.wire.constraint_value import decode_value
from heapwire.protocol.wire.limits import TABLE_ENTRIES


@dataclass(slots=True)
class _Offer:
    """A plan that is not complete."""

    index: int
    fourcc: int
    modifier: int
    kind: LayoutKind
    extent: Extent
    count: int
    objects: list[BufferObject] = field(default_factory=list)
    access: list[Access] = field(default_factory=list)
    planes: list[PlaneLayout] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    domain: CoherencyDomain | None = None
    fence: Fence | None = None
    colour: Colour | None = None

    def finished(self, flags: TrancheFlags) -> Offer:
        """The plan, now that its tranche is complete."""
        plan = Plan(
            fourcc=self.fourcc,
            modifier=self.modifier,
            goal=flags.goal,
            scanout=bool(flags & TrancheFlags.SCANOUT),
            layout=Layout(
                kind=self.kind,
                extent=self.extent,
                objects=tuple(self.objects),
                planes=tuple(self.planes),
                constraints=tuple(self.constraints),
            ),
            buffer_count=self.count,
            reasons=tuple(self.reasons),
            domain=self.domain,
            fence=self.fence,
            colour=self.colour,
        )
        return Offer(self.index, plan, tuple(self.access))


@dataclass(slots=True)
class _Tranche:
    """A tranche that is not complete."""

    flags: TrancheFlags
    devices: list[TrancheDevice] = field(default_factory=list)
    formats: list[FormatModifier] = field(default_factory=list)
    sources: list[TrancheSource] = field(default_factory=list)
    sets: list[tuple[int, tuple[FormatModifier, ...], list[Constraint]]] = field(
        default_factory=list
    )
    offers: list[_Offer] = field(default_factory=list)

    def finished(self) -> Tranche:
        """The tranche as a value."""
        return Tranche(
            flags=self.flags,
            devices=tuple(self.devices),
            formats=tuple(self.formats),
            sources=tuple(self.sources),
            sets=tuple(
                TrancheSet(id_, ConstraintSet(formats=pairs, constraints=tuple(constraints)))
                for id_, pairs, constraints in self.sets
            ),
            offers=tuple(offer.finished(self.flags) for offer in self.offers),
        )


class BatchDecoder:
    """Collects one negotiation's events."""

    __slots__ = ("_conflicts", "_participants", "_refusals", "_table", "_tranche", "_tranches")

    def __init__(self) -> None:
        self._table: tuple[FormatModifier, ...] = ()
        self._tranche: _Tranche | None = None
        self._begin()

    def _begin(self) -> None:
        # Of a batch nothing is left for the next but the table, which is sent when it changes.
        self._participants: list[BatchParticipant] = []
        self._tranches: list[Tranche] = []
        self._refusals: list[Refusal] = []
        self._conflicts: list[ConflictEntry] = []

    def format_table(self, content: bytes) -> None:
        """Replace the table; `content` is what the event's file holds."""
        table = decode_formats(content)
        if len(table) > TABLE_ENTRIES:
            raise PeerError(f"a format table of {len(table)} entries")
        self._table = table

    def participant(self, id_: int, usage: int, major: int, minor: int, name: str) -> None:
        """A device of the compositor's."""
        entry = BatchParticipant(id_, Usage(usage), _device(major, minor), name)
        self._participants.append(entry)

    def tranche_flags(self, flags: int) -> None:
        """A tranche begins."""
        if self._tranche is not None:
            raise PeerError("a tranche begins inside another")
        self._tranche = _Tranche(TrancheFlags(flags))

    def tranche_device(self, usage: int, major: int, minor: int) -> None:
        """A device that the tranche is for."""
        self._open.devices.append(TrancheDevice(Usage(usage), _device(major, minor)))

    def tranche_formats(self, indices: bytes) -> None:
        """Pairs of the tranche."""
        self._open.formats += self._pairs(indices)

    def tranche_source(self, kind: int, major: int, minor: int, access: int) -> None:
        """A source that the tranche's devices can use."""
        self._open.sources.append(TrancheSource(decode_source(kind, major, minor), Access(access)))

    def tranche_set(self, participant: int, indices: bytes) -> None:
        """A constraint set begins."""
        self._open.sets.append((participant, self._pairs(indices), []))

    def tranche_constraint(
        self, type_: int, planes: int, flags: int, provenance: int, value: bytes
    ) -> None:
        """A constraint of the last set."""
        if not self._open.sets:
            raise PeerError("a constraint outside a set")
        constraint = _constraint(type_, planes, flags, provenance, value)
        self._open.sets[-1][2].append(constraint)

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
        if layout not in LayoutKind.__members__.values():
            raise PeerError(f"plan {index}: {layout} is no kind of layout")
        fault = Extent.fault(width, height)
        if fault is not None:
            raise PeerError(f"plan {index}: {fault}")
        self._open.offers.append(
            _Offer(
                index=index,
                fourcc=fourcc,
                modifier=modifier_hi << 32 | modifier_lo,
                kind=LayoutKind(layout),
                extent=Extent(width, height),
                count=count,
            )
        )

    def plan_object(
        self, kind: int, major: int, minor: int, access: int, size_hi: int, size_lo: int
    ) -> None:
        """An object of the last plan."""
        offer = self._offer
        offer.objects.append(
            BufferObject(decode_source(kind, major, minor), size_hi << 32 | size_lo)
        )
        offer.access.append(Access(access))

    def plan_plane(self, object_: int, offset: int, pitch: int) -> None:
        """A plane of the last plan."""
        offer = self._offer
        if object_ >= len(offer.objects):
            raise PeerError(f"plane in object {object_}, which the plan has not")
        offer.planes.append(PlaneLayout(object_, offset, pitch))

    def plan_agreement(self, coherency: int, fence: int, encoding: int, range_: int) -> None:
        """What was agreed on beyond the layout of the last plan."""
        offer = self._offer
        try:
            offer.domain = None if coherency < 0 else CoherencyDomain(coherency)
            offer.fence = None if fence < 0 else Fence(fence)
            if encoding >= 0:
                offer.colour = (ColourEncoding(encoding), ColourRange(range_))
        except ValueError as error:
            raise PeerError(f"plan {offer.index}: {error}") from None

    def plan_constraint(
        self, type_: int, planes: int, flags: int, provenance: int, value: bytes
    ) -> None:
        """What the allocator of the last plan must keep to."""
        constraint = _constraint(type_, planes, flags, provenance, value)
        self._offer.constraints.append(constraint)

    def plan_reason(self, subject: str, plane: int, text: str) -> None:
        """A sentence about the last plan."""
        self._offer.reasons.append(Reason(subject, text, None if plane < 0 else plane))

    def tranche_done(self) -> None:
        """The tranche is complete."""
        self._tranches.append(self._open.finished())
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
        self._refusals.append(
            Refusal(
                source=decode_source(kind, major, minor),
                participant=participant,
                type=type_,
                planes=planes,
                text=text,
            )
        )

    def conflict(
        self, goal: int, participant: int, type_: int, planes: int, value: bytes, text: str
    ) -> None:
        """A requirement that contradicts others."""
        self._conflicts.append(
            ConflictEntry(
                goal=TrancheFlags(goal),
                participant=participant,
                type=type_,
                planes=planes,
                value=decode_value(type_, value) if type_ else b"",
                text=text,
            )
        )

    def done(self, cookie: int, serial: int) -> Batch:
        """The batch is complete."""
        return self._finish(cookie, serial, None, "")

    def failed(self, cookie: int, serial: int, reason: int, message: str) -> Batch:
        """The batch is complete and has no plans; a reason from later is INTERNAL."""
        if reason not in FailureReason.__members__.values():
            reason = FailureReason.INTERNAL
        return self._finish(cookie, serial, FailureReason(reason), message)

    def _finish(self, cookie: int, serial: int, reason: FailureReason | None, text: str) -> Batch:
        if self._tranche is not None:
            raise PeerError("a batch ends inside a tranche")
        batch = Batch(
            cookie=cookie,
            serial=serial,
            participants=tuple(self._participants),
            tranches=tuple(self._tranches),
            refusals=tuple(self._refusals),
            conflicts=tuple(self._conflicts),
            reason=reason,
            message=text,
        )
        self._begin()
        return batch

    @property
    def _open(self) -> _Tranche:
        if self._tranche is None:
            raise PeerError("an event of a tranche outside any")
        return self._tranche

    @property
    def _offer(self) -> _Offer:
        if not self._open.offers:
            raise PeerError("an event of a plan outside any")
        return self._open.offers[-1]

    def _pairs(self, raw: bytes) -> tuple[FormatModifier, ...]:
        indices = decode_indices(raw)
        if max(indices, default=-1) >= len(self._table):
            raise PeerError("an index beyond the format table")
        return tuple(self._table[index] for index in indices)


def _device(major: int, minor: int) -> DeviceId | None:
    """The device of two numbers; 0:0 is none."""
    fault = DeviceId.fault(major, minor)
    if fault is not None:
        raise PeerError(fault)
    return DeviceId(major, minor) if major or minor else None


def _constraint(type_: int, planes: int, flags: int, provenance: int, raw: bytes) -> Constraint:
    """A constraint; a provenance from later counts as what is trusted least."""
    if provenance not in Provenance.__members__.values():
        provenance = Provenance.PRESUMPTION
    return Constraint(
        type=type_,
        value=decode_value(type_, raw),
        planes=planes,
        must_understand=bool(flags & 1),
        provenance=Provenance(provenance),
    )
