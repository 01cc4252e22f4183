"""What is known of any video, decoded or not."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol


class Video(Protocol):
    """A video in an open file."""

    @property
    def rate(self) -> Fraction:
        """Pictures a second."""

    @property
    def count(self) -> int:
        """How many pictures the file says it has; 0 if it does not."""

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel divided by its height."""

    @property
    def damaged(self) -> int:
        """How many packets could not be read or decoded, and were skipped."""

    def close(self) -> None:
        """Close what is open for it; safe to call twice."""
