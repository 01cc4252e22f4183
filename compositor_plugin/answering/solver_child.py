"""The process that solves what takes long: beside the host, and for it alone.

It lives as long as the other end of its socket, and ends at once when that is closed,
whatever it is doing.
"""

from __future__ import annotations

import os
import queue
import socket
import threading

from heapwire.compositor_plugin.answering.frames import Frame, FrameKind, FrameReader
from heapwire.compositor_plugin.answering.question_message import decode_question, encode_answer
from heapwire.protocol.solver import StepBudget

_NICER = 5  # the host draws frames; this can wait
_READ = 1 << 18  # bytes


class CancelledError(Exception):
    """Nobody waits for the answer."""


class _Wanted:
    """The questions that somebody waits for; both threads look at it."""

    def __init__(self) -> None:
        self.cancelled: set[int] = set()


class _EndableBudget(StepBudget):
    """Ends with `CancelledError` when nobody waits any more."""

    __slots__ = ("_number", "_wanted")

    def __init__(self, number: int, wanted: _Wanted) -> None:
        super().__init__()
        self._number = number
        self._wanted = wanted

    def spend(self, steps: int = 1) -> None:
        """As `StepBudget.spend`."""
        if self._number in self._wanted.cancelled:
            raise CancelledError
        super().spend(steps)


def main(fd: int) -> None:
    """Serve the host at the other end of a socket until it is closed."""
    give_way()
    wanted = _Wanted()
    questions: queue.SimpleQueue[Frame] = queue.SimpleQueue()
    with socket.socket(fileno=fd) as connection:
        connection.sendall(Frame(FrameKind.READY, 0).encode())
        threading.Thread(target=_listen, args=(connection, questions, wanted), daemon=True).start()
        while True:
            number, body = questions.get()[1:]
            answer = _answer(number, body, wanted)
            wanted.cancelled.discard(number)
            connection.sendall(Frame(FrameKind.ANSWER, number, answer).encode())


def _answer(number: int, body: bytes, wanted: _Wanted) -> bytes:
    try:
        budget = _EndableBudget(number, wanted)
        return encode_answer(decode_question(body).solve(budget))
    except CancelledError:
        return encode_answer("cancelled")
    except Exception as error:  # a bug: the host logs it, and answers others
        return encode_answer(f"{type(error).__name__}: {error}")


def _listen(
    connection: socket.socket, questions: queue.SimpleQueue[Frame], wanted: _Wanted
) -> None:
    reader = FrameReader()
    try:
        while data := connection.recv(_READ):
            for frame in reader.feed(data):
                if frame.kind is FrameKind.CANCEL:
                    wanted.cancelled.add(frame.number)
                else:
                    questions.put(frame)
    finally:
        os._exit(0)  # the host has closed its end, or is no more: nobody waits for anything


def give_way() -> None:
    """Run with less priority than the host; it may have one of real time, which is inherited."""
    try:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.nice(_NICER)
    except OSError:
        pass
