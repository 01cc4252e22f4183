"""The question of bench_solve.py for python-constraint2, in that library's own means."""

from __future__ import annotations

import constraint

from heapwire.protocol.values import (
    BY_NAME,
    FORMATS,
    Constraint,
    ConstraintSet,
    Participant,
    Problem,
)

PITCHES = list(range(64, (16 << 10) + 1, 64))


def participants_of(problem: Problem) -> list[Participant]:
    return [*problem.participants, *problem.goals[0].participants]


def as_constraints(problem: Problem, planes: int) -> constraint.Problem:
    """The question for python-constraint2."""
    asked = constraint.Problem()
    everyone = participants_of(problem)
    named = sorted({pair for one in everyone for s in one.sets for pair in s.formats})
    places = list(range(len(problem.sources)))
    variables = [f"plane{plane}" for plane in range(planes)]
    asked.addVariable("pair", named)
    asked.addVariables(variables, places)
    known = {pair.fourcc: FORMATS[pair.fourcc] for pair in named if pair.fourcc in FORMATS}
    if known:
        width = problem.extents.allocated.width
        rows = {fourcc: format_.planes[0].row_bytes(width) for fourcc, format_ in known.items()}
        asked.addVariable("pitch", PITCHES)
        asked.addConstraint(lambda pair, pitch: pitch >= rows[pair.fourcc], ["pair", "pitch"])
    for participant in everyone:
        sets = {pair: one for one in participant.sets for pair in one.formats}
        asked.addConstraint(constraint.InSetConstraint(set(sets)), ["pair"])
        stated = {c for one in participant.sets for c in one.constraints}
        if known and any(_is(c, "pitch-alignment") for c in stated):
            alignments = {pair: _value(one, "pitch-alignment", 1) for pair, one in sets.items()}
            asked.addConstraint(
                lambda pair, pitch, alignments=alignments: pitch % alignments[pair] == 0,
                ["pair", "pitch"],
            )
        if any(_is(c, "contiguous") for c in stated):
            strict = {pair for pair, one in sets.items() if _value(one, "contiguous", 0)}
            for variable in variables:
                asked.addConstraint(
                    lambda pair, place, strict=strict: (
                        pair not in strict or problem.sources[place].contiguous is True
                    ),
                    ["pair", variable],
                )
        for c in stated:
            spoken = [variables[plane] for plane in range(planes) if c.planes >> plane & 1]
            if _is(c, "same-source"):
                asked.addConstraint(constraint.AllEqualConstraint(), spoken)
            elif _is(c, "different-source"):
                asked.addConstraint(constraint.AllDifferentConstraint(), spoken)
    return asked


def any_answer(planes: int, problem: Problem) -> object:
    return as_constraints(problem, planes).getSolution()


def all_answers(planes: int, problem: Problem) -> object:
    return as_constraints(problem, planes).getSolutions()


def _value(one: ConstraintSet, name: str, default: int) -> int:
    return next((int(str(c.value)) for c in one.constraints if _is(c, name)), default)


def _is(one: Constraint, name: str) -> bool:
    return one.type == BY_NAME[name].type
