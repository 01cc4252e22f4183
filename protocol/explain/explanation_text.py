"""Explanations for people: text made from the documents of answers.

It is made from the document, so that whoever has only that, such as a recorded one,
reads the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from heapwire.protocol.explain.answer_document import Document, Json


def render_explain(document: Document) -> str:
    """The explanation of `explain_document` for people, as a tree; ends without a newline."""
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
            yield from _tree(_conflict_lines(document))
    # Without plans the conflict above is the failure of the goal that asks for least.
    for failure in _documents(document["failures"]) if plans else ():
        yield f"not {failure['goal']}"
        yield from _tree(_conflict_lines(failure))
    sources = _documents(document["sources"])
    if sources:
        yield "sources"
        yield from _tree(
            [
                f"{source['name']} ({source['major']}:{source['minor']}):"
                f" {'chosen' if source['chosen'] else 'not chosen'}; {source['reason']}"
                f"{_rung(source)}"
                for source in sources
            ]
        )


def _plan_line(plan: Document) -> str:
    objects = _documents(plan["objects"])
    names = " + ".join(str(_document(object_["source"])["name"]) for object_ in objects)
    return f"{plan['goal']}: {plan['fourcc']} {plan['modifier_name']} from {names}"


def _plan_lines(plan: Document) -> Iterator[str]:
    yield _plan_line(plan)
    extent, count = _document(plan["extent"]), plan["buffer_count"]
    lines = [
        f"layout {plan['layout']}, room for {extent['width']}x{extent['height']},"
        f" {count} buffer{'s' * (count != 1)}"
    ]
    for index, object_ in enumerate(_documents(plan["objects"])):
        source = _document(object_["source"])
        size = f"{object_['size']} bytes" if object_["size"] else "as its driver decides"
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


def _conflict_lines(document: Document) -> list[str]:
    """The members of the conflict of an answer or of a goal."""
    lines = [_member_line(member) for member in _documents(document["conflict"])]
    if not document.get("not_proved_minimal"):
        return lines
    if not lines:
        return ["too complex to tell why"]
    return [*lines, "not proved minimal: some of these may not be needed for the contradiction"]


def _member_line(member: Document) -> str:
    provenance = member["provenance"]
    return f"{member['text']} ({provenance})" if provenance else str(member["text"])


def _rung(verdict: Document) -> str:
    """On which rung the requirement stands that a source does not meet."""
    constraint = verdict["constraint"]
    return f" ({constraint['provenance']})" if isinstance(constraint, dict) else ""


def _tree(lines: Sequence[str]) -> Iterator[str]:
    for index, line in enumerate(lines):
        yield f"{'└───' if index == len(lines) - 1 else '├───'} {line}"


def _documents(value: Json) -> list[Document]:
    """The objects in a list of a document."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _document(value: Json) -> Document:
    assert isinstance(value, dict), value
    return value
