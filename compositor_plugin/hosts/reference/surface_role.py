"""What a surface is for: a window, or a part of another surface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class SurfaceRole(Protocol):
    """The object that a client has made of its surface, and what it hears of commits."""

    def before_commit(self) -> None:
        """The client commits; raise `ViolationError` if it may not."""

    def committed(self) -> None:
        """The pending state has taken effect."""

    def set_aside(self) -> Callable[[], None]:
        """Take out what is pending; what is returned has it take effect."""

    def surface_gone(self) -> None:
        """The surface was destroyed."""
