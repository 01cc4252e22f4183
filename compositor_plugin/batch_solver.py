"""Solving for one feedback object: at once, or on the worker when it may take long.

What a client sends is bounded, but the bounds are wide: sixteen participants
with sixteen sets of four thousand pairs each. Solving that takes seconds, and
the host has a frame to draw. So the weight of a question is counted first; a
heavy one goes to the worker's thread, with a deadline.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.broker import BatchQuestion
from heapwire.compositor_plugin.negotiation import WaitingCommit
from heapwire.compositor_plugin.server import EventSource
from heapwire.compositor_plugin.worker import Task
from heapwire.protocol.values import FailureReason, Plan
from heapwire.protocol.wire import Batch

if TYPE_CHECKING:
    from heapwire.compositor_plugin.plugin_state import PluginState

log = logging.getLogger(__name__)

LONG = 1000  # pairs and constraints of a client's; a few milliseconds, with a conflict explained
DEADLINE = 2000  # milliseconds that a client waits for an answer at the most

Concluded = Callable[[Batch | FailureReason], None]


class BatchSolver:
    """Solves one thing at a time for one feedback object."""

    def __init__(self, plugin: PluginState) -> None:
        self._plugin = plugin
        self._task: Task[Batch] | None = None
        self._due: WaitingCommit | None = None
        self._deadline: EventSource | None = None

    @property
    def busy(self) -> bool:
        """Whether the worker is solving for this object."""
        return self._task is not None

    def is_long(self, question: BatchQuestion) -> bool:
        """Whether a question is too heavy for the host's thread."""
        weight = sum(
            len(constraint_set.formats) + len(constraint_set.constraints)
            for _, participant in question.inquiry.participants
            for constraint_set in participant.sets
        )
        return weight > LONG

    def solve(
        self,
        question: BatchQuestion,
        keep: Plan | None,
        due: WaitingCommit | None,
        concluded: Concluded,
    ) -> None:
        """Solve and call back, at once or from the loop; `due` is what `stop` gives back."""
        if not self.is_long(question):
            answer = self.solve_now(question, keep)
            concluded(FailureReason.INTERNAL if answer is None else answer)
            return
        broker = self._plugin.broker
        broker.prepare(question)
        self._due = due

        def done(outcome: Batch | Exception) -> None:
            self.stop()
            if isinstance(outcome, Exception):
                log.error("a negotiation cannot be answered", exc_info=outcome)
                concluded(FailureReason.INTERNAL)
            else:
                concluded(outcome)

        def expired() -> None:
            self.stop()
            concluded(FailureReason.TOO_COMPLEX)

        self._task = self._plugin.worker.submit(lambda: broker.batch(question, keep=keep), done)
        self._deadline = self._plugin.loop.add_timer(expired)
        self._deadline.arm(DEADLINE)

    def solve_now(self, question: BatchQuestion, keep: Plan | None) -> Batch | None:
        """The answer; None if the solver failed, which is logged."""
        try:
            return self._plugin.broker.batch(question, keep=keep)
        except Exception:
            log.exception("a negotiation cannot be answered")
            return None

    def stop(self) -> WaitingCommit | None:
        """Forget what is being solved; what it was for."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        if self._deadline is not None:
            self._deadline.remove()
            self._deadline = None
        due, self._due = self._due, None
        return due
