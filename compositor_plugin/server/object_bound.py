"""How many objects clients may have: bounded for one, and for all."""

from __future__ import annotations

from collections import Counter

from heapwire.compositor_plugin.server.client import Client


class ObjectBound:
    """Objects of one display's, by what they weigh.

    One client may have `each`, and all together `together`; who has no more than `little` is let
    be, whatever others have.
    """

    def __init__(self, *, each: int, together: int, little: int) -> None:
        self._each, self._together, self._little = each, together, little
        self._had: Counter[Client] = Counter()
        self._all = 0

    def take(self, client: Client, weight: int) -> bool:
        """Whether a client may have one more; then it counts, until it is given back."""
        own = self._had[client] + weight
        if own > self._each or (own > self._little and self._all + weight > self._together):
            return False
        self._had[client] = own
        self._all += weight
        return True

    def give_back(self, client: Client, weight: int) -> None:
        """One is gone."""
        self._all -= weight
        self._had[client] -= weight
        if not self._had[client]:
            del self._had[client]
