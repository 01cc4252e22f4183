"""`heapwire compositor`, told to end in the middle of something: what it does from there on.

    ending_host.py STATE SOCKET GATE

It sends itself SIGTERM when it has come to the state, of which nothing ever comes to its end: who
waits for that, hangs. `GATE` is a pipe that nobody writes to; at SIGUSR1 the first heap is gone.
What is printed at the end is JSON, of what has been done since the signal: `slices` that began,
`passes` of the loop, `requests` that were handled, `calls` of functions, `waits` by functions that
may wait; and the `children` that there were.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from types import FrameType
from typing import Any

from heapwire.cli.main import main
from heapwire.compositor_plugin import allocation
from heapwire.compositor_plugin.answering import batch_solver, solver_process, solver_queue
from heapwire.compositor_plugin.answering.answer_schedule import AnswerSchedule
from heapwire.compositor_plugin.constraint_set import ConstraintSetCreator
from heapwire.compositor_plugin.hosts.embed import machine_look
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.dmabuf.frame_trials import FrameTrials
from heapwire.compositor_plugin.machine import Worker
from heapwire.compositor_plugin.negotiation_object import NegotiationObject
from heapwire.compositor_plugin.server import requests_handled
from heapwire.compositor_plugin.server.display import OwnDisplay

MAY_WAIT = {
    *("lock.acquire", "RLock.acquire", "SimpleQueue.get", "sleep", "read", "poll.poll", "select"),
    "_ThreadHandle.join",
    *("socket.recv", "socket.send", "socket.sendall", "socket.connect", "epoll.poll"),
    *("wait", "wait3", "wait4", "waitid", "waitpid"),
}
"""What Python calls them, of functions in C that return when something has happened."""


@dataclass
class Count:
    """What has been done since the signal."""

    begun: bool = False
    slices: int = 0
    passes: int = 0
    requests: int = 0
    calls: int = 0
    waits: Counter[str] = field(default_factory=Counter)
    children: list[int] = field(default_factory=list)


count = Count()


def end() -> None:
    """Tell this process to end, as a session does; on any thread."""
    os.kill(os.getpid(), signal.SIGTERM)


def wrap(owner: Any, name: str, *, before: Any = None, after: Any = None) -> None:
    """Have something done before each call of a function, or after it."""
    function = getattr(owner, name)

    def call(*arguments: Any, **named: Any) -> Any:
        if before is not None:
            before(*arguments)
        result = function(*arguments, **named)
        if after is not None:
            after(*arguments)
        return result

    setattr(owner, name, call)


def at_the(times: int) -> Callable[..., None]:
    """What ends this process when it has been called so many times."""
    left = iter(range(times - 1))

    def called(*_: object) -> None:
        if next(left, None) is None:
            end()

    return called


def count_from_the_signal_on() -> None:
    def called(frame: FrameType, event: str, what: Any) -> None:
        if event in ("call", "c_call"):
            count.calls += 1
        if event == "c_call" and what.__qualname__ in MAY_WAIT:
            count.waits[f"{what.__qualname__} in {frame.f_code.co_qualname}"] += 1

    def stopped(_: object) -> None:
        if not count.begun:
            count.begun = True
            count.requests = -requests_handled()
            sys.setprofile(called)

    def slice_begins(_: object) -> None:
        count.slices += count.begun

    def pass_begins(*_: object) -> None:
        count.passes += count.begun

    def report() -> None:
        sys.setprofile(None)
        count.requests += requests_handled()
        print(json.dumps(vars(count)), flush=True)

    wrap(Compositor, "stop", before=stopped)
    wrap(AnswerSchedule, "_slice", before=slice_begins)
    wrap(OwnDisplay, "dispatch", before=pass_begins)
    atexit.register(report)


def wait_for_ever(*_: object) -> Any:
    with open(sys.argv[3], "rb") as gate:  # noqa: PTH123
        gate.read(1)


HANG = f"open({sys.argv[3]!r}, 'rb').read(1)"  # as a program


def in_a_slice() -> None:
    wrap(batch_solver, "tried", before=at_the(2))


def with_the_helper() -> None:
    def asked(_: object, process: Any, __: object) -> None:
        os.kill(process.pid, signal.SIGSTOP)
        count.children.append(process.pid)

    wrap(solver_queue.SolverQueue, "_run", before=asked, after=at_the(1))


def helper_starting() -> None:
    solver_process._BOOT = HANG

    def started(queue: Any) -> None:
        count.children.append(queue._process.pid)
        end()

    wrap(solver_queue.SolverQueue, "_start", after=started)


def sets_arriving() -> None:
    wrap(ConstraintSetCreator, "create", after=at_the(10))


def plugged() -> None:
    wrap(NegotiationObject, "reconsider", before=at_the(100))


def allocating() -> None:
    allocation._allocate = wait_for_ever
    wrap(allocation.Allocation, "_begin", after=at_the(500))


def unread() -> None:
    wrap(AnswerSchedule, "_hold", after=at_the(1))


def when_there(worker: Worker, begin: Callable[[], object]) -> None:
    """Do something from the loop when the thread has been started, which its starter waits for."""
    worker.submit(lambda: None, lambda _: begin())


class Bell:
    """Stands for the kernel's word that something happened to the machine."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0)

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        os.close(self._fd)


def looking() -> None:
    machine_look._BOOT = HANG
    wrap(subprocess.Popen, "communicate", before=at_the(1))

    def look(compositor: Any) -> None:
        plugin = compositor.plugin
        when_there(
            plugin._state.kernel_worker,
            lambda: plugin.follow(Bell(), machine_look.look_beside, at_once=True),
        )

    wrap(Compositor, "run", before=look)


def trying_a_display() -> None:
    def ask(compositor: Any) -> None:
        trials = FrameTrials(compositor._display.loop, "/dev/null", lambda: None)
        compositor._desktop.dmabuf._trials = trials
        never = partial(trials._worker.submit, lambda: (end(), wait_for_ever()), print)
        when_there(trials._worker, never)

    wrap(Compositor, "run", before=ask)


STATES = (
    *(in_a_slice, with_the_helper, helper_starting, sets_arriving, plugged),
    *(allocating, unread, looking, trying_a_display),
)


def follow_hot_plugs() -> None:
    def plug(compositor: Any) -> None:
        platform = compositor.plugin.platform
        less = replace(platform, sources=platform.sources[1:])
        signal.signal(signal.SIGUSR1, lambda *_: compositor.plugin.platform_changed(less))

    wrap(Compositor, "run", before=plug)


if __name__ == "__main__":
    for state in STATES:
        if state.__name__ == sys.argv[1]:
            state()
    follow_hot_plugs()
    count_from_the_signal_on()
    sys.exit(main(["compositor", "--platform", "raspberry-pi-4", "--socket", sys.argv[2]]))
