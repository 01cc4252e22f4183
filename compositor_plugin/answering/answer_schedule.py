"""When clients are told something: in slices, so that the host's loop goes on between them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.answering.turn_queue import Turn, TurnQueue
from heapwire.compositor_plugin.server import Client, EventLoop, EventSource, is_shortage

if TYPE_CHECKING:
    from heapwire.compositor_plugin.answering.batch_solver import BatchSolver
    from heapwire.compositor_plugin.heap_feedback import HeapFeedback
    from heapwire.compositor_plugin.heap_manager import HeapManager

log = logging.getLogger(__name__)

SLICE = 0.001
"""Seconds of processor time after which no more is begun in a slice. What is begun before
costs at most what trial.py permits, so that a slice stays below four milliseconds."""
PAUSE = 1  # milliseconds between slices, in which the loop serves everybody else


class AnswerSchedule:
    """Which objects have something to tell, on the host's loop.

    `debounce` is how many milliseconds a change for the better must last. `clock` is in
    seconds, by default the processor time of the loop's thread.
    """

    def __init__(
        self, loop: EventLoop, debounce: int, clock: Callable[[], float] = time.thread_time
    ) -> None:
        self._loop = loop
        self._debounce = debounce
        self._clock = clock
        self._turns = TurnQueue()
        self._upgrades: dict[HeapFeedback, None] = {}  # in the order in which they came
        self._idle: EventSource | None = None
        # An idle callback that is added by another one runs in the same pass, so the next
        # slice comes with a timer.
        self._next_slice = loop.add_timer(self._slice)
        self._pausing = False
        self._debouncer = loop.add_timer(self._send_upgrades)
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether anybody waits for a slice."""
        return len(self._turns) > 0

    def announce_soon(self, manager: HeapManager) -> None:
        """Let a manager say which sources have come or gone; before its client is answered."""
        self._add(manager.client, Turn.ANNOUNCE, manager, manager.announce)

    def answer_soon(self, feedback: HeapFeedback) -> None:
        """Let a feedback object answer when the requests at hand are handled."""
        self._add(feedback.client, Turn.ANSWER, feedback, feedback.answer)

    def reconsider(self, feedback: HeapFeedback) -> None:
        """What a feedback object said may no longer be so: a loss at once, a gain if it lasts."""
        self._add(feedback.client, Turn.RECONSIDER, feedback, feedback.reconsider)

    def conclude_soon(self, client: Client, who: BatchSolver, work: Callable[[], None]) -> None:
        """Let something that was solved be told, in a turn of its own."""
        self._add(client, Turn.ANSWER, who, work)

    def work_soon(self, key: Hashable, work: Callable[[], None]) -> None:
        """Let the plugin itself do something in a slice."""
        self._turns.add(key, Turn.ANSWER, key, lambda: _guard(work))
        self._begin()

    def upgrade_later(self, feedback: HeapFeedback) -> None:
        """What a feedback object could say is better than what it said: if that lasts."""
        self._upgrades[feedback] = None
        self._debouncer.arm(self._debounce)

    def keep(self, feedback: HeapFeedback) -> None:
        """What a feedback object said is the best that it could say."""
        self._upgrades.pop(feedback, None)

    def forget_conclusion(self, who: BatchSolver) -> None:
        """What was solved is not to be told any more."""
        self._turns.discard(who)

    def forget(self, feedback: HeapFeedback) -> None:
        """A feedback object was destroyed."""
        self._turns.discard(feedback)
        self._upgrades.pop(feedback, None)

    def forget_manager(self, manager: HeapManager) -> None:
        """A manager was destroyed."""
        self._turns.discard(manager)

    def close(self) -> None:
        """Leave nothing on the loop; nobody is told anything any more."""
        self._closed = True
        self._turns = TurnQueue()
        self._upgrades.clear()
        self._debouncer.remove()
        self._next_slice.remove()
        if self._idle is not None:
            self._idle.remove()
            self._idle = None

    def _add(
        self,
        client: Client,
        turn: Turn,
        who: HeapFeedback | HeapManager | BatchSolver,
        work: Callable[[], None],
    ) -> None:
        self._turns.add(client, turn, who, lambda: _serve(client, work))
        self._begin()

    def _begin(self) -> None:
        if self._idle is None and not self._pausing and not self._closed:
            self._idle = self._loop.add_idle(self._slice)

    def _slice(self) -> None:
        self._idle = None
        self._pausing = True  # what is added from here on is part of this slice or the next
        end = self._clock() + SLICE
        while not self._closed:
            taken = self._turns.take()
            if taken is None:
                break
            taken()
            if self._turns and self._clock() >= end:
                self._next_slice.arm(PAUSE)
                return
        self._pausing = False

    def _send_upgrades(self) -> None:
        upgrades, self._upgrades = self._upgrades, {}
        for feedback in upgrades:
            self._add(feedback.client, Turn.RENEW, feedback, feedback.renew)


def _serve(client: Client, work: Callable[[], None]) -> None:
    try:
        work()
    except Exception as error:
        if is_shortage(error):
            log.warning("an answer cannot be sent: %s", error)
            client.post_no_memory()
        else:
            log.exception("an answer cannot be sent")
            client.post_implementation_error("an answer cannot be sent")


def _guard(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:  # a bug, which is not the end of answering others
        log.exception("the schedule failed")
