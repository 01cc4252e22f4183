"""Which subsets of some requirements can be met and which cannot, as far as it was found out.

A part of what can be met can be met, and what holds something that cannot be met cannot be met.
"""

from __future__ import annotations

from collections.abc import Sequence


class KnownSubsets:
    """Subsets, as masks: the largest that can be met, and those that cannot."""

    __slots__ = ("_impossible", "_possible")

    def __init__(self) -> None:
        self._possible: list[int] = []
        self._impossible: list[int] = []

    def __len__(self) -> int:
        return len(self._possible) + len(self._impossible)

    def tells(self, subset: int) -> bool | None:
        """Whether a subset can be met; None where what is known does not tell."""
        for known in self._possible:
            if subset & known == subset:
                return True
        for known in self._impossible:
            if subset & known == known:
                return False
        return None

    def add_possible(self, subset: int) -> None:
        """That one can be met, of which that was not known."""
        self._possible = [known for known in self._possible if known & subset != known]
        self._possible.append(subset)

    def add_impossible(self, subset: int) -> None:
        """That one cannot be met."""
        self._impossible.append(subset)

    def without_possible(self, subsets: Sequence[int]) -> list[int]:
        """Those of some subsets that are not known to be possible, in their order."""
        for known in reversed(self._possible):  # the last has not been left out yet
            subsets = [subset for subset in subsets if subset & known != subset]
        return list(subsets)

    def union(self, first: int, others: Sequence[int], most: int) -> int:
        """A subset with as many others as may be possible with it: of so many requirements."""
        together = first
        for other in others:
            more = together | other
            if more == together or more.bit_count() > most:
                continue
            for known in self._impossible:
                if more & known == known:
                    break
            else:
                together = more
        return together
