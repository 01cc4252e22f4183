"""One feedback object's negotiation, without the object.

It keeps the pending state, answers commits in order, decides when an answer
that nobody asked for is due, and follows what becomes of tagged buffers. It
sends nothing: `heap_feedback` does, and tells it when.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from heapwire.compositor_plugin.broker import Broker, Question
from heapwire.compositor_plugin.host import StatusReason, SurfaceState
from heapwire.protocol.model.answer import FailureReason
from heapwire.protocol.model.constraint_set import FormatModifier
from heapwire.protocol.model.plan import Plan
from heapwire.protocol.wire.batch import Batch, TrancheFlags
from heapwire.protocol.wire.bindings.xx_dmabuf_heaps_v1 import (
    HeapFeedbackStatus,
    HeapFeedbackStatusReason,
)
from heapwire.protocol.wire.limits import KNOWN_BATCHES
from heapwire.protocol.wire.negotiation_state import Inquiry, NegotiationState

log = logging.getLogger(__name__)

MAX_TAGS = 256  # tagged buffers of one feedback object; the oldest is forgotten beyond it


class Change(Enum):
    """How a reconsidered answer compares to the last one."""

    NONE = "nothing to send"
    NOW = "send it"
    UPGRADE = "send it if it lasts"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the compositor knows at the moment of an answer."""

    surface: SurfaceState | None
    importable: frozenset[FormatModifier]


@dataclass(frozen=True, slots=True)
class BufferStatus:
    """The arguments of a `buffer_status` event."""

    tag: int
    serial: int
    plan: int
    status: HeapFeedbackStatus
    reason: int


@dataclass(slots=True)
class _Tag:
    tag: int
    serial: int
    plan: int
    told: BufferStatus | None = None


class Negotiation:
    """The state behind one feedback object.

    `circumstances` asks the host; it is called once for each answer.
    """

    def __init__(self, broker: Broker, circumstances: Callable[[], Circumstances]) -> None:
        self.state = NegotiationState()
        self.has_surface = True
        self._broker = broker
        self._circumstances = circumstances
        self._inquiry = Inquiry()
        self._pending: list[tuple[int, Inquiry]] = [(0, self._inquiry)]
        self._last: Batch | None = None
        self._serial = 0
        self._known: dict[int, tuple[Plan, ...]] = {}
        self._counts: dict[int, int] = {}
        self._tags: dict[int, _Tag] = {}

    def commit(self, cookie: int) -> None:
        """Take the pending state as the next thing to answer; raises `MisuseError`."""
        self._pending.append((cookie, self.state.commit(cookie)))

    def answers(self) -> list[Batch]:
        """A batch for everything that has not been answered, in order.

        Of several commits that waited together only the last is solved.
        """
        pending, self._pending = self._pending, []
        batches: list[Batch] = []
        for position, (cookie, inquiry) in enumerate(pending):
            if not self.has_surface:
                if cookie:
                    batches.append(self._unsurfaced(cookie))
                continue
            if cookie and position < len(pending) - 1:
                batches.append(self._failure(cookie, FailureReason.SUPERSEDED, "a newer commit"))
                continue
            self._inquiry = inquiry
            try:
                batches.append(self._numbered(replace(self._solve(), cookie=cookie)))
            except Exception:
                log.exception("a negotiation cannot be answered")
                text = "the compositor failed to find an answer"
                batches.append(self._failure(cookie, FailureReason.INTERNAL, text))
        return batches

    def surface_gone(self) -> list[Batch]:
        """The surface was destroyed: what is pending fails, and nothing else is sent."""
        self.has_surface = False
        return self.answers()

    def reconsider(self) -> Change:
        """Whether what the compositor would answer now differs from what it said."""
        if self._last is None or self._pending or not self.has_surface:
            return Change.NONE
        try:
            batch = self._solve(keep=self._kept_plan())
        except Exception:
            log.exception("a negotiation cannot be reconsidered")
            return Change.NONE
        if batch.says_the_same_as(self._last):
            return Change.NONE
        if self._last.reason is None and _rank(batch) > _rank(self._last):
            return Change.UPGRADE
        return Change.NOW

    def renewed(self) -> Batch | None:
        """The answer as it is now, to be sent unasked; None if it is the last one."""
        if self.reconsider() is Change.NONE:
            return None
        return self._numbered(self._solve(keep=self._kept_plan()))

    def use(self, broker: Broker) -> None:
        """Answer from another machine's point of view from now on."""
        self._broker = broker

    def plan(self, serial: int, index: int) -> Plan | None:
        """A plan of a batch that is still known."""
        plans = self._known.get(serial, ())
        return plans[index] if index < len(plans) else None

    def take(self, serial: int, index: int) -> bool:
        """Count one more buffer against a batch; False when the plan's count is used up."""
        plan = self.plan(serial, index)
        if plan is None or self._counts.get(serial, 0) >= plan.buffer_count:
            return False
        self._counts[serial] = self._counts.get(serial, 0) + 1
        return True

    def tag(self, buffer: int, tag: int, serial: int, plan: int) -> BufferStatus | None:
        """Tie a buffer to a plan; a status is due at once if the plan is unknown."""
        self._tags.pop(buffer, None)
        if self.plan(serial, plan) is None:
            return BufferStatus(
                *(tag, serial, plan), HeapFeedbackStatus.REJECTED, HeapFeedbackStatusReason.STALE
            )
        while len(self._tags) >= MAX_TAGS:
            del self._tags[next(iter(self._tags))]
        self._tags[buffer] = _Tag(tag, serial, plan)
        return None

    def tagged(self, buffer: int) -> bool:
        """Whether a buffer is tied to a plan."""
        return buffer in self._tags

    def buffer_gone(self, buffer: int) -> None:
        """The buffer was destroyed, and its tag ends."""
        self._tags.pop(buffer, None)

    def shown(self, buffer: int, scanned_out: bool, reason: StatusReason) -> BufferStatus | None:
        """The status that is due for a buffer that was shown; None if it was told before."""
        tag = self._tags.get(buffer)
        if tag is None:
            return None
        status = HeapFeedbackStatus.SCANOUT if scanned_out else HeapFeedbackStatus.COMPOSITED
        told = BufferStatus(tag.tag, tag.serial, tag.plan, status, reason)
        if told == tag.told:
            return None
        tag.told = told
        return told

    def _kept_plan(self) -> Plan | None:
        """The plan that the client has buffers of: the last one tagged, else the best."""
        for tag in reversed(self._tags.values()):
            plan = self.plan(tag.serial, tag.plan)
            if plan is not None:
                return plan
        offers = self._last.offers if self._last else ()
        return offers[0].plan if offers else None

    def _solve(self, *, keep: Plan | None = None) -> Batch:
        now = self._circumstances()
        return self._broker.batch(Question(self._inquiry, now.surface, now.importable), keep=keep)

    def _numbered(self, batch: Batch) -> Batch:
        self._serial += 1
        batch = replace(batch, serial=self._serial)
        self._last = batch
        self._known[batch.serial] = tuple(offer.plan for offer in batch.offers)
        while len(self._known) > KNOWN_BATCHES:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._counts.pop(oldest, None)
        return batch

    def _unsurfaced(self, cookie: int) -> Batch:
        return self._failure(cookie, FailureReason.NO_SURFACE, "the surface has been destroyed")

    def _failure(self, cookie: int, reason: FailureReason, message: str) -> Batch:
        self._serial += 1
        return Batch(cookie=cookie, serial=self._serial, reason=reason, message=message)


def _rank(batch: Batch) -> int:
    """How well a batch lets a client do: scanned out, sampled, not at all."""
    if batch.reason is not None:
        return 0
    tranches = [tranche for tranche in batch.tranches if tranche.offers] or batch.tranches
    return 2 if any(tranche.flags & TrancheFlags.SCANOUT for tranche in tranches) else 1
