"""Answers as plain dictionaries for JSON, and text for people rendered from the same.

The keys are a contract (`schema_version` 1): more may be added, none change
their meaning. Modifiers are strings, because JSON numbers lose precision above
2**53.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias, cast

from heapwire.protocol.values import (
    MAX_PLANES,
    REGISTRY,
    Answer,
    ConflictMember,
    Constraint,
    Plan,
    Problem,
    SourceId,
    Value,
    Verdict,
    fourcc_name,
    modifier_name,
)

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"
Document: TypeAlias = dict[str, Json]

SCHEMA_VERSION = 1


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
            {"source": source_document(one.source, names), "size": one.size}
            for one in layout.objects
        ],
        "planes": [
            {"object": plane.object, "offset": plane.offset, "pitch": plane.pitch}
            for plane in layout.planes
        ],
        "constraints": [constraint_document(one, names) for one in layout.constraints],
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
        "planes": [plane for plane in range(MAX_PLANES) if constraint.planes >> plane & 1],
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


def conflict_document(
    conflict: Sequence[ConflictMember], names: Mapping[SourceId, str]
) -> list[Json]:
    """The members of a conflict; `plane` is null for the buffer or for several planes."""
    return [_member_document(member, names) for member in conflict]


def _member_document(member: ConflictMember, names: Mapping[SourceId, str]) -> Document:
    one = member.planes and member.planes & (member.planes - 1) == 0
    planes = [plane for plane in range(MAX_PLANES) if member.planes >> plane & 1]
    common: Document = {
        "participant": member.participant,
        "constraint": "formats" if member.participant != "the stream" else "buffers",
        "plane": planes[0] if one else None,
        "planes": cast("list[Json]", planes),
        "value": None,
        "provenance": None,
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
    names = bare_names(problem)
    return {
        "schema_version": SCHEMA_VERSION,
        "satisfiable": bool(answer.plans),
        "plans": [plan_document(plan, names) for plan in answer.plans],
        "conflict": conflict_document(answer.conflict, names),
        "sources": [verdict_document(verdict, names) for verdict in answer.verdicts],
        "failures": [
            {"goal": one.goal, "conflict": conflict_document(one.conflict, names)}
            for one in answer.failures
        ],
        "reason": None if answer.reason is None else answer.reason.name.lower(),
        "message": answer.message,
    }


def render_explain(document: Document) -> str:
    """An explanation for people, as a tree; ends without a newline."""
    return "\n".join(_explained(document))


def _explained(document: Document) -> Iterator[str]:
    plans = _documents(document["plans"])
    if plans:
        yield from _plan_lines(plans[0])
        if len(plans) > 1:
            yield f"{len(plans) - 1} more plan{'s' if len(plans) > 2 else ''}"
            yield from _tree([_plan_line(plan) for plan in plans[1:]])
    else:
        yield f"no plan: {document['message']}"
        conflict = _documents(document["conflict"])
        if conflict:
            yield "the requirements that contradict each other"
            yield from _tree([_member_line(member) for member in conflict])
    for failure in _documents(document["failures"]) if plans else ():
        yield f"not {failure['goal']}"
        yield from _tree([_member_line(one) for one in _documents(failure["conflict"])])
    sources = _documents(document["sources"])
    if sources:
        yield "sources"
        yield from _tree(
            [
                f"{source['name']} ({source['major']}:{source['minor']}):"
                f" {'chosen' if source['chosen'] else 'not chosen'}; {source['reason']}"
                for source in sources
            ]
        )


def _plan_line(plan: Document) -> str:
    objects = _documents(plan["objects"])
    places = " + ".join(str(_document(one["source"])["name"]) for one in objects)
    return f"{plan['goal']}: {plan['fourcc']} {plan['modifier_name']} from {places}"


def _plan_lines(plan: Document) -> Iterator[str]:
    yield _plan_line(plan)
    extent = _document(plan["extent"])
    lines = [
        f"layout {plan['layout']}, room for {extent['width']}x{extent['height']},"
        f" {plan['buffer_count']} buffers"
    ]
    for index, one in enumerate(_documents(plan["objects"])):
        source = _document(one["source"])
        size = f"{one['size']} bytes" if one["size"] else "as its allocator decides"
        lines.append(
            f"object {index}: {source['kind']} {source['name']}"
            f" ({source['major']}:{source['minor']}), {size}"
        )
    for index, plane in enumerate(_documents(plan["planes"])):
        lines.append(
            f"plane {index}: object {plane['object']}, offset {plane['offset']},"
            f" pitch {plane['pitch']}"
        )
    for reason in _documents(plan["reasons"]):
        where = "" if reason["plane"] is None else f"plane {reason['plane']}: "
        lines.append(f"why: {where}{reason['text']}")
    yield from _tree(lines)


def _member_line(member: Document) -> str:
    provenance = member["provenance"]
    return f"{member['text']} ({provenance})" if provenance else str(member["text"])


def _tree(lines: Sequence[str]) -> Iterator[str]:
    for index, line in enumerate(lines):
        yield f"{'└───' if index == len(lines) - 1 else '├───'} {line}"


def _documents(value: Json) -> list[Document]:
    return cast("list[Document]", value)


def _document(value: Json) -> Document:
    return cast("Document", value)
