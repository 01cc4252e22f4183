"""How much work a question may cost: counted steps, so that every machine gives the same answer.

A step takes one to five microseconds of processor time on a machine of today: a key met in a
merge, a source judged, half an assignment, sixteen pairs walked over by a built-in function.
Whoever is about to do so much work spends it first. When nothing is left,
`TooComplexError` ends what is being done, and whoever has something to show for it shows that.
"""

from __future__ import annotations

from typing import Final

from heapwire.protocol.errors import NotPossibleError

DEFAULT_STEPS: Final = 100_000
"""Steps that a question may cost: eight times what the dearest honest question of
bench/bench_solve.py does (16 participants with 1200 pairs each, explained: 12 000)."""

PAIRS_A_STEP: Final = 16
"""Pairs that a built-in function walks over in the time of a step."""


class TooComplexError(NotPossibleError):
    """The steps ended: there is more to try than will be tried, whatever the time."""


class StepBudget:
    """The steps that are left of those given.

    `kept` of them are for later: spending stops there. `doing` is what they are being spent
    on, as the end of a sentence.
    """

    __slots__ = ("doing", "given", "kept", "left")

    def __init__(self, steps: int = DEFAULT_STEPS) -> None:
        self.given = steps
        self.left = steps
        self.kept = 0
        self.doing = "looking at every format"

    @property
    def used(self) -> int:
        """The steps spent so far."""
        return self.given - self.left

    def spend(self, steps: int = 1) -> None:
        """Take steps for what comes next; `TooComplexError` when there are not so many."""
        left = self.left - steps
        if left < self.kept:
            raise self.refuse()
        self.left = left

    def refuse(self) -> TooComplexError:
        """What is left is gone: nothing that comes later may cost as much and go on."""
        self.left = min(self.left, self.kept)
        return TooComplexError(f"{self.given} steps ended while {self.doing}")

    def share(self, others: int) -> None:
        """Keep equal parts of what is left for so many `others` that come later."""
        self.kept = self.left * others // (others + 1)
