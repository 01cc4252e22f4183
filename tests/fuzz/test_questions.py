"""Questions that nobody asked: a search for the dearest ends within the steps that one may cost.

make fuzz QUESTIONS=20000        # so many in each climb
make fuzz SEED=5 QUESTIONS=3000  # again what a failure has named

A failure names a question's shape. It goes into `tests/solver/dear_questions.json`, which is asked
first from then on, and climbed from.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import asdict
from random import Random
from types import FrameType

import pytest
from costly_questions import DEAR, Shape, mutated, question, size_of

from heapwire.protocol.explain import solve, solve_within
from heapwire.protocol.solver import DEFAULT_STEPS, StepBudget

FEW, MANY = 30, os.environ.get("QUESTIONS")  # questions in a climb
SEED = os.environ.get("SEED") or (secrets.token_hex(4) if MANY else "")
SEEDS = [SEED] if SEED else ["0", "1", "2"]
HEAVIEST = 3000  # pairs and constraints of a question that is climbed to
AFRESH = 300  # questions after which a climb begins anew

FEW_STEPS = 2000
# What was measured, and half as much again: a step is one to fifteen calls of functions.
CALLS_A_STEP = 20
CALLS_BESIDE = 6_000
CALLS_A_WEIGHT = 30
CALLS_A_KIBIBYTE = 1000  # of long values: 60 devices each


def calls_of(run: Callable[[], object]) -> int:
    """How many functions are called, Python's and built-in: work that no clock measures."""
    count = 0

    def seen(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


def work(shape: Shape) -> float:
    """Calls of functions for a few steps, of which a question may want more."""
    problem = question(shape)
    cost = calls_of(lambda: solve(problem, steps=FEW_STEPS))
    once = CALLS_A_WEIGHT * shape.weight + CALLS_A_KIBIBYTE * size_of(problem) // 1024
    assert cost <= CALLS_A_STEP * FEW_STEPS + CALLS_BESIDE + once, shape
    return cost


def steps_for_a_byte(shape: Shape) -> float:
    """Steps for what it takes to send the question."""
    problem, budget = question(shape), StepBudget()
    answer = solve_within(problem, budget)
    assert budget.used <= DEFAULT_STEPS, shape
    assert answer.plans or answer.reason is not None, shape
    return budget.used / size_of(problem)


@pytest.mark.parametrize("shape", DEAR, ids=str)
def test_a_question_that_is_known_to_be_dear(shape: Shape) -> None:
    work(shape)
    steps_for_a_byte(shape)


@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cost_of", [work, steps_for_a_byte])
def test_climbing_to_dearer_and_dearer_questions(
    cost_of: Callable[[Shape], float], seed: str
) -> None:
    random = Random(f"{cost_of.__name__} {seed}")
    starts = [Shape(), *(shape for shape in DEAR if shape.weight <= HEAVIEST)]
    solve(question(Shape()))  # what is made once is nobody's cost
    dearest, most = Shape(), 0.0
    for number in range(int(MANY or FEW)):
        if number % AFRESH == 0:
            shape, cost = starts[number // AFRESH % len(starts)], 0.0
        other = mutated(shape, random, HEAVIEST)
        costs = cost_of(other)
        if costs > cost:
            shape, cost = other, costs
        if cost > most:
            dearest, most = shape, cost
    print(f"seed {seed}: {most:.1f} of {cost_of.__name__}: {json.dumps(asdict(dearest))}")
    assert most > 0
