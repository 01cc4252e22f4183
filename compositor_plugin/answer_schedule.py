"""When feedback objects answer: soon, or when a change for the better has lasted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.negotiation import AnswerChange
from heapwire.compositor_plugin.server import EventLoop, EventSource, is_shortage

if TYPE_CHECKING:
    from heapwire.compositor_plugin.heap_feedback import HeapFeedback

log = logging.getLogger(__name__)


class AnswerSchedule:
    """Which feedback objects have to answer, on the host's loop.

    `debounce` is how many milliseconds a change for the better must last. Both
    sets are dicts for their order: who asked first is answered first.
    """

    def __init__(self, loop: EventLoop, debounce: int) -> None:
        self._loop = loop
        self._debounce = debounce
        self._waiting: dict[HeapFeedback, None] = {}
        self._upgrades: dict[HeapFeedback, None] = {}
        self._idle: EventSource | None = None
        self._debouncer = loop.add_timer(self._send_upgrades)
        self._closed = False

    def answer_soon(self, feedback: HeapFeedback) -> None:
        """Let a feedback object answer when the requests at hand are handled."""
        self._waiting[feedback] = None
        if self._idle is None and not self._closed:
            self._idle = self._loop.add_idle(self._answer)

    def reconsider(self, feedback: HeapFeedback) -> None:
        """What a feedback object said may no longer be so: a loss at once, a gain if it lasts."""
        if feedback.reconsider() is AnswerChange.UPGRADE:
            self._upgrades[feedback] = None
            self._debouncer.arm(self._debounce)
        else:
            self._upgrades.pop(feedback, None)

    def forget(self, feedback: HeapFeedback) -> None:
        """A feedback object was destroyed."""
        self._waiting.pop(feedback, None)
        self._upgrades.pop(feedback, None)

    def close(self) -> None:
        """Leave nothing on the loop; nobody is answered any more."""
        self._closed = True
        self._debouncer.remove()
        if self._idle is not None:
            self._idle.remove()
            self._idle = None

    def _answer(self) -> None:
        self._idle = None
        # An answer may end its client and so others that wait; those that come to wait
        # meanwhile have an idle callback of their own.
        waiting, self._waiting = self._waiting, {}
        for feedback in waiting:
            try:
                feedback.answer()
            except Exception as error:
                if is_shortage(error):
                    log.warning("an answer cannot be sent: %s", error)
                    feedback.client.post_no_memory()
                else:
                    log.exception("an answer cannot be sent")
                    feedback.client.post_implementation_error("an answer cannot be sent")

    def _send_upgrades(self) -> None:
        upgrades, self._upgrades = self._upgrades, {}
        for feedback in upgrades:
            feedback.renew()
