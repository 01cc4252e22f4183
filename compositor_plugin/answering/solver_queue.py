"""Questions that take longer than a slice: solved one after the other, in another process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import Enum
from itertools import count
from typing import Final

from heapwire.compositor_plugin.answering.answer_schedule import AnswerSchedule
from heapwire.compositor_plugin.answering.frames import Frame, FrameKind
from heapwire.compositor_plugin.answering.question_message import decode_answer, encode_question
from heapwire.compositor_plugin.answering.set_records import SetRecords
from heapwire.compositor_plugin.answering.solver_process import SolverProcess
from heapwire.compositor_plugin.answering.trial import SolverCall
from heapwire.compositor_plugin.server import Client, EventLoop, EventSource
from heapwire.protocol import MachineError
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import Answer

log = logging.getLogger(__name__)

PATIENCE: Final = 10_000
"""Milliseconds that a question waits for those of others before it is refused."""
STARTING: Final = 120_000
"""Milliseconds after which a process that is not ready is taken to hang. It imports the solver
first, which takes a second, on an emulated machine with neighbours half a minute."""
DEADLINE: Final = 5_000
"""Milliseconds that may pass while a question is solved. All steps of a question take some
hundred on a machine of today; on a slow or a busy one this is the end."""
GRACE: Final = 500
"""Milliseconds after which a process that still solves what nobody waits for is ended."""
IDLE: Final = 60_000
"""Milliseconds without a question after which the process is ended."""


class Unsolved(Enum):
    """Why a question has no answer."""

    BUSY = "others' questions came first, and there was no time for it"
    LATE = "it was not solved in time"
    FAILED = "the solver failed"


@dataclass(slots=True, eq=False)
class Job:
    """A question on its way; `solved` is called once, from the loop."""

    client: Client
    call: SolverCall
    solved: Callable[[Answer | Unsolved], None]
    timer: EventSource
    number: int = 0


class SolverQueue:
    """Clients' questions in turn, for one process that is started when it is needed.

    `failed` is told whose question the solver failed at, and what it says of that.
    """

    def __init__(
        self,
        loop: EventLoop,
        schedule: AnswerSchedule,
        records: SetRecords,
        failed: Callable[[Client, str], None],
    ) -> None:
        self._loop = loop
        self._schedule = schedule
        self._records = records
        self._failed = failed
        self._waiting: dict[Client, dict[Job, None]] = {}  # who is next first
        self._running: Job | None = None
        self._abandoned = False  # whether nobody waits for what is being solved
        self._process: SolverProcess | None = None
        self._ready = False
        self._numbers = count(1)
        self._timer = loop.add_timer(self._end_process)  # for an idle process, or a stubborn one

    @property
    def idle(self) -> bool:
        """Whether nothing is being solved, nor waits for that."""
        return self._running is None and not self._abandoned and not self._waiting

    def submit(
        self, client: Client, call: SolverCall, solved: Callable[[Answer | Unsolved], None]
    ) -> Job:
        """Have a question solved; `solved` is called later."""
        job = Job(client, call, solved, self._loop.add_timer(lambda: self._expired(job)))
        if self._ready:
            job.timer.arm(PATIENCE)  # else from then on: a start is no question of others'
        self._waiting.setdefault(client, {})[job] = None
        self._soon()
        return job

    def cancel(self, job: Job) -> None:
        """Nobody waits for a question any more; nothing is called back."""
        job.timer.remove()
        waiting = self._waiting.get(job.client, {})
        if job in waiting:
            del waiting[job]
            if not waiting:
                del self._waiting[job.client]
        elif job is self._running:
            self._running = None
            self._abandoned = True
            if self._process is not None:
                self._process.send(Frame(FrameKind.CANCEL, job.number))
                self._timer.arm(GRACE)

    def close(self) -> None:
        """End the process and wait for nothing; nobody is called back."""
        jobs = [job for waiting in self._waiting.values() for job in waiting]
        for job in (*jobs, *([self._running] if self._running else [])):
            job.timer.remove()
        self._waiting.clear()
        self._running = None
        self._timer.remove()
        if self._process is not None:
            self._process.close()
            self._process = None

    def _soon(self) -> None:
        # What starts a process or takes a question apart is part of a slice.
        self._schedule.work_soon(self, self._next)

    def _next(self) -> None:
        if self._running is not None or self._abandoned or not self._waiting:
            return
        if self._process is None:
            self._start()
        elif self._ready:
            self._run(self._process, self._take())

    def _take(self) -> Job:
        client, jobs = next(iter(self._waiting.items()))
        del self._waiting[client]
        job = next(iter(jobs))
        del jobs[job]
        if jobs:
            self._waiting[client] = jobs  # at the end: the others come first
        return job

    def _run(self, process: SolverProcess, job: Job) -> None:
        job.number = next(self._numbers)
        try:
            message = encode_question(job.call, self._records)
        except Exception as error:  # a vendor's row, for example, that cannot be sent
            self._soon()
            self._fail(job, f"a question cannot be sent: {error}")
            return
        self._running = job
        self._timer.arm(0)
        job.timer.arm(DEADLINE)
        process.send(Frame(FrameKind.QUESTION, job.number, message))

    def _start(self) -> None:
        self._ready = False
        self._wait_each(0)
        self._timer.arm(STARTING)
        try:
            self._process = SolverProcess(self._loop, self._heard, self._lost)
        except MachineError as error:
            self._timer.arm(0)
            self._fail_all(str(error))

    def _heard(self, frame: Frame) -> None:
        if frame.kind is FrameKind.READY:
            self._ready = True
            self._wait_each(PATIENCE)
            self._timer.arm(IDLE)  # whoever it was started for may have gone in the meantime
        elif frame.kind is FrameKind.ANSWER:
            job, self._running, self._abandoned = self._running, None, False
            self._timer.arm(IDLE)
            if job is not None:
                answer = decode_answer(frame.body)
                if isinstance(answer, str):
                    self._fail(job, answer)
                else:
                    self._conclude(job, answer)
        self._soon()

    def _expired(self, job: Job) -> None:
        running = job is self._running
        self.cancel(job)
        self._conclude(job, Unsolved.LATE if running else Unsolved.BUSY)

    def _wait_each(self, milliseconds: int) -> None:
        """Let each question that waits do so for so long from now on, 0: for any time."""
        for jobs in self._waiting.values():
            for job in jobs:
                job.timer.arm(milliseconds)

    def _end_process(self) -> None:
        started = self._ready
        if self._process is not None:
            self._process.close()
        self._gone()
        if not started:
            self._fail_all("the process that solves does not get ready")

    def _lost(self) -> None:
        job = self._running
        started = self._ready
        self._gone()
        if job is not None:
            self._fail(job, "the process that solves has ended")
        elif not started:
            # Not again for each question that waits: it would end the same way.
            self._fail_all("the process that solves cannot start")

    def _gone(self) -> None:
        self._process = None
        self._ready = False
        self._running = None
        self._abandoned = False
        self._timer.arm(0)
        self._soon()

    def _fail_all(self, what: str) -> None:
        for jobs in tuple(self._waiting.values()):
            for job in tuple(jobs):
                self.cancel(job)
                self._fail(job, what)

    def _fail(self, job: Job, what: str) -> None:
        self._failed(job.client, what)
        self._conclude(job, Unsolved.FAILED)

    def _conclude(self, job: Job, outcome: Answer | Unsolved) -> None:
        job.timer.remove()
        job.solved(outcome)
