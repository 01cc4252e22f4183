"""One thing that video without a copy needs: whether it is there, and what mends it."""

from __future__ import annotations

from enum import StrEnum

from heapwire.protocol.explain import Document
from heapwire.protocol.late_dataclasses import dataclass


class State(StrEnum):
    """What is known of it; the values are those of documents."""

    OK = "ok"
    """It is there."""
    MISSING = "missing"
    """It is not there, and is needed."""
    UNNEEDED = "unneeded"
    """It is not there, and nothing needs it, for something else serves."""
    UNKNOWN = "unknown"
    """Nothing here tells."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and why; `mend` are commands for a shell, in their order."""

    name: str
    state: State
    says: str
    mend: tuple[str, ...] = ()

    def document(self) -> Document:
        """It for programs."""
        return {
            "check": self.name,
            "state": self.state.value,
            "says": self.says,
            "mend": list(self.mend),
        }
