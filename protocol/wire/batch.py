"""One batch of feedback: what the compositor answers, as values.

The compositor encodes a `Batch` into events (batch_encoder.py), the client
collects events into an equal `Batch` (batch_decoder.py).
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final, Self

from heapwire.protocol.late_dataclasses import dataclass, replace
from heapwire.protocol.values import (
    DeviceId,
    FailureReason,
    Plan,
    SourceId,
    Usage,
    Value,
)

FIRST_COMPOSITOR_ID = 0x80000000
"""Ids of the compositor's participants begin here, those of a client's end before."""


class TrancheFlags(IntFlag):
    """How buffers of a tranche are used; values below 65536 are those of linux-dmabuf."""

    SCANOUT = 1
    SAMPLING = 2
    BLACK = 0x10000
    """Where they are not scanned out they are black: nobody samples them."""

    @property
    def goal(self) -> str:
        """What a plan of such a tranche is for, in words."""
        if not self & TrancheFlags.SCANOUT:
            return "sampling"
        return "scanout or black" if self & TrancheFlags.BLACK else "scanout"


class Explanation(IntEnum):
    """How much a client wants explained."""

    NONE = 0
    """Plans, or that there are none."""
    REASONS = 1
    """Why there is no plan, or none for a better goal."""
    ALL = 2
    """What became of each source, and who demanded what of a plan, too."""


class RefusalCause(IntEnum):
    """Why a source is in no plan."""

    REQUIREMENT = 0
    OUTRANKED = 1
    ELSEWHERE = 2
    ALLOWANCE = 3


class ConflictCause(IntEnum):
    """What of a participant's stands in the way."""

    CONSTRAINT = 0
    FORMATS = 1


class ConflictFlag(IntFlag):
    """What is known of a conflict."""

    UNPROVED = 1


class Agreement(IntFlag):
    """On what participants have agreed."""

    COHERENCY = 1
    FENCE = 2
    COLOUR = 4


class PlanSubject(IntEnum):
    """What a reason of a plan is about, by the names of `Reason.subject`."""

    OTHER = 0
    FORMAT = 1
    PITCH = 2
    OFFSET = 3
    EXTENT = 4
    SIZE = 5
    SOURCE = 6
    COUNT = 7
    COHERENCY = 8
    FENCE = 9
    COLOUR = 10

    @classmethod
    def of(cls, subject: str) -> Self:
        """The number of a subject."""
        return _SUBJECTS.get(subject, cls.OTHER)


_SUBJECTS: Final = {one.name.lower(): one for one in PlanSubject}


class Access(IntFlag):
    """Who can allocate from a source."""

    CLIENT = 1
    COMPOSITOR = 2


@dataclass(frozen=True, slots=True)
class BatchParticipant:
    """A device of the compositor's, by the id that events use."""

    id: int
    usage: Usage
    device: DeviceId | None
    name: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan, its index in the batch, and who can allocate each of its objects."""

    index: int
    plan: Plan
    access: tuple[Access, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tranche:
    """The plans for one goal, which come one after the other in a batch."""

    flags: TrancheFlags
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a source is in no plan; participant, type and planes say which requirement, if any."""

    source: SourceId
    cause: RefusalCause
    participant: int
    type: int
    planes: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictEntry:
    """One member of a conflict; type 0: the participant's list of pairs (value is empty).

    This is `ConflictMember` as it travels. It has an id where that has a name, because a
    client calls its own participants as it likes, and a type and a value where that has a
    constraint, because who may ignore it and where its number comes from is not sent.
    Without `proved` it may not be needed for the contradiction.
    """

    goal: TrancheFlags
    participant: int
    type: int
    planes: int
    value: Value
    text: str
    proved: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """An answer. `reason` is None for `done`, and set for `failed`."""

    cookie: int = 0
    serial: int = 0
    participants: tuple[BatchParticipant, ...] = ()
    tranches: tuple[Tranche, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    conflicts: tuple[ConflictEntry, ...] = ()
    reason: FailureReason | None = None
    message: str = ""

    @property
    def offers(self) -> tuple[Offer, ...]:
        """All plans, best first."""
        return tuple(offer for tranche in self.tranches for offer in tranche.offers)

    def as_told(self, explanation: Explanation) -> Batch:
        """What is left of it for a client that wants so much explained."""
        if explanation >= Explanation.ALL:
            return self
        plain = tuple(
            Tranche(
                flags=tranche.flags,
                offers=tuple(
                    replace(offer, plan=replace(offer.plan, reasons=())) for offer in tranche.offers
                ),
            )
            for tranche in self.tranches
        )
        if explanation >= Explanation.REASONS:
            spoken = {entry.participant for entry in self.conflicts}
            heard = tuple(one for one in self.participants if one.id in spoken)
            return replace(self, participants=heard, tranches=plain, refusals=())
        return replace(self, participants=(), tranches=plain, refusals=(), conflicts=())

    def says_the_same_as(self, other: Batch) -> bool:
        """Whether both tell a client the same, whichever commit they answer."""
        return replace(self, cookie=0, serial=0) == replace(other, cookie=0, serial=0)
