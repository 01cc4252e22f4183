"""How many buffers a stream needs: a sum, so it stays outside the merge."""

from __future__ import annotations

from heapwire.protocol.late_dataclasses import dataclass

MAX_BUFFER_COUNT = 64
"""Buffers that a producer and a client may ask for together: a longer queue is a mistake.

V4L2 stops at 32 by default (VIDEO_MAX_FRAME).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferCount:
    """Buffers held at the same time, each party's share.

    `minimum` is what the producer keeps to itself (a decoder's reference
    frames), `queue` what the client wants in flight, `hold` what the compositor
    keeps: one on screen and one on its way.
    """

    minimum: int = 1
    queue: int = 1
    hold: int = 2

    @property
    def total(self) -> int:
        """The number of buffers to allocate."""
        return self.minimum + self.queue + self.hold
