"""What tests of costs share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from heapwire.protocol.explain import explained_answer as explained, solve
from heapwire.protocol.solver import StepBudget, solution as bare
from heapwire.protocol.values import Answer, Problem


@pytest.fixture
def steps_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """How many steps an answer costs, explained or bare."""
    budgets: list[StepBudget] = []

    class Counted(StepBudget):
        def __init__(self, steps: int) -> None:
            super().__init__(steps)
            budgets.append(self)

    monkeypatch.setattr(bare, "StepBudget", Counted)
    monkeypatch.setattr(explained, "StepBudget", Counted)

    def steps_of(problem: Problem, answer: Callable[[Problem], Answer] = solve) -> int:
        answer(problem)
        return budgets[-1].used

    return steps_of
