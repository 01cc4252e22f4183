"""What the compositor says became of a buffer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from heapwire.protocol.wire.bindings import HeapFeedbackStatus, HeapFeedbackStatusReason


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferStatus:
    """What became of a tagged buffer, and why it is not scanned out if it is not."""

    status: HeapFeedbackStatus
    reason: HeapFeedbackStatusReason
    serial: int
    plan: int

    @classmethod
    def received(cls, serial: int, plan: int, status: int, reason: int) -> Self:
        """A status off the wire; one from a later version reads as one that promises nothing."""
        if status not in HeapFeedbackStatus.__members__.values():
            status = HeapFeedbackStatus.COMPOSITED
        if reason not in HeapFeedbackStatusReason.__members__.values():
            reason = HeapFeedbackStatusReason.UNKNOWN
        return cls(
            status=HeapFeedbackStatus(status),
            reason=HeapFeedbackStatusReason(reason),
            serial=serial,
            plan=plan,
        )
