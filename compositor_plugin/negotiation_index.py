"""All negotiations of all clients, and for which surfaces they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heapwire.compositor_plugin.negotiation_object import NegotiationObject


class NegotiationIndex:
    """Negotiations by the surface that they are for.

    Surfaces go by the addresses of their resources. What is returned is a
    copy: telling one object of something may end others.
    """

    def __init__(self) -> None:
        self._all: set[NegotiationObject] = set()
        self._by_surface: dict[int, set[NegotiationObject]] = {}

    def all(self) -> tuple[NegotiationObject, ...]:
        """Every negotiation that there is."""
        return tuple(self._all)

    def of_surface(self, surface: int) -> tuple[NegotiationObject, ...]:
        """Those that are for a surface."""
        return tuple(self._by_surface.get(surface, ()))

    def add(self, negotiation: NegotiationObject) -> None:
        """A negotiation was created."""
        self._all.add(negotiation)
        if negotiation.surface is not None:
            self._by_surface.setdefault(negotiation.surface, set()).add(negotiation)

    def remove(self, negotiation: NegotiationObject) -> None:
        """A negotiation was destroyed."""
        self.leave_surface(negotiation)
        self._all.discard(negotiation)

    def leave_surface(self, negotiation: NegotiationObject) -> None:
        """The surface of a negotiation is no more: its address may name another one soon."""
        entries = self._by_surface.get(negotiation.surface or 0)
        if entries is not None:
            entries.discard(negotiation)
            if not entries:
                del self._by_surface[negotiation.surface or 0]
