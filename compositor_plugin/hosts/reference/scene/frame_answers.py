"""What clients are told of a frame that is on the screen: when that was, and that it was."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from heapwire.compositor_plugin.hosts.reference.scene.output import Output
from heapwire.compositor_plugin.hosts.reference.scene.surface_commit import SurfaceCommit
from heapwire.compositor_plugin.server import EventLoop, NextPass
from heapwire.kernel.system import Owner

_MILLISECOND = 1_000_000
_AT_ONCE = 128  # told in one pass of the loop, of 5 to 15 us each


class FrameAnswers(Owner):
    """Frame callbacks and presentation feedback that are due, told some at a time, in order.

    Clients can ask for any number of them with one frame.
    """

    def __init__(self, loop: EventLoop) -> None:
        self._due: deque[Callable[[], None]] = deque()
        self._next = NextPass(loop, self.tell)

    def add(self, state: SurfaceCommit, output: Output, *, zero_copy: bool) -> None:
        """What waits for a state is due: an output shows it."""
        feedbacks, state.feedbacks = state.feedbacks, []
        frames, state.frames = state.frames, []
        time, sequence = output.presented_at, output.sequence
        self._due += (
            partial(one.present, output, time, sequence, zero_copy=zero_copy) for one in feedbacks
        )
        self._due += (partial(one.done, time // _MILLISECOND) for one in frames)

    def tell(self) -> None:
        """Tell the first of them, and the others in the loop's next passes."""
        for _ in range(min(_AT_ONCE, len(self._due))):
            self._due.popleft()()
        if self._due:
            self._next.ask()

    def close(self) -> None:
        """Tell nobody any more; safe to call twice."""
        self._due.clear()
        self._next.close()
