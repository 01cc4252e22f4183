"""The feedback objects of all clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.dmabuf import ZwpLinuxDmabufFeedbackV1


class FeedbackIndex:
    """Feedback objects, by their address and by that of the surface that they are for.

    What happens to a surface costs what that surface has, whatever others have: clients make
    objects by the ten thousand.
    """

    def __init__(self) -> None:
        self._all: dict[int, ZwpLinuxDmabufFeedbackV1] = {}
        self._of: dict[int, dict[ZwpLinuxDmabufFeedbackV1, None]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, feedback: ZwpLinuxDmabufFeedbackV1, surface: int | None) -> None:
        """There is another, for a surface or for none."""
        self._all[feedback.address] = feedback
        if surface is not None:
            self._of.setdefault(surface, {})[feedback] = None

    def discard(self, feedback: ZwpLinuxDmabufFeedbackV1, surface: int | None) -> None:
        """One is gone, whose surface is there still or None."""
        self._all.pop(feedback.address, None)
        if surface is None or surface not in self._of:
            return
        of_surface = self._of[surface]
        of_surface.pop(feedback, None)
        if not of_surface:
            del self._of[surface]

    def at(self, address: int) -> ZwpLinuxDmabufFeedbackV1 | None:
        """The object at an address."""
        return self._all.get(address)

    def of_surface(self, surface: int) -> tuple[ZwpLinuxDmabufFeedbackV1, ...]:
        """Those of one surface."""
        return tuple(self._of.get(surface, ()))

    def surface_gone(self, surface: int) -> tuple[ZwpLinuxDmabufFeedbackV1, ...]:
        """A surface is no more; those that it had, which are of none now."""
        return tuple(self._of.pop(surface, ()))
