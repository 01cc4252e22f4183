"""What whoever asks often remembers."""

from __future__ import annotations

from dataclasses import replace

from problem_building import NV12, SYSTEM, ask, of, part

from heapwire.protocol.explain import AnswerMemory, solve
from heapwire.protocol.solver import solve_plans
from heapwire.protocol.values import BufferCount, Content, Problem


def problem() -> Problem:
    return ask(part("a", of(NV12)))


def test_an_equal_problem_has_the_same_answer_without_being_solved() -> None:
    answers = AnswerMemory()
    first = answers.solve(problem())
    assert first == solve(problem())
    assert answers.solve(problem()) is first


def test_answers_with_explanations_and_without_are_not_mixed_up() -> None:
    answers = AnswerMemory()
    full, bare = answers.solve(problem()), answers.solve_plans(problem())
    assert full.verdicts != ()
    assert bare == solve_plans(problem()) != full
    assert answers.solve_plans(problem()) is bare


def test_nobody_sees_what_another_remembers() -> None:
    first, second = AnswerMemory().solve(problem()), AnswerMemory().solve(problem())
    assert first == second
    assert first is not second


def test_a_problem_that_differs_anywhere_is_another() -> None:
    answers = AnswerMemory()
    first = answers.solve(problem())
    for other in (
        replace(problem(), counts=BufferCount(minimum=9)),
        replace(problem(), content=Content(interlaced=True)),
        replace(problem(), sources=(SYSTEM,)),
        replace(problem(), format_costs={NV12: 1}),
        ask(part("a", of(NV12)), size=(64, 64)),
        ask(part("b", of(NV12))),
    ):
        assert answers.solve(other) is not first
        assert answers.solve(other) == solve(other)


def test_the_oldest_of_many_answers_is_forgotten() -> None:
    answers = AnswerMemory()

    def asked(width: int) -> Problem:
        return ask(part("a", of(NV12)), size=(width, 64))

    first = answers.solve_plans(asked(64))
    for width in range(65, 80):
        answers.solve_plans(asked(width))
    assert answers.solve_plans(asked(64)) is first
    answers.solve_plans(asked(80))
    assert answers.solve_plans(asked(64)) is not first
