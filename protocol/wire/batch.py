"""One batch of feedback: what the compositor answers, as values.

The compositor encodes a `Batch` into events (batch_encoder.py), the client
collects events into an equal `Batch` (batch_decoder.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntFlag

from heapwire.protocol.values import (
    ConstraintSet,
    DeviceId,
    FailureReason,
    FormatModifier,
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
class TrancheDevice:
    """A device that a tranche is for."""

    usage: Usage
    device: DeviceId | None


@dataclass(frozen=True, slots=True)
class TrancheSource:
    """A source that the tranche's devices can use, and who can allocate from it."""

    source: SourceId
    access: Access


@dataclass(frozen=True, slots=True)
class TrancheSet:
    """A constraint set of a participant of the compositor's."""

    participant: int
    set: ConstraintSet


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan, its index in the batch, and who can allocate each of its objects."""

    index: int
    plan: Plan
    access: tuple[Access, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tranche:
    """One tranche, best first within a batch."""

    flags: TrancheFlags
    devices: tuple[TrancheDevice, ...] = ()
    formats: tuple[FormatModifier, ...] = ()
    sources: tuple[TrancheSource, ...] = ()
    sets: tuple[TrancheSet, ...] = ()
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a source is in no plan; participant and type 0: it lost by rank."""

    source: SourceId
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
    """

    goal: TrancheFlags
    participant: int
    type: int
    planes: int
    value: Value
    text: str


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

    def says_the_same_as(self, other: Batch) -> bool:
        """Whether both tell a client the same, whichever commit they answer."""
        return replace(self, cookie=0, serial=0) == replace(other, cookie=0, serial=0)
