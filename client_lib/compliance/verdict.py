"""What a case can come to, beside being in order."""

from __future__ import annotations

from enum import Enum

from heapwire.protocol import NotPossibleError, PeerError
from heapwire.protocol.late_dataclasses import dataclass


class Outcome(Enum):
    """What became of a case; the value is what is printed of it."""

    OK = "ok"
    FAIL = "FAIL"
    SKIPPED = "skipped"


class DeviationError(PeerError):
    """The compositor did something else than the protocol says."""

    def __init__(self, *, expected: str, seen: str) -> None:
        super().__init__(f"expected {expected}, seen {seen}")
        self.expected = expected
        self.seen = seen


class SkippedCaseError(NotPossibleError):
    """A case cannot be tried: what it needs is not here, or is not on offer."""


@dataclass(frozen=True, slots=True)
class Result:
    """A case that was run: `expected` and `seen` where it failed, `why` where it was skipped.

    `seconds` is how long it took.
    """

    name: str
    outcome: Outcome
    expected: str = ""
    seen: str = ""
    why: str = ""
    seconds: float = 0.0
