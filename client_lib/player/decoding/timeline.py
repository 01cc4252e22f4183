"""When pictures are due, from the time stamps of a file, which may be odd or missing."""

from __future__ import annotations

MOST_GAP = 60.0
"""Seconds that a picture may stand in most files: on a recorded screen nothing may move."""

MOST_GAP_OF_A_BROADCAST = 10.0
"""The same where clocks are known to jump (fftools/ffmpeg.h, dts_delta_threshold)."""

_GAP_STEPS = 10  # and as many pictures of a stream that is slow


class Timeline:
    """Time stamps in, seconds from the first picture out; `step` is one picture's length.

    A stamp that is missing is one step after the last. A clock that jumps back,
    as where files were joined, or ahead by more than `most_gap` seconds and ten steps, goes on
    from where it was.
    """

    def __init__(self, step: float, most_gap: float = MOST_GAP) -> None:
        self._step = step
        self._most_gap = max(most_gap, _GAP_STEPS * step)
        self._base: float | None = None
        self._previous = -step

    @property
    def begun(self) -> bool:
        """Whether there has been a picture."""
        return self._previous >= 0

    def begin_again(self) -> None:
        """The next stamp is one step after the last, whatever it says."""
        self._base = None

    def at(self, stamp: float | None) -> float:
        """When the next picture is due; `stamp` is its own in seconds."""
        time = self._previous + self._step
        if stamp is not None:
            ahead = 0.0 if self._base is None else stamp - self._base - self._previous
            if self._base is None or not 0 <= ahead <= self._most_gap:
                self._base = stamp - time
            time = stamp - self._base
        self._previous = time
        return time
