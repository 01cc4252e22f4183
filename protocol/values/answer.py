"""What the solver answers: ranked plans, or the requirements that contradict."""

from __future__ import annotations

from enum import IntEnum

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values.constraint import Constraint
from heapwire.protocol.values.plan import Plan
from heapwire.protocol.values.source import SourceId


class FailureReason(IntEnum):
    """Why there is no plan; the values are those of `failed` on the wire."""

    CONFLICT = 0
    """Requirements contradict each other: see the conflict."""
    NO_FORMAT = 1
    """No (fourcc, modifier) pair that everyone knows."""
    NO_SOURCE = 2
    """There is no source of memory at all."""
    TOO_COMPLEX = 3
    """The steps that an answer may cost ended before there was one."""
    SUPERSEDED = 4
    """A later commit took this one's place before it was answered."""
    NO_SURFACE = 5
    """The surface is gone."""
    INTERNAL = 6
    """The compositor failed; the negotiation may be tried again."""
    BUSY = 7
    """The compositor had no time to find out; the same question may have an answer later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictMember:
    """One requirement of a contradiction.

    `constraint` is None when it is the participant's list of formats that
    stands in the way. `planes` is the mask of the planes it is about, 0 for the
    buffer as a whole. `text` reads as a sentence. On the wire it is a
    `ConflictEntry`.
    """

    participant: str
    constraint: Constraint | None
    planes: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one source: chosen, or the first thing that ruled it out.

    `participant` and `constraint` are those of the first requirement that it
    failed; both None when it could serve and lost by rank.
    """

    source: SourceId
    name: str
    chosen: bool
    text: str
    participant: str | None = None
    constraint: Constraint | None = None
    planes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalFailure:
    """Why no plan meets a goal, though a later goal may be met.

    `conflict` is empty where the steps that an answer may cost ended before it could be
    told. Without `proved_minimal` some of its members may not be needed for it.
    """

    goal: str
    conflict: tuple[ConflictMember, ...]
    proved_minimal: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Plans, best first; or a reason and the smallest conflict.

    `failures` explains the goals that could not be met, in the goals' order;
    `conflict` is the last goal's, the one that asks for least; without
    `proved_minimal` the steps that an answer may cost ended before all its members
    were tried, and some may not be needed for it. `verdicts` has one entry for
    each source, in a fixed order.
    """

    plans: tuple[Plan, ...]
    verdicts: tuple[Verdict, ...]
    failures: tuple[GoalFailure, ...] = ()
    conflict: tuple[ConflictMember, ...] = ()
    proved_minimal: bool = True
    reason: FailureReason | None = None
    message: str = ""
