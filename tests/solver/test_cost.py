"""What an answer costs, in counted steps: within the budget, whatever a client asks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conflicting_questions import everyone_without_one_fence, three_devices, unknown
from problem_building import NV12, SYSTEM, XRGB, ask, display, need, of, part

from heapwire.protocol.explain import (
    explain_document,
    plan_reasons,
    render_explain,
    solve,
    solve_within,
)
from heapwire.protocol.solver import DEFAULT_STEPS, StepBudget, solve_plans
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    BY_NAME,
    PITCH_ALIGNMENT,
    REGISTRY,
    Answer,
    Constraint,
    FailureReason,
    FormatModifier,
    Goal,
    Problem,
)


def alternatives(*counts: int, alike: bool = False) -> Problem:
    """Participants with so many alternatives each."""
    return ask(
        *(
            part(
                f"device{n:02}",
                *(of(XRGB, need("min-pitch", 1 if alike else m + 1)) for m in range(count)),
            )
            for n, count in enumerate(counts)
        )
    )


def crossed(participants: int, sets: int) -> Problem:
    """Alternatives that have something in common, type by type, and none that agree.

    Whoever is at an odd place needs alpha with the fences that the others need without.
    """
    return ask(
        *(
            part(
                f"p{n:02}",
                *(
                    of(XRGB, need("fences", 1 << m), need("alpha", (m + n) % 2))
                    for m in range(sets)
                ),
            )
            for n in range(participants)
        )
    )


class Unspelled(bytes):
    """A vendor's value, of up to a kilobyte, of which nobody makes a text that is longer still."""

    def __repr__(self) -> str:
        raise AssertionError("it is spelled out")


@pytest.mark.parametrize("fences", [[0b11, 0b11], [0b01, 0b10]], ids=["a plan", "a conflict"])
def test_what_nobody_understands_is_not_spelled_out_to_be_sorted(fences) -> None:
    vendor = [replace(unknown(n), value=Unspelled(b"%d" % n)) for n in range(3)]
    problem = ask(
        *(part(f"p{n}", of(XRGB, need("fences", mask), *vendor)) for n, mask in enumerate(fences))
    )
    answer = solve(problem)
    assert bool(answer.plans) is (fences[0] == fences[1])
    assert len(answer.conflict) == (0 if answer.plans else 2)


@pytest.fixture
def looks(monkeypatch) -> list[tuple[str, Constraint]]:
    """The requirements that are looked at to be sorted."""
    found: list[tuple[str, Constraint]] = []
    order = plan_reasons._order
    monkeypatch.setattr(plan_reasons, "_order", lambda one: found.append(one) or order(one))
    return found


def test_what_is_carried_on_is_not_sorted(looks) -> None:
    vendor = [unknown(n) for n in range(300)]
    answer = solve(ask(part("p", of(XRGB, need("pitch-alignment", 64), *vendor)), display()))
    assert answer.plans[0].reasons
    assert answer.verdicts
    assert {name for name, one in looks if one.type == PITCH_ALIGNMENT.type} == {"p"}
    assert all(one.type in REGISTRY for _, one in looks)


@pytest.mark.parametrize("steps", range(350, 1000, 50))
def test_requirements_are_sorted_within_the_steps(looks, steps) -> None:
    """As many as a set has: who runs out of steps has not looked at any more than those."""
    several = [need("pitch-alignment", 1 << n % 5) for n in range(300)]
    solve_within(ask(part("p", of(XRGB, *several)), display()), StepBudget(steps))
    assert len(looks) <= max(0, steps - 300)  # to merge them takes as many


class TestAlternatives:
    @pytest.mark.parametrize(
        "counts", [(3, 3, 3, 3), (5, 5, 5), (9, 9), (8, 9), (16,) * 16], ids=str
    )
    @pytest.mark.parametrize("alike", [False, True], ids=["different", "alike"])
    def test_as_many_as_may_be_sent_have_a_plan(self, counts, alike) -> None:
        assert solve(alternatives(*counts, alike=alike)).plans

    def test_those_that_say_the_same_cost_little_more_than_one(self, steps_of) -> None:
        one, many = alternatives(*(1,) * 16), alternatives(*(16,) * 16, alike=True)
        assert [plan.layout for plan in solve(many).plans] == [
            plan.layout for plan in solve(one).plans
        ]
        assert steps_of(many) < 5 * steps_of(one) + 16 * 16 * 4

    def test_the_only_one_that_works_is_found_behind_eighty_that_do_not(self) -> None:
        """Only the third alternative of each has a fence in common with the others'."""
        picky = [
            part(
                f"p{n}",
                of(XRGB, need("fences", 0b001 << 4 * n)),
                of(XRGB, need("fences", 0b010 << 4 * n)),
                of(XRGB, need("fences", 1 << 20)),
            )
            for n in range(4)
        ]
        assert solve(ask(*picky)).plans

    def test_one_format_with_too_many_does_not_fail_another(self) -> None:
        hopeless = [
            part(
                f"p{n:02}",
                *(
                    of(XRGB, need("fences", 0xFFFF & ~(1 << n)), need("min-pitch", m + 1))
                    for m in range(15)
                ),
                of(NV12),
            )
            for n in range(16)
        ]
        assert {plan.fourcc for plan in solve(ask(*hopeless)).plans} == {NV12.fourcc}

    def test_one_goal_with_too_many_does_not_fail_another(self) -> None:
        goals = (
            Goal(name="scanout", participants=(display(of(XRGB)),), scanout=True),
            Goal(name="sampling", participants=(part("x", of(NV12)),)),
        )
        # Everyone can also do NV12, which the display cannot.
        everyone = [
            replace(one, sets=(*one.sets, of(NV12))) for one in crossed(16, 15).participants
        ]
        problem = ask(*everyone, goals=goals)
        answer = solve(problem)
        assert {plan.goal for plan in answer.plans} == {"sampling"}
        (failure,) = answer.failures
        assert (failure.goal, failure.conflict, failure.proved_minimal) == ("scanout", (), False)
        text = render_explain(explain_document(problem, answer))
        assert "not scanout\n└─── too complex to tell why" in text


class TestWhateverIsChosen:
    """A conflict that lies in every alternative is told, though nobody could try them all."""

    def everyone(self, *fences: int) -> Problem:
        return ask(
            *(
                part(
                    f"p{n:02}",
                    *(
                        of(
                            XRGB,
                            need("fences", mask | 1 << 20 + 2 * n + m % 2),
                            need("min-pitch", m + 1),
                        )
                        for m in range(16)
                    ),
                )
                for n, mask in enumerate(fences)
            )
        )

    def test_where_each_says_the_same_in_every_alternative(self, steps_of) -> None:
        everyone = [
            part(
                f"p{n:02}",
                *(
                    of(XRGB, need("fences", 0xFFFF & ~(1 << n)), need("min-pitch", m + 1))
                    for m in range(16)
                ),
            )
            for n in range(16)
        ]
        answer = solve(ask(*everyone))
        assert answer.reason is FailureReason.CONFLICT
        assert answer.proved_minimal
        assert {member.constraint for member in answer.conflict} == {
            need("fences", 0xFFFF & ~(1 << n)) for n in range(16)
        }
        assert steps_of(ask(*everyone)) < DEFAULT_STEPS / 2

    @pytest.mark.parametrize("who", [("p00", "p05"), ("p03", "p15")], ids=str)
    def test_where_the_alternatives_differ_by_what_does_not_help(self, who) -> None:
        fences = [0b1111] * 16
        for name, mask in zip(who, (0b0011, 0b1100), strict=True):
            fences[int(name[1:])] = mask
        answer = solve(self.everyone(*fences))
        assert answer.reason is FailureReason.CONFLICT
        assert {member.participant for member in answer.conflict} == set(who)
        assert {BY_NAME["fences"].type} == {member.constraint.type for member in answer.conflict}
        assert answer.proved_minimal

    def test_where_only_the_picture_tells(self) -> None:
        """A row is longer than what one of many permits, whatever the others choose."""
        problem = alternatives(*(16,) * 8)
        answer = solve(
            replace(
                problem,
                participants=(*problem.participants, part("x", of(XRGB, need("max-pitch", 4096)))),
            )
        )
        assert [member.participant for member in answer.conflict] == ["x"]

    def test_a_plan_behind_many_that_have_nothing_in_common_is_found(self) -> None:
        """The last alternative of each permits everything; all before it contradict."""
        everyone = [
            part(f"p{n}", *(of(XRGB, need("fences", 1 << 16 * n + m)) for m in range(5)), of(XRGB))
            for n in range(3)
        ]
        assert solve(ask(*everyone)).plans


class TestWhenTheStepsEnd:
    def hopeless(self) -> Problem:
        return crossed(16, 16)

    def test_it_says_what_they_were_spent_on(self) -> None:
        answer = solve(self.hopeless())
        assert answer.reason is FailureReason.TOO_COMPLEX
        assert "trying combinations of alternatives" in answer.message
        many = tuple(FormatModifier(XRGB.fourcc, n << 8) for n in range(4096))
        formats = ask(*(part(f"p{n}", of(list(many))) for n in range(16)))
        answer = solve(formats, steps=1000)
        assert answer.reason is FailureReason.TOO_COMPLEX
        assert "format" in answer.message
        assert "alternatives" not in answer.message

    def test_the_plans_found_so_far_are_the_first_of_all(self) -> None:
        problem = alternatives(6, 6)
        everything = solve_plans(problem).plans
        assert len(everything) > 1
        fewer = [solve_plans(problem, steps=steps).plans for steps in range(50, 1500, 10)]
        assert {len(plans) for plans in fewer} > {0, 1}
        assert all(plans == everything[: len(plans)] for plans in fewer)

    def test_a_conflict_that_is_not_proved_minimal_says_so(self) -> None:
        problem = everyone_without_one_fence(0)
        answers: list[Answer] = [solve(problem, steps=steps) for steps in range(200, 6000, 50)]
        told = [answer for answer in answers if answer.reason is FailureReason.CONFLICT]
        halfway = [answer for answer in told if not answer.proved_minimal]
        assert halfway
        assert told[-1].proved_minimal
        for answer in halfway:
            assert answer.message.endswith(
                "(not proved minimal: some of these may not be needed for the contradiction)"
            )
            document = explain_document(problem, answer)
            assert document["not_proved_minimal"] is True
            assert "─── not proved minimal: some of these" in render_explain(document)
            left = {member.constraint for member in answer.conflict}
            assert {need("fences", 0xFFFF & ~(1 << n)) for n in range(16)} <= left
        assert "not_proved_minimal" not in explain_document(problem, told[-1])

    @pytest.mark.parametrize("steps", [0, 1, 100, 500, 2000, 5000])
    def test_plans_conflict_and_message_are_the_same_with_and_without_reasons(self, steps) -> None:
        goals = (Goal(name="a", scanout=True), Goal(name="b"))
        for problem in (
            replace(everyone_without_one_fence(4), goals=goals),
            replace(alternatives(6, 6), goals=goals),
            self.hopeless(),
            three_devices((528, 1456, 1360)),
        ):
            full, plain = solve(problem, steps=steps), solve_plans(problem, steps=steps)
            assert [replace(plan, reasons=()) for plan in full.plans] == list(plain.plans)
            assert (full.conflict, full.proved_minimal, full.reason, full.message) == (
                (plain.conflict, plain.proved_minimal, plain.reason, plain.message)
            )
            assert solve(problem, steps=steps) == full

    def test_wildcards_that_stand_for_millions_are_not_spelled_out(self) -> None:
        fourccs = [FormatModifier(0x30303030 + n, ANY_MODIFIER) for n in range(4096)]
        modifiers = [FormatModifier(ANY_FOURCC, n) for n in range(4096)]
        answer = solve(ask(part("a", of(fourccs)), part("b", of(modifiers))))
        assert answer.reason is FailureReason.TOO_COMPLEX


def test_an_honest_question_needs_a_sixth_of_the_budget_at_the_most(steps_of) -> None:
    pairs = [FormatModifier(XRGB.fourcc, n << 8) for n in range(1200)]
    sets = [
        of(pairs[start : start + 75], need("pitch-alignment", 64), need("max-width", 8192))
        for start in range(0, 1200, 75)
    ]
    everyone = [part(f"p{n:02}", *sets) for n in range(16)]
    assert solve(ask(*everyone, sources=(SYSTEM,))).plans
    assert steps_of(ask(*everyone, sources=(SYSTEM,))) * 6 <= DEFAULT_STEPS
