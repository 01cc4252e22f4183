"""What was worked out before, with the steps that it cost.

Two questions of one client have most in common: the sets, the machine, and thus what merges
into what. Whoever asks again and again keeps that (`SolverMemory` in prepared_goal.py). The
answer does not depend on it, and neither does the count of steps: what is known is paid for
like what is not.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from heapwire.protocol.make_room import forget_one, make_room
from heapwire.protocol.solver.step_budget import StepBudget

Value = TypeVar("Value")


class Recollection(Generic[Value]):
    """Values that were worked out, up to `most`; then the oldest goes."""

    __slots__ = ("_kept", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[Hashable, tuple[Value, int, tuple[object, ...]]] = {}

    def by(
        self,
        key: Hashable,
        budget: StepBudget,
        work: Callable[[], Value],
        alive: tuple[object, ...] = (),
    ) -> Value:
        """The value by a key; `work` makes it where it is not known. Raises `TooComplexError`.

        What is `alive` is so for as long as the value is kept.
        """
        known = self._kept.get(key)
        if known is not None:
            budget.spend(known[1])
            return known[0]
        before = budget.left
        value = work()
        make_room(self._kept, self._most)
        self._kept[key] = (value, before - budget.left, alive)
        return value

    def forget_one(self) -> bool:
        """Let one value go; False when none is left."""
        return forget_one(self._kept)

    def made_of(
        self, objects: tuple[object, ...], budget: StepBudget, work: Callable[[], Value]
    ) -> Value:
        """The value that is made of some objects.

        They are told apart by what they are, not by what they say: that takes no look at each
        pair of a list.
        """
        return self.by(tuple(map(id, objects)), budget, work, objects)
