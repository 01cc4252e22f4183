"""Events of `xx_dmabuf_negotiation_v1`, collected into batches.

One method for each event, named after it. `done` and `failed` return the batch
that they complete. A compositor that breaks the protocol (an unknown kind of
layout, a plane outside a plan) raises `PeerError`; the decoder can then be
thrown away, but not used on.
"""

from __future__ import annotations

from heapwire.protocol.errors import PeerError
from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.values import (
    MAX_PLANES,
    BufferObject,
    CoherencyDomain,
    Colour,
    ColourEncoding,
    ColourRange,
    Constraint,
    DeviceId,
    Extent,
    FailureReason,
    Fence,
    Layout,
    LayoutKind,
    Plan,
    PlaneLayout,
    Provenance,
    Reason,
    Usage,
)
from heapwire.protocol.wire.array import decode_source
from heapwire.protocol.wire.batch import (
    Access,
    Agreement,
    Batch,
    BatchParticipant,
    ConflictCause,
    ConflictEntry,
    ConflictFlag,
    Offer,
    PlanSubject,
    Refusal,
    RefusalCause,
    Tranche,
    TrancheFlags,
)
from heapwire.protocol.wire.constraint_value import decode_value


@dataclass(slots=True)
class _Offer:
    """A plan that is not complete."""

    index: int
    goal: TrancheFlags
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

    def finished(self) -> Offer:
        """The plan, now that the batch is complete; `PeerError` if it contradicts itself."""
        laid_out = self.kind is LayoutKind.ALLOCATOR or (
            self.planes
            and all(one.pitch and one.offset < self.objects[one.object].size for one in self.planes)
        )
        if not self.objects or not laid_out:
            raise PeerError(f"plan {self.index} contradicts itself")
        plan = Plan(
            fourcc=self.fourcc,
            modifier=self.modifier,
            goal=self.goal.goal,
            scanout=bool(self.goal & TrancheFlags.SCANOUT),
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


class BatchDecoder:
    """Collects one negotiation's events."""

    __slots__ = ("_conflicts", "_offers", "_participants", "_refusals")

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        # Of a batch nothing is left for the next.
        self._participants: list[BatchParticipant] = []
        self._offers: list[_Offer] = []
        self._refusals: list[Refusal] = []
        self._conflicts: list[ConflictEntry] = []

    def participant(self, id_: int, usage: int, major: int, minor: int, name: str) -> None:
        """A device of the compositor's."""
        entry = BatchParticipant(id_, Usage(usage), _device(major, minor), name)
        self._participants.append(entry)

    def plan(
        self,
        index: int,
        goal: int,
        fourcc: int,
        modifier_hi: int,
        modifier_lo: int,
        layout: int,
        width: int,
        height: int,
        count: int,
    ) -> None:
        """A plan begins."""
        if index != len(self._offers):
            raise PeerError(f"plan {index}, where plan {len(self._offers)} is due")
        if layout not in LayoutKind.__members__.values():
            raise PeerError(f"plan {index}: {layout} is no kind of layout")
        fault = Extent.fault(width, height)
        if fault is not None:
            raise PeerError(f"plan {index}: {fault}")
        self._offers.append(
            _Offer(
                index=index,
                goal=TrancheFlags(goal),
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
        if len(offer.objects) == MAX_PLANES:
            raise PeerError(f"plan {offer.index} has more than {MAX_PLANES} objects")
        offer.objects.append(
            BufferObject(decode_source(kind, major, minor), size_hi << 32 | size_lo)
        )
        offer.access.append(Access(access))

    def plan_source(self, kind: int, major: int, minor: int, access: int) -> None:
        """An object of the last plan, whose size its allocator decides."""
        self.plan_object(kind, major, minor, access, 0, 0)

    def plan_plane(self, object_: int, offset: int, pitch: int) -> None:
        """A plane of the last plan."""
        offer = self._offer
        if object_ >= len(offer.objects):
            raise PeerError(f"plane in object {object_}, which the plan has not")
        if len(offer.planes) == MAX_PLANES:
            raise PeerError(f"plan {offer.index} has more than {MAX_PLANES} planes")
        offer.planes.append(PlaneLayout(object_, offset, pitch))

    def plan_agreement(
        self, agreed: int, coherency: int, fence: int, encoding: int, range_: int
    ) -> None:
        """What was agreed on beyond the layout of the last plan."""
        offer = self._offer
        try:
            if agreed & Agreement.COHERENCY:
                offer.domain = CoherencyDomain(coherency)
            if agreed & Agreement.FENCE:
                offer.fence = Fence(fence)
            if agreed & Agreement.COLOUR:
                offer.colour = (ColourEncoding(encoding), ColourRange(range_))
        except ValueError as error:
            raise PeerError(f"plan {offer.index}: {error}") from None

    def plan_constraint(
        self, type_: int, planes: int, flags: int, provenance: int, value: bytes
    ) -> None:
        """What the allocator of the last plan must keep to."""
        constraint = _constraint(type_, planes, flags, provenance, value)
        self._offer.constraints.append(constraint)

    def plan_reason(self, subject: int, planes: int, text: str) -> None:
        """A sentence about the last plan; a subject from later is another one."""
        known = subject in PlanSubject.__members__.values()
        name = PlanSubject(subject if known else PlanSubject.OTHER).name.lower()
        plane = (planes & -planes).bit_length() - 1 if planes else None
        self._offer.reasons.append(Reason(name, text, plane))

    def refusal(
        self,
        kind: int,
        major: int,
        minor: int,
        cause: int,
        participant: int,
        type_: int,
        planes: int,
        text: str,
    ) -> None:
        """Why a source is in no plan; a cause from later is another one than those known."""
        known = cause in RefusalCause.__members__.values()
        self._refusals.append(
            Refusal(
                source=decode_source(kind, major, minor),
                cause=RefusalCause(cause) if known else RefusalCause.ELSEWHERE,
                participant=participant,
                type=type_,
                planes=planes,
                text=text,
            )
        )

    def conflict(
        self,
        goal: int,
        cause: int,
        flags: int,
        participant: int,
        type_: int,
        planes: int,
        value: bytes,
        text: str,
    ) -> None:
        """A requirement that contradicts others."""
        constraint = cause == ConflictCause.CONSTRAINT
        self._conflicts.append(
            ConflictEntry(
                goal=TrancheFlags(goal),
                participant=participant,
                type=type_ if constraint else 0,
                planes=planes,
                value=decode_value(type_, value) if constraint else b"",
                text=text,
                proved=not flags & ConflictFlag.UNPROVED,
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
        offers: dict[TrancheFlags, list[Offer]] = {}
        for offer in self._offers:
            offers.setdefault(offer.goal, []).append(offer.finished())
        batch = Batch(
            cookie=cookie,
            serial=serial,
            participants=tuple(self._participants),
            tranches=tuple(
                Tranche(flags=goal, offers=tuple(those)) for goal, those in offers.items()
            ),
            refusals=tuple(self._refusals),
            conflicts=tuple(self._conflicts),
            reason=reason,
            message=text,
        )
        self._begin()
        return batch

    @property
    def _offer(self) -> _Offer:
        if not self._offers:
            raise PeerError("an event of a plan outside any")
        return self._offers[-1]


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
