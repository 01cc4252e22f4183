"""What the compositor says became of a buffer."""

from __future__ import annotations

from typing import Self

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.wire.bindings import BufferStatusReason, BufferStatusResult


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferStatus:
    """What became of a buffer, and why it is not scanned out if it is not."""

    result: BufferStatusResult
    reason: BufferStatusReason

    @classmethod
    def received(cls, result: int, reason: int) -> Self:
        """A status off the wire; one from a later version reads as one that promises nothing."""
        if result not in BufferStatusResult.__members__.values():
            result = BufferStatusResult.COMPOSITED
        if reason not in BufferStatusReason.__members__.values():
            reason = BufferStatusReason.UNKNOWN
        return cls(result=BufferStatusResult(result), reason=BufferStatusReason(reason))
