"""What is merged once for all sets that say the same, and what is not the same."""

from __future__ import annotations

import pytest
from problem_building import CMA, NV12, SYSTEM, XRGB, YUV420, ask, display, need, of, pair, part

from heapwire.protocol.solver import merged_group, prepared_participant, solve_plans
from heapwire.protocol.values import Constraint, Problem

ARGB = pair("ARGB8888")


def told_apart(*sets: tuple[Constraint, ...]) -> Problem:
    """A decoder with a format of one plane in each set, and a display that takes them all."""
    formats = [XRGB, ARGB][: len(sets)]
    return ask(
        part(
            "decoder",
            *(of(one, *constraints) for one, constraints in zip(formats, sets, strict=True)),
        ),
        display(of(formats, need("max-width", 4096))),
        sources=(SYSTEM, CMA),
    )


def test_sets_with_the_same_constraints_are_merged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    for module, name in ((prepared_participant, "lift"), (merged_group, "join")):
        real = getattr(module, name)

        def counted(*args: object, name=name, real=real, **how: object) -> object:
            done.append(name)
            return real(*args, **how)

        monkeypatch.setattr(module, name, counted)
    wanted = need("pitch-alignment", 96), need("max-pitch", 16384)
    same = [of(one, need("pitch-alignment", 96), need("max-pitch", 16384)) for one in (XRGB, ARGB)]
    answer = solve_plans(ask(part("decoder", *same, of(NV12, *wanted[:1]), of(YUV420, *wanted))))
    assert {plan.fourcc for plan in answer.plans} == {XRGB.fourcc, ARGB.fourcc, NV12.fourcc,
                                                      YUV420.fourcc}  # fmt: skip
    # One plane, two with less said, three: three demands, and as many merges.
    assert sorted(done) == ["join"] * 3 + ["lift"] * 3


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (need("pitch-alignment", 64), need("pitch-alignment", 4096)),
        (
            need("permitted-sources", (SYSTEM.id, CMA.id)),
            need("permitted-sources", (CMA.id, SYSTEM.id)),
        ),
    ],
    ids=["another value", "another order"],
)
def test_what_one_set_says_is_not_taken_for_what_another_does(
    first: Constraint, second: Constraint
) -> None:
    answer = solve_plans(told_apart((first,), (second,)))
    best = {plan.fourcc: plan for plan in reversed(answer.plans)}
    alone = [solve_plans(told_apart((one,))).plans[0].layout for one in (first, second)]
    assert [best[one.fourcc].layout for one in (XRGB, ARGB)] == alone
    assert alone[0] != alone[1]
