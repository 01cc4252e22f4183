"""A point of a client's timeline, as one commit names it."""

from __future__ import annotations

import logging

from heapwire.kernel.drm import Timeline
from heapwire.protocol.late_dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SyncPoint:
    """It keeps its timeline, whatever becomes of the object that the client named it by."""

    timeline: Timeline
    value: int

    @property
    def signalled(self) -> bool:
        """Whether it has come."""
        return self.timeline.signalled(self.value)

    def signal(self) -> None:
        """Have it come, where the client has left that possible."""
        try:
            self.timeline.signal(self.value)
        except OSError as error:
            log.debug("a release point cannot be signalled: %s", error.strerror)
