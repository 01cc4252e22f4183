"""Solving for one negotiation: at once if it costs no more than a slice, else elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING
from weakref import ref

from heapwire.compositor_plugin.answering.answer_store import KeyHashedOnce
from heapwire.compositor_plugin.answering.prepared_batch import PreparedBatch
from heapwire.compositor_plugin.answering.solver_queue import Job, Unsolved
from heapwire.compositor_plugin.answering.trial import SolverCall, tried
from heapwire.compositor_plugin.server import Client
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import Answer, FailureReason, Plan

if TYPE_CHECKING:
    from heapwire.compositor_plugin.batch_question import BatchQuestion
    from heapwire.compositor_plugin.broker import Broker
    from heapwire.compositor_plugin.negotiation import WaitingCommit
    from heapwire.compositor_plugin.plugin_state import PluginState

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Why there is no batch."""

    reason: FailureReason
    text: str


Concluded = Callable[[PreparedBatch | Unanswered], None]
Work = Generator[SolverCall, Answer, PreparedBatch]
"""The way to a batch: asks the solver, is sent the answers, and returns it."""
Longer = Callable[[Work, SolverCall], None]

_FAILED = Unanswered(FailureReason.INTERNAL, "the compositor failed to find an answer")
_UNSOLVED = {
    Unsolved.FAILED: _FAILED,
    Unsolved.BUSY: Unanswered(
        FailureReason.BUSY,
        "the compositor is busy with other questions, and had no time for this one; ask again",
    ),
    Unsolved.LATE: Unanswered(
        FailureReason.BUSY,
        "the machine is too busy to find an answer in time; ask again, or give fewer formats "
        "or alternatives",
    ),
}


class BatchSolver:
    """Solves one thing at a time for one negotiation."""

    def __init__(self, plugin: PluginState, client: Client) -> None:
        self._plugin = plugin
        self._client = client
        self._job: Job | None = None
        self._due: WaitingCommit | None = None
        self._concluding = False  # whether there is more to do in a turn that comes
        # The broker of a machine that is no more goes with its answers.
        self._asked: tuple[BatchQuestion, ref[Broker], KeyHashedOnce] | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being solved for this object, or was and is not told yet."""
        return self._concluding or self._job is not None

    def solve(
        self,
        question: BatchQuestion,
        keep: Plan | None,
        due: WaitingCommit | None,
        concluded: Concluded,
    ) -> None:
        """Solve and call back, at once or from the loop; `due` is what `stop` gives back."""
        if keep is None:
            known = self._known(question)
            if known is not None:
                concluded(known)
                return
        self._due = due
        self._go_on(self._work(question, keep), None, concluded, partial(self._submit, concluded))

    def solve_now(
        self,
        question: BatchQuestion,
        keep: Plan | None,
        concluded: Callable[[PreparedBatch | Unanswered | None], None],
    ) -> None:
        """Solve what costs no more than slices, and call back; with None if it costs more."""

        def longer(work: Work, _call: SolverCall) -> None:
            work.close()
            concluded(None)

        self._go_on(self._work(question, keep), None, concluded, longer)

    def stop(self) -> WaitingCommit | None:
        """Forget what is being solved; what it was for."""
        if self._due is None and not self.busy:
            return None  # as a rule
        job, self._job = self._job, None
        if job is not None:
            self._plugin.solving.cancel(job)
        self._plugin.answers.forget_turn(self)
        self._concluding = False
        due, self._due = self._due, None
        return due

    def _known(self, question: BatchQuestion) -> PreparedBatch | Unanswered | None:
        """The answer where it was worked out before; who asks the same again has its key."""
        broker = self._plugin.broker
        try:
            key = self._key_of(question)
            if key is None:
                key = broker.key(question)
                self._asked = (question, ref(broker), key)
            return broker.known(question, key)
        except Exception:
            return self._failed()

    def _key_of(self, question: BatchQuestion) -> KeyHashedOnce | None:
        """The key of the question that was asked last, if it is this one."""
        if self._asked is None or self._asked[0] is not question:
            return None
        return self._asked[2] if self._asked[1]() is self._plugin.broker else None

    def _work(self, question: BatchQuestion, keep: Plan | None) -> Work:
        key = self._key_of(question) if keep is None else None
        return self._plugin.broker.answering(question, keep=keep, key=key)

    def _go_on(
        self, work: Work, answer: Answer | None, concluded: Concluded, longer: Longer
    ) -> None:
        """Go on by one trial at most; what comes after it is another turn's.

        That is the next one, in this slice if it has time. `longer` is called with what takes
        longer than a slice.
        """
        self._concluding = False
        try:
            call = next(work) if answer is None else work.send(answer)
            answer = tried(call, self._plugin.broker.memory)
        except StopIteration as end:
            batch: PreparedBatch = end.value
            self._conclude(batch, concluded)
        except Exception:
            self._conclude(self._failed(), concluded)
        else:
            if answer is None:
                longer(work, call)
            else:
                self._go_on_soon(work, answer, concluded, longer)

    def _go_on_soon(self, work: Work, answer: Answer, concluded: Concluded, longer: Longer) -> None:
        self._concluding = True
        go_on = partial(self._go_on, work, answer, concluded, longer)
        self._plugin.answers.conclude_soon(self._client, self, go_on)

    def _submit(self, concluded: Concluded, work: Work, call: SolverCall) -> None:
        solved = partial(self._job_done, work, concluded)
        self._job = self._plugin.solving.submit(self._client, call, solved)

    def _job_done(self, work: Work, concluded: Concluded, answer: Answer | Unsolved) -> None:
        self._job = None
        if isinstance(answer, Answer):
            self._go_on_soon(work, answer, concluded, partial(self._submit, concluded))
        else:
            work.close()
            self._conclude(_UNSOLVED[answer], concluded)

    def _conclude(self, outcome: PreparedBatch | Unanswered, concluded: Concluded) -> None:
        self._due = None
        concluded(outcome)

    def _failed(self) -> Unanswered:
        if self._plugin.uses.of(self._client).first("answer"):
            log.exception("a negotiation cannot be answered")
        return _FAILED
