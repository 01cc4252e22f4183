"""How long the slices of a host take: in the host they are timed, and a file has the longest.

What is timed is the processor time of the loop's thread, so that the time of others does not count.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from pathlib import Path

FILE = "BENCH_SLICES"  # the variable that names the file; without it nothing is timed
_NUMBERS = struct.Struct("=dQ")


class SliceTimes:
    """The longest slice in milliseconds, and how many there have been, in a file that is mapped."""

    def __init__(self, path: Path) -> None:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(fd, _NUMBERS.size)
            self._numbers = mmap.mmap(fd, _NUMBERS.size)
        finally:
            os.close(fd)

    @property
    def longest(self) -> float:
        """Milliseconds."""
        return float(_NUMBERS.unpack_from(self._numbers)[0])

    @property
    def count(self) -> int:
        """How many there have been."""
        return int(_NUMBERS.unpack_from(self._numbers)[1])

    def add(self, milliseconds: float) -> None:
        """Another one."""
        _NUMBERS.pack_into(self._numbers, 0, max(self.longest, milliseconds), self.count + 1)


def time_slices() -> None:
    """In the host, before its plugin is there: time each slice, where a file is named."""
    if FILE not in os.environ:
        return
    from heapwire.compositor_plugin.answering.answer_schedule import AnswerSchedule

    times, slice_ = SliceTimes(Path(os.environ[FILE])), AnswerSchedule._slice

    def timed(schedule: AnswerSchedule) -> None:
        before = time.thread_time()
        slice_(schedule)
        times.add(1e3 * (time.thread_time() - before))

    AnswerSchedule._slice = timed  # type: ignore[method-assign]  # to time it
