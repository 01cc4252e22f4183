"""An explanation as a graph for Graphviz: who takes part, what they need, and the memory."""

from __future__ import annotations

from collections.abc import Iterator

from heapwire.cli.pages.layout_drawing import source_name
from heapwire.cli.terminal import documents
from heapwire.kernel.description import Platform, usage_name
from heapwire.protocol.explain import Document, explain_document
from heapwire.protocol.values import Answer, Participant, Problem


def explain_dot(platform: Platform, problem: Problem, answer: Answer) -> str:
    """The graph in the language of dot(1)."""
    return "\n".join(_lines(platform, problem, explain_document(problem, answer))) + "\n"


def _lines(platform: Platform, problem: Problem, document: Document) -> Iterator[str]:
    yield "digraph heapwire {"
    title = f"{platform.title or platform.name}: {problem.extents.coded}"
    yield f'  graph [rankdir=LR, labelloc=t, label={_quoted(title)}, fontname="sans-serif"];'
    yield '  node [shape=box, style=rounded, fontname="sans-serif"];'
    everyone = _everyone(problem)
    for name, participant in everyone.items():
        usage = usage_name(participant.usage) or "asks for a format"
        yield f"  {_quoted('who ' + name)} [label={_quoted(name, usage)}];"
    plans = documents(document["plans"])
    if plans:
        yield from _plan(plans[0], _needed(problem, plans[0]))
    else:
        yield f"  plan [label={_quoted('no plan', str(document['message']))}, color=red];"
        for name in dict.fromkeys(
            str(member["participant"]) for member in documents(document["conflict"])
        ):
            if name in everyone:
                yield f"  {_quoted('who ' + name)} -> plan [color=red];"
    for source in documents(document["sources"]):
        look = "penwidth=2" if source["chosen"] else "style=dashed"
        label = _quoted(str(source["name"]), str(source["reason"]))
        yield f"  {_quoted('source ' + str(source['name']))} [label={label}, {look}];"
    names = " ".join(
        f"{_quoted('source ' + str(source['name']))};" for source in documents(document["sources"])
    )
    if names:
        yield f"  {{rank=sink; {names}}}"
    yield "}"


def _needed(problem: Problem, plan: Document) -> list[str]:
    """Who a plan is for: who fills the buffers, and those of its goal."""
    members = [*problem.participants]
    for goal in problem.goals:
        if goal.name == plan["goal"]:
            members += goal.participants
    return list(dict.fromkeys(member.name for member in members))


def _plan(plan: Document, members: list[str]) -> Iterator[str]:
    how = "scanned out" if plan["scanout"] else "sampled, not scanned out"
    pair = f"{plan['fourcc']} {plan['modifier_name']}"
    yield f"  plan [label={_quoted(pair, how)}, shape=ellipse];"
    for name in members:
        yield f"  {_quoted('who ' + name)} -> plan;"
    for number, entry in enumerate(documents(plan["objects"])):
        planes = [
            f"plane {index}: offset {plane['offset']}, pitch {plane['pitch']}"
            for index, plane in enumerate(documents(plan["planes"]))
            if plane["object"] == number
        ]
        size = (
            f"object {number}"
            if entry["size"] is None
            else f"object {number}: {entry['size']} bytes"
        )
        yield f"  object{number} [label={_quoted(size, *planes)}];"
        yield f"  plan -> object{number};"
        yield f"  object{number} -> {_quoted('source ' + source_name(entry))};"


def _everyone(problem: Problem) -> dict[str, Participant]:
    """All who take part for some goal, by name."""
    members = [*problem.participants]
    members += [member for goal in problem.goals for member in goal.participants]
    return {member.name: member for member in members}


def _quoted(*lines: str) -> str:
    """Lines as a string of dot's, in which nothing is markup or an escape."""
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") for line in lines)
    return '"' + "\\n".join(escaped) + '"'
