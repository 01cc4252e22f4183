"""When pictures are due, from the time stamps of a file, which may be odd or missing."""

from __future__ import annotations


class Timeline:
    """Time stamps in, seconds from the first picture out; `step` is one picture's length.

    A stamp that is missing is one step after the last. A clock that jumps back,
    as where files were joined, goes on from where it was.
    """

    def __init__(self, step: float) -> None:
        self._step = step
        self._base: float | None = None
        self._previous = -step

    @property
    def begun(self) -> bool:
        """Whether there has been a picture."""
        return self._previous >= 0

    def at(self, stamp: float | None) -> float:
        """When the next picture is due; `stamp` is its own in seconds."""
        time = self._previous + self._step
        if stamp is not None:
            if self._base is None or stamp - self._base < self._previous:
                self._base = stamp - time
            time = stamp - self._base
        self._previous = time
        return time
