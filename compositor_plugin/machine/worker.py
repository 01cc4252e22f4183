"""A thread for what the kernel may take long over.

Allocating from a heap may migrate pages for seconds, and looking at the machine opens
devices. What waits for the kernel does not hold the interpreter's lock, so a thread will
do, started when it is first needed; results come back to the loop through an eventfd, so
that callbacks run on the host's thread only. (What computes for long has a process of its
own: `answering/`.)
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Tasks that the thread has at a time. It wants the interpreter's lock between any two calls of the
kernel's, and gets it whenever the loop's thread returns to the host: where hundreds of allocations
waited for it, it took 1 to 2 ms of a read of the loop's that takes 2. So it gets the next one when
a result has been handed on."""


class Task(Generic[Result]):
    """Work under way. `cancel` makes sure that its callback is not called."""

    def __init__(
        self,
        work: Callable[[], Result],
        done: Callable[[Result | Exception], None],
        discard: Callable[[Result], None] | None,
    ) -> None:
        self._work = work
        self._done: Callable[[Result | Exception], None] | None = done
        self._discard = discard
        self._outcome: Result | Exception = RuntimeError("not run")

    def cancel(self) -> None:
        """Forget the callback; a result that comes all the same is discarded."""
        self._done = None

    def run(self) -> None:
        """On the worker's thread."""
        if self._done is None:
            self._outcome = RuntimeError("cancelled")
            return
        try:
            self._outcome = self._work()
        except Exception as error:  # handed to the loop's thread, whatever it is
            self._outcome = error

    def finish(self) -> None:
        """On the loop's thread."""
        done, self._done = self._done, None
        if done is not None:
            done(self._outcome)
        elif self._discard is not None and not isinstance(self._outcome, Exception):
            self._discard(self._outcome)


class Worker:
    """One thread and the eventfd through which its results come back.

    `fd` becomes readable when there are results that nobody has been told of by `acknowledge`;
    `hand_on` calls back. `name` is the thread's.
    `close` cancels what is under way and waits for nothing: a host that is told to end,
    ends. The thread goes when it has finished what it is at, or with the process.
    """

    def __init__(self, name: str) -> None:
        self.fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._name = name
        self._tasks: queue.SimpleQueue[Task[object] | None] = queue.SimpleQueue()
        self._waiting: deque[Task[object]] = deque()  # for the thread to have fewer
        self._begun = 0  # that the thread has had, and whose results nobody has
        self._finished: deque[Task[object]] = deque()
        self._thread: threading.Thread | None = None
        self._closing = threading.Lock()  # the fd that the thread writes to is open, or is not

    def submit(
        self,
        work: Callable[[], Result],
        done: Callable[[Result | Exception], None],
        *,
        discard: Callable[[Result], None] | None = None,
    ) -> Task[Result]:
        """Run `work` on the thread, then `done` from `hand_on`.

        `discard` gets the result of a task that was cancelled in the meantime, to close
        what it holds: on either thread.
        """
        if self._thread is None:
            # A daemon: the interpreter's end does not wait for it either.
            self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
            self._thread.start()
        task = Task(work, done, discard)
        self._waiting.append(task)  # type: ignore[arg-type]  # nobody here looks at results
        self._begin()
        return task

    def acknowledge(self) -> None:
        """Let `fd` be readable again when something else has finished."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.fd)

    def hand_on(self) -> bool:
        """Call back with the result of what finished first; whether there are others.

        Between `acknowledge` and the end of the results: what finishes later wakes the loop.
        """
        if self._finished:
            task = self._finished.popleft()
            self._begun -= 1
            self._begin()
            task.finish()
        return bool(self._finished)

    def close(self) -> None:
        """Stop; safe to call twice."""
        with self._closing:
            if self.fd < 0:
                return
            os.close(self.fd)
            self.fd = -1
        self._waiting.clear()  # not begun, so they hold nothing
        with contextlib.suppress(queue.Empty):
            while True:
                self._tasks.get_nowait()  # nor does this
        self._tasks.put(None)
        while self._finished:
            _give_back(self._finished.popleft())

    def _begin(self) -> None:
        if self._waiting and self._begun < AT_ONCE:
            self._begun += 1
            self._tasks.put(self._waiting.popleft())

    def _loop(self) -> None:
        while self._run_next():
            pass

    def _run_next(self) -> bool:
        """Run a task; in a frame of its own, so that what it held is not held while idle."""
        task = self._tasks.get()
        if task is None:
            return False
        task.run()
        with self._closing:
            if self.fd >= 0:
                self._finished.append(task)  # before the loop is woken, or it would find nothing
                if len(self._finished) == 1:  # else it takes what was there first, and then this
                    os.eventfd_write(self.fd, 1)
                return True
        _give_back(task)
        return False


def _give_back(task: Task[object]) -> None:
    """Nobody waits for a result any more."""
    task.cancel()
    task.finish()
