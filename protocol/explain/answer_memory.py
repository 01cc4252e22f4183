"""Answers remembered by whoever asks often: the same question comes from each output and client."""

from __future__ import annotations

from collections import deque
from typing import Final

from heapwire.protocol.explain.explained_answer import solve
from heapwire.protocol.solver import solve_plans
from heapwire.protocol.values import Answer, Problem

_KEPT: Final = 16  # answers; a compositor asks for a few surfaces on each of a few outputs


class AnswerMemory:
    """Asks the solver, and remembers the answers to the problems it was asked last.

    An equal problem gets the same object. Several threads may ask: two that ask
    the same at the same time may both have it solved.
    """

    def __init__(self) -> None:
        self._answers: deque[tuple[Problem, bool, Answer]] = deque(maxlen=_KEPT)

    def solve(self, problem: Problem) -> Answer:
        """The answer with everything that explains it, as `explain.solve`."""
        return self._answer(problem, explained=True)

    def solve_plans(self, problem: Problem) -> Answer:
        """The answer with the plans alone, as `solver.solve_plans`."""
        return self._answer(problem, explained=False)

    def _answer(self, problem: Problem, *, explained: bool) -> Answer:
        # Equality looks at identity first, piece by piece: a problem built from the
        # same participants is recognised at once. A hash would look at every pair.
        # What tells problems with the same participants apart is looked at before them.
        # A copy, because another thread may add an answer meanwhile.
        for asked, was_explained, answer in tuple(self._answers):
            if (
                was_explained is explained
                and asked.extents == problem.extents
                and asked.counts == problem.counts
                and asked.content == problem.content
                and asked == problem
            ):
                return answer
        answer = solve(problem) if explained else solve_plans(problem)
        self._answers.appendleft((problem, explained, answer))
        return answer
