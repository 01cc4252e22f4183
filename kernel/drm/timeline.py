"""Timelines of explicit synchronisation: a number that grows, and whoever waits for it.

A point of a timeline is signalled when the timeline has come to it, or beyond it. Whoever
writes to a buffer names the point that says "it is written", whoever reads it the point that
says "it is read": neither needs to know how the other works.
"""

from __future__ import annotations

from typing import Protocol

MOST = (1 << 64) - 1
"""The largest point."""


class Timeline(Protocol):
    """One timeline, which others may have too; `close` lets go of it here."""

    def signalled(self, point: int) -> bool:
        """Whether a point has come. It has too where the device is gone: none will come there."""

    def signal(self, point: int) -> None:
        """Have a point come, and all before it; raises `OSError` where that is not possible."""

    def notify(self, point: int, eventfd: int) -> bool:
        """Have an eventfd written to when a point comes, or at once if it has come.

        False where nobody tells: then the point has to be looked at. The eventfd stays the
        caller's. The kernel remembers it until then, for as long as anybody has the timeline.
        """

    def export(self) -> int:
        """The timeline for another process, as a file descriptor that the caller owns.

        Raises `OSError`.
        """

    def close(self) -> None:
        """Let go of it; safe to call twice. The last reference that goes does so too."""


class Timelines(Protocol):
    """Where timelines are made: a device of DRM's, or a simulation of one."""

    def create(self) -> Timeline:
        """A new timeline, which has not come to any point. Raises `OSError`."""

    def imported(self, fd: int) -> Timeline:
        """The timeline that somebody exported; the fd stays the caller's.

        Raises `OSError` where it is none.
        """

    def close(self) -> None:
        """Let go of the device, and of all timelines; safe to call twice."""
