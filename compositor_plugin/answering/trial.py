"""What is solved at once, on the host's loop: all that costs no more than a slice."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from heapwire.protocol.explain import solve_within
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.solver import SolverMemory, StepBudget, TooComplexError, solve_plans_within
from heapwire.protocol.values import Answer, Problem

TRIAL_STEPS: Final = 700
"""Steps that are tried on the loop; plans for one video take 50 to 620 on the shipped
platforms, but for 880 with the columns of raspberry-pi-sand."""
TRIAL_SECONDS: Final = 0.0025
"""Seconds of processor time after which no step is tried any more. Honest conflicts of three
devices take 1.0 to 1.7 ms on a machine that does nothing else, and two to three times that where
others fill the caches, or a virtual machine's host takes time away: a step has no length."""
_STEPS_A_LOOK: Final = 5  # as a power of two: 32 steps, some 0.05 ms, to a look of 1 us
_NOTHING: Final = -(1 << 62)  # steps: less than any part of it, which is kept for later
TRIAL_WEIGHT: Final = 512
"""Pairs and constraints of a client's that are looked at on the loop. What walks over pairs
counts a step for many of them."""
_EXPLAINED: Final = 5
"""What a constraint weighs where the answer is explained: it takes six steps or more there, where
it takes one otherwise. A trial of more than a hundred would only find that out, in 1.5 ms."""


@dataclass(frozen=True, slots=True)
class SolverCall:
    """What is to be solved on the way to a batch."""

    problem: Problem
    explained: bool

    def solve(self, budget: StepBudget | None = None, memory: SolverMemory | None = None) -> Answer:
        """The answer; it costs at most the budget, or what a question may cost."""
        solver = solve_within if self.explained else solve_plans_within
        return solver(self.problem, budget or StepBudget(), memory)


clock: Callable[[], float] = time.thread_time
"""What a trial's seconds are told by: the processor time of its thread."""


def tried(
    call: SolverCall, memory: SolverMemory | None = None, seconds: float = TRIAL_SECONDS
) -> Answer | None:
    """The answer if it costs no more than a slice; None if that is not enough to tell.

    It is the answer that any greater budget gives: who was refused no step does not know how
    many were left. So it is the same whatever the clock says; where it is found is not.
    """
    if _weight(call) > TRIAL_WEIGHT:
        return None
    budget = _TrialBudget(TRIAL_STEPS, seconds)
    answer = call.solve(budget, memory)
    return None if budget.ended else answer


def _weight(call: SolverCall) -> int:
    """The pairs and constraints of participants, as they count."""
    each = _EXPLAINED if call.explained else 1
    return sum(
        len(constraint_set.formats) + each * len(constraint_set.constraints)
        for participant in call.problem.participants
        for constraint_set in participant.sets
    )


class _TrialBudget(StepBudget):
    """Refuses steps when its time is over as well, and knows whether it has ever refused one."""

    __slots__ = ("_until", "ended")

    def __init__(self, steps: int, seconds: float) -> None:
        super().__init__(steps)
        self._until = clock() + seconds
        self.ended = False

    def spend(self, steps: int = 1) -> None:
        """As `StepBudget.spend`."""
        before = self.left
        left = before - steps
        if left < self.kept or (
            left >> _STEPS_A_LOOK != before >> _STEPS_A_LOOK and clock() > self._until
        ):
            raise self.refuse()
        self.left = left

    def refuse(self) -> TooComplexError:
        """As `StepBudget.refuse`; once refused, always."""
        self.ended = True
        self.left = _NOTHING
        return TooComplexError("a trial")
