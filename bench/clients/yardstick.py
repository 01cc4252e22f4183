"""Work that is always the same, done beside what is measured: what the machine makes of it.

A process of its own does it every few milliseconds, and its own processor time is measured: a
conflict of three devices is solved, by the code that the host solves by. It asks the kernel for
nothing, waits for nobody and collects no garbage. Where it takes three times as long as at its
best, so may the host's work: caches that others fill, the other half of a core, and what a virtual
machine's host takes away are counted as processor time of whatever ran. It runs more seldom than
the host, so what it meets is the least of what the host meets.
"""

from __future__ import annotations

import gc
import os
import select
import socket
import time
from dataclasses import dataclass

from asked_questions import odd_pitches

from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    Extent,
    Extents,
    Goal,
    Problem,
    Source,
    SourceId,
    SourceKind,
)

EVERY = 15  # milliseconds between two: little of a core, and hundreds of them while a row runs
_WARM = 20  # times that do not count: what runs first takes longer


@dataclass(frozen=True, slots=True)
class Stretch:
    """What the machine made of the same work, in milliseconds of its processor time.

    `least` is of all times since the beginning, `longest` of the `count` since the last look.
    """

    least: float
    longest: float
    count: int

    @property
    def times(self) -> float:
        """How many times the least the longest was; 1 where nothing was measured."""
        return self.longest / self.least if self.count else 1.0


class Yardstick:
    """The process that does it, until `close`."""

    def __init__(self) -> None:
        self._pipe, theirs = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                self._pipe.close()
                _work(theirs)
            finally:
                os._exit(0)
        theirs.close()
        self.look()

    def look(self) -> Stretch:
        """What it took since the last look."""
        self._pipe.sendall(b".")
        least, longest, count = self._pipe.recv(256).split()
        return Stretch(float(least), float(longest), int(count))

    def close(self) -> None:
        """End it."""
        self._pipe.close()
        os.waitpid(self._pid, 0)


def _work(control: socket.socket) -> None:
    gc.freeze()
    gc.disable()
    asked = Problem(
        participants=odd_pitches(),
        goals=(Goal(name="any", participants=(), scanout=False),),
        sources=(Source(id=SourceId(SourceKind.HEAP, 0, 1), name="system"),),
        extents=Extents(coded=Extent(1280, 720)),
    )
    for _ in range(_WARM):
        solve(asked)
    least, longest, count = float("inf"), 0.0, 0
    while True:
        if select.select([control], [], [], EVERY / 1e3)[0]:
            if not control.recv(1):
                return
            control.sendall(f"{least} {longest} {count}".encode())
            longest, count = 0.0, 0
            continue
        before = time.thread_time()
        solve(asked)
        took = 1e3 * (time.thread_time() - before)
        least, longest, count = min(least, took), max(longest, took), count + 1
