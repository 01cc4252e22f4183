"""Answers as plain dictionaries for JSON.

The keys are a contract (`schema_version` 1): more may be added, none change
their meaning. Modifiers are strings, because JSON numbers lose precision above
2**53.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from heapwire.protocol.values import (
    MAX_PLANES,
    REGISTRY,
    Answer,
    ConflictMember,
    Constraint,
    GoalFailure,
    Plan,
    Problem,
    Provenance,
    SourceId,
    Value,
    Verdict,
    fourcc_name,
    modifier_name,
)

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"
"""What a JSON text says, as `json.loads` gives it; there are no fractions in any of ours."""

Document: TypeAlias = dict[str, Json]
"""A JSON object."""

SCHEMA_VERSION = 1
"""Of the documents of answers; a greater one may have keys of another meaning."""


def bare_names(problem: Problem) -> dict[SourceId, str]:
    """The name of each source of a problem, and of those that it only names."""
    return {**problem.absent, **{source.id: source.name for source in problem.sources}}


def source_document(source: SourceId, names: Mapping[SourceId, str]) -> Document:
    """`{kind, name, major, minor}`; the name is that of the pair where none is known."""
    return {
        "kind": source.kind.name.lower(),
        "name": names.get(source, f"{source.major}:{source.minor}"),
        "major": source.major,
        "minor": source.minor,
    }


def plan_document(plan: Plan, names: Mapping[SourceId, str]) -> Document:
    """A plan; sizes, offsets and pitches in bytes."""
    layout = plan.layout
    return {
        "fourcc": fourcc_name(plan.fourcc),
        "modifier": f"{plan.modifier:#x}",
        "modifier_name": modifier_name(plan.modifier),
        "goal": plan.goal,
        "scanout": plan.scanout,
        "layout": layout.kind.name.lower(),
        "extent": {"width": layout.extent.width, "height": layout.extent.height},
        "objects": [
            {"source": source_document(object_.source, names), "size": object_.size}
            for object_ in layout.objects
        ],
        "planes": [
            {"object": plane.object, "offset": plane.offset, "pitch": plane.pitch}
            for plane in layout.planes
        ],
        "constraints": [constraint_document(kept_to, names) for kept_to in layout.constraints],
        "buffer_count": plan.buffer_count,
        "domain": None if plan.domain is None else plan.domain.name.lower(),
        "fence": None if plan.fence is None else plan.fence.name.lower(),
        "colour": None
        if plan.colour is None
        else {"encoding": plan.colour[0].name.lower(), "range": plan.colour[1].name.lower()},
        "reasons": [
            {"subject": reason.subject, "plane": reason.plane, "text": reason.text}
            for reason in plan.reasons
        ],
    }


def constraint_document(constraint: Constraint, names: Mapping[SourceId, str]) -> Document:
    """A constraint by its name, or by its number where the type is not known."""
    row = REGISTRY.get(constraint.type)
    return {
        "constraint": row.name if row is not None else f"{constraint.type:#010x}",
        "planes": _planes(constraint.planes),
        "value": value_document(constraint.value, names),
        "provenance": constraint.provenance.name.lower(),
        "must_understand": constraint.must_understand,
    }


def value_document(value: Value, names: Mapping[SourceId, str]) -> Json:
    """A value: numbers as they are, ranges as pairs, sources by name, bytes in hex."""
    if isinstance(value, int):
        return value
    if isinstance(value, bytes):
        return value.hex()
    entries: list[Json] = []
    for entry in value:
        if isinstance(entry, SourceId):
            entries.append(source_document(entry, names))
        elif isinstance(entry, tuple):
            device, number = entry
            entries.append({"device": str(device), "value": number})
        else:
            entries.append(entry)
    return entries


def _planes(mask: int) -> list[Json]:
    return [plane for plane in range(MAX_PLANES) if mask >> plane & 1]


def conflict_document(
    conflict: Sequence[ConflictMember],
    names: Mapping[SourceId, str],
    listed: Mapping[str, Provenance],
) -> list[Json]:
    """The members of a conflict; `plane` is null for the buffer or for several planes.

    `listed` says on which rung it stands that a participant has its formats and no others.
    """
    return [_member_document(member, names, listed) for member in conflict]


def _member_document(
    member: ConflictMember, names: Mapping[SourceId, str], listed: Mapping[str, Provenance]
) -> Document:
    planes = _planes(member.planes)
    rung = listed.get(member.participant)
    common: Document = {
        "participant": member.participant,
        "constraint": "formats" if member.participant != "the stream" else "buffers",
        "plane": planes[0] if len(planes) == 1 else None,
        "planes": planes,
        "value": None,
        "provenance": None if rung is None else rung.name.lower(),
        "text": member.text,
    }
    if member.constraint is not None:
        said = constraint_document(member.constraint, names)
        for key in ("constraint", "value", "provenance"):
            common[key] = said[key]
    return common


def verdict_document(verdict: Verdict, names: Mapping[SourceId, str]) -> Document:
    """What became of a source."""
    constraint = verdict.constraint
    return {
        **source_document(verdict.source, names),
        "chosen": verdict.chosen,
        "reason": verdict.text,
        "participant": verdict.participant,
        "constraint": None if constraint is None else constraint_document(constraint, names),
    }


def explain_document(problem: Problem, answer: Answer) -> Document:
    """The whole answer to a problem, for programs."""
    names, listed = bare_names(problem), _format_rungs(problem)
    document: Document = {
        "schema_version": SCHEMA_VERSION,
        "satisfiable": bool(answer.plans),
        "plans": [plan_document(plan, names) for plan in answer.plans],
        "conflict": conflict_document(answer.conflict, names, listed),
        "sources": [verdict_document(verdict, names) for verdict in answer.verdicts],
        "failures": [_failure_document(failure, names, listed) for failure in answer.failures],
        "reason": None if answer.reason is None else answer.reason.name.lower(),
        "message": answer.message,
    }
    # Only where it is so: it hardly ever is.
    return document if answer.proved_minimal else {**document, "not_proved_minimal": True}


def _format_rungs(problem: Problem) -> dict[str, Provenance]:
    """The lowest rung of each participant's formats, of those that were told of all."""
    return {
        participant.name: min(rungs)
        for participant in (
            *problem.participants,
            *(member for goal in problem.goals for member in goal.participants),
        )
        if (rungs := [one.provenance for one in participant.sets if one.provenance is not None])
        and len(rungs) == len(participant.sets)
    }


def _failure_document(
    failure: GoalFailure, names: Mapping[SourceId, str], listed: Mapping[str, Provenance]
) -> Document:
    document: Document = {
        "goal": failure.goal,
        "conflict": conflict_document(failure.conflict, names, listed),
    }
    return document if failure.proved_minimal else {**document, "not_proved_minimal": True}
