"""Who asks for what, on which rung that stands, and where it is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from heapwire.protocol.explain.answer_document import (
    Document,
    Json,
    bare_names,
    constraint_document,
)
from heapwire.protocol.solver import requirement, source_names
from heapwire.protocol.values import (
    PERMITTED_SOURCES,
    Constraint,
    ConstraintSet,
    Participant,
    Problem,
    Provenance,
    SourceId,
    fourcc_name,
)


def founded(provenance: Provenance, source: str = "") -> str:
    """The rung of a fact, and where it is said if that is known: `profile, drm_gem.c`."""
    return f"{provenance.name.lower()}, {source}" if source else provenance.name.lower()


def requirements_document(problem: Problem) -> list[Json]:
    """What each participant of a problem requires, each requirement with its rung and source.

    `formats` are those that it holds for.
    """
    names, bare = source_names(problem), bare_names(problem)
    there = [source.id for source in problem.sources]
    return [
        {
            "participant": participant.name,
            **founded_document(constraint, codes, bare),
            "text": requirement(participant.name, constraint, names),
        }
        for participant in _everyone(problem)
        for constraint, codes in required(participant.sets, there).items()
    ]


def required(
    sets: Iterable[ConstraintSet], sources: Iterable[SourceId]
) -> dict[Constraint, list[int]]:
    """Each constraint of some sets once, with the fourccs that it holds for.

    A list that permits all of the `sources` that there are is a preference, and left out.
    """
    everything = frozenset(sources)
    codes: dict[Constraint, list[int]] = {}
    for constraint_set in sets:
        for constraint in constraint_set.constraints:
            if constraint.type == PERMITTED_SOURCES.type and (
                everything.issubset(PERMITTED_SOURCES.of(constraint))
            ):
                continue
            codes.setdefault(constraint, []).extend(pair.fourcc for pair in constraint_set.formats)
    return codes


def founded_document(
    constraint: Constraint, codes: Iterable[int], names: Mapping[SourceId, str]
) -> Document:
    """A constraint with its rung, where it is said, and the formats that it holds for."""
    return {
        **constraint_document(constraint, names),
        "source": constraint.source,
        "formats": [*dict.fromkeys(fourcc_name(code) for code in codes)],
    }


def requirement_lines(requirements: Iterable[Document]) -> list[str]:
    """The requirements for people, one a line."""
    return [
        f"{one['text']} ({one['provenance']}{', ' if one['source'] else ''}{one['source']})"
        for one in requirements
    ]


def _everyone(problem: Problem) -> Iterable[Participant]:
    everyone = {participant.name: participant for participant in problem.participants}
    for goal in problem.goals:
        for participant in goal.participants:
            everyone.setdefault(participant.name, participant)
    return everyone.values()
