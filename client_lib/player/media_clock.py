"""When a frame is due: media time on the clock of the screen."""

from __future__ import annotations

import time

MOST_LATE = 1.0  # seconds; a player that is further behind goes on from where it is
STARVED = 0.25  # seconds without a new frame, after which even a late one is shown


class MediaClock:
    """Maps the times of frames to `time.monotonic`, in seconds.

    The clock starts with the first frame that is committed and is corrected
    once, when the compositor says when that frame was on the screen. A frame is
    due one refresh before it is to be seen.
    """

    def __init__(self) -> None:
        self.refresh = 0.0
        self._start: float | None = None
        self._corrected = False
        self._last_commit = 0.0

    def due(self, media_time: float) -> float | None:
        """When to commit a frame; None before the clock has started."""
        return None if self._start is None else self._start + media_time - self.refresh

    def shift(self, seconds: float) -> None:
        """Nothing was shown for so long on purpose."""
        if self._start is not None:
            self._start += seconds

    def too_late(self, media_time: float, duration: float) -> bool:
        """Whether a frame is to be dropped: its successor is due already.

        Not if nothing has been shown for a while, as when decoding is slower
        than the stream: then the clock gives in.
        """
        due = self.due(media_time)
        if due is None or self._start is None:
            return False
        now = time.monotonic()
        late = now - due
        if late > MOST_LATE:
            self._start += late
            return False
        return late > duration and now - self._last_commit < STARVED

    def committed(self, media_time: float) -> None:
        """A frame has been committed."""
        self._last_commit = time.monotonic()
        if self._start is None:
            self._start = self._last_commit - media_time

    def presented(self, media_time: float, at: float, refresh: float) -> None:
        """A frame was on the screen at a time of `time.monotonic`."""
        self.refresh = refresh
        if not self._corrected and at > 0:
            self._start = at - media_time
            self._corrected = True
