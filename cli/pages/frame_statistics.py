"""What becomes of frames while they are shown: a line each second, or a JSON line each frame."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict

from heapwire.client_lib.player import FrameFate


class FrameStatistics:
    """Gathers fates: told by the second with `seconds`, and kept as lines of JSON with `lines`.

    A second is one of the compositor's clock, so that what is told does not hang on when it is.
    """

    def __init__(self, *, seconds: bool, lines: bool) -> None:
        self.lines: list[str] = []
        self._by_second, self._each = seconds, lines
        self._second: int | None = None
        self._frames: list[FrameFate] = []

    def add(self, frame: FrameFate) -> None:
        """A frame has met its fate."""
        if self._each:
            self.lines.append(json.dumps(asdict(frame)) + "\n")
        if not self._by_second:
            return
        second = self._second if frame.time is None else int(frame.time)
        if self._second is not None and second != self._second:
            self.tell()
        self._second = second
        self._frames.append(frame)

    def tell(self) -> None:
        """Say what became of the frames of a second, on standard error."""
        if self._frames:
            print(seconds_line(self._frames), file=sys.stderr)
        self._frames = []


def seconds_line(frames: list[FrameFate]) -> str:
    """Some frames in a line: how many met which fate, how even they came, bytes and memory."""
    fates = Counter(frame.fate for frame in frames)
    reasons = Counter(frame.reason for frame in frames if frame.fate == "composited")
    parts = [f"{frames[-1].position:.1f} s: {fates['scanned out']} scanned out"]
    why = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
    parts.append(f"{fates['composited']} composited" + (f" ({why})" if why else ""))
    parts.append(f"{fates['dropped']} dropped")
    late = [frame.late for frame in frames if frame.late is not None]
    if late:
        parts.append(f"jitter {1000 * (max(late) - min(late)):.1f} ms")
    latencies = [frame.latency for frame in frames if frame.latency is not None]
    if latencies:
        parts.append(f"latency {1000 * sum(latencies) / len(latencies):.1f} ms")
    parts.append(f"{sum(frame.copied for frame in frames)} bytes copied")
    shown = [frame for frame in frames if frame.fate != "dropped"]
    if shown and all(frame.explicit_sync for frame in shown):
        parts.append("explicit sync")
    sources = dict.fromkeys(name for frame in frames for name in frame.sources)
    return ", ".join(parts) + (f", in {' and '.join(sources)}" if sources else "")
