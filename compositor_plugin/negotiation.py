"""One negotiation, without the protocol object.

It keeps the pending state, says which commit is to be answered next and with
what, and decides whether an answer that nobody asked for is worth sending. It
solves and sends nothing: `negotiation_object` does.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from heapwire.compositor_plugin.answering import PreparedBatch
from heapwire.compositor_plugin.batch_question import BatchQuestion
from heapwire.compositor_plugin.clients import Allowance
from heapwire.compositor_plugin.host import SurfaceState
from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.values import Content, FailureReason, FormatModifier, Plan, Source
from heapwire.protocol.wire import (
    COMMITS,
    KNOWN_BATCHES,
    MAX_SERIAL,
    Batch,
    Explanation,
    Inquiry,
    MisuseError,
    NegotiationState,
    TrancheFlags,
)
from heapwire.protocol.wire.bindings import NegotiationError

_TOLD_AT_ONCE = 32  # failures: about half a millisecond


class AnswerChange(Enum):
    """How a reconsidered answer compares to the last one."""

    NONE = "nothing to send"
    NOW = "send it"
    UPGRADE = "send it if it lasts"


# Tuples, as `_Told` is: one of each is made for every answer, in half the time of a dataclass.


class HostState(NamedTuple):
    """What the host says at the moment of an answer, and the sources that there are."""

    surface: SurfaceState | None
    importable: frozenset[FormatModifier]
    sources: tuple[Source, ...] = ()
    allowance: Allowance | None = None


class WaitingCommit(NamedTuple):
    """A commit that waits for its answer; cookie 0 is nobody's, but a renewal."""

    cookie: int
    inquiry: Inquiry


class NumberedBatch(NamedTuple):
    """A batch as one client gets it."""

    batch: PreparedBatch
    cookie: int
    serial: int
    explanation: Explanation = Explanation.NONE


class _Told(NamedTuple):
    """Plans that a client was told of, and the sources that they could be made of."""

    plans: tuple[Plan, ...] = ()
    sources: tuple[Source, ...] = ()

    @property
    def memory(self) -> frozenset[Source]:
        """The sources that the plans use. The same numbers are another source's later."""
        used = {entry.source for plan in self.plans for entry in plan.layout.objects}
        return frozenset(source for source in self.sources if source.id in used)


class Negotiation:
    """The state behind one negotiation.

    `host_state` asks the host; it is called once for each answer.
    `has_surface` is set to False when the surface is destroyed.
    """

    def __init__(self, host_state: Callable[[], HostState]) -> None:
        self.state = NegotiationState()
        self.has_surface = True
        self._host_state = host_state
        self._inquiry = Inquiry()
        self._allowance: Allowance | None = None
        self._asked: BatchQuestion | None = None
        self._pending: list[WaitingCommit] = []
        self._last: Batch | None = None
        self._told = _Told()  # with the last batch
        self._sources: tuple[Source, ...] = ()  # that there were, of the last question
        self._serial = 0
        self._known: dict[int, _Told] = {}
        self._used: _Told | None = None

    def end(self) -> None:
        """Nothing is asked any more: let go of whoever would be called."""
        self._host_state = _nobody

    @property
    def newest(self) -> WaitingCommit:
        """The commit that was taken last, while it waits."""
        return self._pending[-1]

    def commit(self, cookie: int) -> None:
        """Take the pending state as the next thing to answer; raises `MisuseError`."""
        waiting = WaitingCommit(cookie, self.state.commit(cookie))
        if len(self._pending) >= COMMITS:
            text = f"{COMMITS} commits wait for their answers"
            raise MisuseError(NegotiationError.TOO_MANY, text)
        self._pending.append(waiting)

    def take(self) -> tuple[list[NumberedBatch], WaitingCommit | None]:
        """The failures that are due at once, and then the commit that is to be solved.

        Of several commits that waited together only the last is solved; without
        a surface none is. Of hundreds that were overtaken so many are told as a slice bears:
        see `waits`.
        """
        pending, self._pending = self._pending, []
        if not self.has_surface:
            return [self.unsurfaced(due) for due in pending], None
        if len(pending) == 1:
            return [], pending[0]
        overtaken = pending[:-1][:_TOLD_AT_ONCE]
        failures = [self.superseded(due) for due in overtaken]
        if len(overtaken) + 1 < len(pending):
            self._pending = pending[len(overtaken) :]
            return failures, None
        return failures, pending[-1] if pending else None

    @property
    def waits(self) -> bool:
        """Whether there is more to `take`."""
        return bool(self._pending)

    def question(self, due: WaitingCommit) -> BatchQuestion:
        """What a commit asks, here and now.

        What may be allocated is that of the commit: a client that has since been given
        all of it would be told otherwise that the plan it has used is none. What was asked
        before is the very same question.
        """
        now, asked = self._host_state(), self._asked
        self._sources = now.sources
        if due.cookie:
            self._allowance = now.allowance
        if (
            asked is None
            or asked.inquiry is not due.inquiry
            or asked.allowance is not self._allowance
            or asked.importable is not now.importable
            or asked.surface != now.surface
        ):
            asked = BatchQuestion(due.inquiry, now.surface, now.importable, self._allowance)
            self._asked = asked
        return asked

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
        failed = PreparedBatch(Batch(reason=reason, message=message))
        return NumberedBatch(failed, due.cookie, self._next_serial())

    @property
    def content(self) -> Content | None:
        """What the client says of its pictures, as of the last answer; None before the first."""
        return None if self._last is None else self._inquiry.content

    @property
    def settled(self) -> bool:
        """Whether an answer was sent and nothing waits for another."""
        return self._last is not None and not self._pending and self.has_surface

    def renewal(self) -> tuple[BatchQuestion, Plan | None]:
        """The last question as of now, and the plan that is best kept."""
        question = self.question(WaitingCommit(0, self._inquiry))
        return question, self._kept_plan()

    def compare(self, batch: PreparedBatch) -> AnswerChange:
        """How the answer to a renewal compares to what the client was told."""
        last, answer = self._last, batch.content
        level = self._inquiry.explanation
        if last is None or answer is last:
            return AnswerChange.NONE
        if answer.as_told(level).says_the_same_as(last.as_told(level)):
            same = _Told(batch.plans, batch.sources).memory == self._told.memory
            return AnswerChange.NONE if same else AnswerChange.NOW
        if last.reason is None and _rank(answer) > _rank(last):
            return AnswerChange.UPGRADE
        return AnswerChange.NOW

    def renewed(self, answer: PreparedBatch) -> NumberedBatch:
        """The answer to a renewal is to be sent: the batch."""
        return self._numbered(answer, 0)

    def plan(self, serial: int, index: int) -> Plan | None:
        """A plan of a batch that is still known."""
        plans = self._known.get(serial, _Told()).plans
        return plans[index] if index < len(plans) else None

    def use_plan(self, serial: int, plan: int) -> None:
        """The client has buffers by a plan; nothing happens if that is not known any more."""
        used = self.plan(serial, plan)
        if used is not None:
            self._used = _Told((used,), self._known[serial].sources)

    def _kept_plan(self) -> Plan | None:
        """The plan that the client has buffers of, else the best, unless its memory is gone."""
        told = self._used or _Told(self._told.plans[:1], self._told.sources)
        return next(iter(told.plans), None) if told.memory.issubset(self._sources) else None

    def _numbered(self, batch: PreparedBatch, cookie: int) -> NumberedBatch:
        serial = self._next_serial()
        self._last = batch.content
        self._told = _Told(batch.plans, batch.sources)
        self._known.pop(serial, None)
        self._known[serial] = self._told
        while len(self._known) > KNOWN_BATCHES:
            del self._known[next(iter(self._known))]
        return NumberedBatch(batch, cookie, serial, self._inquiry.explanation)

    def _next_serial(self) -> int:
        self._serial = self._serial % MAX_SERIAL + 1
        return self._serial


def _nobody() -> HostState:
    return HostState(None, frozenset())


def _rank(batch: Batch) -> int:
    """How well a batch lets a client do: scanned out, sampled, seen at times, not at all."""
    if batch.reason is not None:
        return 0
    ways = {tranche.flags for tranche in batch.tranches}
    if TrancheFlags.SCANOUT in ways:
        return 3
    return 2 if TrancheFlags.SAMPLING in ways else 1
