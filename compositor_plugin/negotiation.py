"""One feedback object's negotiation, without the object.

It keeps the pending state, says which commit is to be answered next and with
what, decides whether an answer that nobody asked for is worth sending, and
follows what becomes of tagged buffers. It solves and sends nothing:
`heap_feedback` does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from heapwire.compositor_plugin.answering import PreparedBatch
from heapwire.compositor_plugin.batch_question import BatchQuestion
from heapwire.compositor_plugin.clients import Allowance
from heapwire.compositor_plugin.host import StatusReason, SurfaceState
from heapwire.protocol.values import FailureReason, FormatModifier, Plan
from heapwire.protocol.wire import (
    COMMITS,
    KNOWN_BATCHES,
    TAGS,
    Batch,
    Inquiry,
    MisuseError,
    NegotiationState,
    TrancheFlags,
)
from heapwire.protocol.wire.bindings import (
    HeapFeedbackError,
    HeapFeedbackStatus,
    HeapFeedbackStatusReason,
)


class AnswerChange(Enum):
    """How a reconsidered answer compares to the last one."""

    NONE = "nothing to send"
    NOW = "send it"
    UPGRADE = "send it if it lasts"


@dataclass(frozen=True, slots=True)
class HostState:
    """What the host says at the moment of an answer."""

    surface: SurfaceState | None
    importable: frozenset[FormatModifier]
    allowance: Allowance | None = None


@dataclass(frozen=True, slots=True)
class WaitingCommit:
    """A commit that waits for its answer; cookie 0 is the object's creation."""

    cookie: int
    inquiry: Inquiry


@dataclass(frozen=True, slots=True)
class NumberedBatch:
    """A batch as one client gets it."""

    batch: PreparedBatch
    cookie: int
    serial: int


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

    `host_state` asks the host; it is called once for each answer.
    `forgotten` is told the buffer whose tag has made room for another's.
    `has_surface` is set to False when the surface is destroyed.
    """

    def __init__(
        self, host_state: Callable[[], HostState], forgotten: Callable[[int], None]
    ) -> None:
        self.state = NegotiationState()
        self.has_surface = True
        self._host_state = host_state
        self._forgotten = forgotten
        self._inquiry = Inquiry()
        self._allowance: Allowance | None = None
        self._pending = [WaitingCommit(0, self._inquiry)]
        self._last: Batch | None = None
        self._serial = 0
        self._known: dict[int, tuple[Plan, ...]] = {}
        self._counts: dict[int, int] = {}
        self._tags: dict[int, _Tag] = {}

    def end(self) -> None:
        """Nothing is asked any more: let go of whoever would be called."""
        self._host_state = _nobody
        self._forgotten = lambda _: None

    def commit(self, cookie: int) -> None:
        """Take the pending state as the next thing to answer; raises `MisuseError`."""
        waiting = WaitingCommit(cookie, self.state.commit(cookie))
        if len(self._pending) >= COMMITS:
            text = f"{COMMITS} commits wait for their answers"
            raise MisuseError(HeapFeedbackError.TOO_MANY, text)
        self._pending.append(waiting)

    def take(self) -> tuple[list[NumberedBatch], WaitingCommit | None]:
        """The failures that are due at once, and then the commit that is to be solved.

        Of several commits that waited together only the last is solved; without
        a surface none is. What the object says of itself when it is created was
        promised whatever comes after it, so it is taken alone: see `waits`.
        """
        pending, self._pending = self._pending, []
        if not self.has_surface:
            return [self.unsurfaced(due) for due in pending if due.cookie], None
        if pending and not pending[0].cookie:
            self._pending = pending[1:]
            return [], pending[0]
        overtaken = [self.superseded(due) for due in pending[:-1]]
        return overtaken, pending[-1] if pending else None

    @property
    def waits(self) -> bool:
        """Whether there is more to `take`."""
        return bool(self._pending)

    def question(self, due: WaitingCommit) -> BatchQuestion:
        """What a commit asks, here and now.

        What may be allocated is that of the commit: a client that has since been given
        all of it would be told otherwise that the plan it has used is none.
        """
        now = self._host_state()
        if due.cookie:
            self._allowance = now.allowance
        return BatchQuestion(due.inquiry, now.surface, now.importable, self._allowance)

    def conclude(self, due: WaitingCommit, answer: PreparedBatch) -> NumberedBatch:
        """A commit has an answer: the batch to send."""
        self._inquiry = due.inquiry
        return self._numbered(answer, due.cookie)

    def superseded(self, due: WaitingCommit) -> NumberedBatch:
        """A later commit came before the answer."""
        return self.failure(due, FailureReason.SUPERSEDED, "a newer commit came before the answer")

    def unsurfaced(self, due: WaitingCommit) -> NumberedBatch:
        """The surface was destroyed before the answer."""
        return self.failure(due, FailureReason.NO_SURFACE, "the surface has been destroyed")

    def failure(self, due: WaitingCommit, reason: FailureReason, message: str) -> NumberedBatch:
        """A commit has no answer."""
        self._serial += 1
        failed = PreparedBatch(Batch(reason=reason, message=message))
        return NumberedBatch(failed, due.cookie, self._serial)

    @property
    def settled(self) -> bool:
        """Whether an answer was sent and nothing waits for another."""
        return self._last is not None and not self._pending and self.has_surface

    def renewal(self) -> tuple[BatchQuestion, Plan | None]:
        """The last question as of now, and the plan that is best kept."""
        return self.question(WaitingCommit(0, self._inquiry)), self._kept_plan()

    def compare(self, batch: PreparedBatch) -> AnswerChange:
        """How the answer to a renewal compares to what the client was told."""
        last, answer = self._last, batch.content
        if last is None or answer is last or answer.says_the_same_as(last):
            return AnswerChange.NONE
        if last.reason is None and _rank(answer) > _rank(last):
            return AnswerChange.UPGRADE
        return AnswerChange.NOW

    def renewed(self, answer: PreparedBatch) -> NumberedBatch:
        """The answer to a renewal is to be sent: the batch."""
        return self._numbered(answer, 0)

    def plan(self, serial: int, index: int) -> Plan | None:
        """A plan of a batch that is still known."""
        plans = self._known.get(serial, ())
        return plans[index] if index < len(plans) else None

    def take_buffer(self, serial: int, index: int) -> bool:
        """Count one more buffer against a batch; False when the plan's count is used up."""
        plan = self.plan(serial, index)
        if plan is None or self._counts.get(serial, 0) >= plan.buffer_count:
            return False
        self._counts[serial] = self._counts.get(serial, 0) + 1
        return True

    def tag(self, buffer: int, tag: int, serial: int, plan: int) -> BufferStatus | None:
        """Tie a buffer to a plan; the status that is due at once, if one is.

        That is REJECTED if the plan is not known, and for a buffer that has been
        shown under another tag what the client was told of it then.
        """
        before = self._tags.pop(buffer, None)
        if self.plan(serial, plan) is None:
            return BufferStatus(
                *(tag, serial, plan), HeapFeedbackStatus.REJECTED, HeapFeedbackStatusReason.STALE
            )
        while len(self._tags) >= TAGS:
            oldest = next(iter(self._tags))
            del self._tags[oldest]
            self._forgotten(oldest)
        self._tags[buffer] = new = _Tag(tag, serial, plan)
        if before is not None and before.told is not None:
            new.told = replace(before.told, tag=tag, serial=serial, plan=plan)
        return new.told

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

    def _numbered(self, batch: PreparedBatch, cookie: int) -> NumberedBatch:
        self._serial += 1
        self._last = batch.content
        self._known[self._serial] = tuple(offer.plan for offer in batch.content.offers)
        while len(self._known) > KNOWN_BATCHES:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._counts.pop(oldest, None)
        return NumberedBatch(batch, cookie, self._serial)


def _nobody() -> HostState:
    return HostState(None, frozenset())


def _rank(batch: Batch) -> int:
    """How well a batch lets a client do: scanned out, sampled, seen at times, not at all."""
    if batch.reason is not None:
        return 0
    tranches = [tranche for tranche in batch.tranches if tranche.offers] or batch.tranches
    ways = {tranche.flags for tranche in tranches}
    if TrancheFlags.SCANOUT in ways:
        return 3
    return 2 if TrancheFlags.SAMPLING in ways else 1
