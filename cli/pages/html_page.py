"""An explanation as one page of HTML that needs nothing else.

From left to right: who takes part and what they
need, what that comes to, and the memory there is, with what was refused struck
out; on a phone what it comes to is first. Everything on it is in the explanation's
document, or in the problem.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from heapwire.cli.pages.layout_drawing import DRAWING_STYLE, drawn_objects, source_name
from heapwire.cli.terminal import documents
from heapwire.kernel.description import Platform, usage_name
from heapwire.protocol.explain import Document, explain_document, founded, pair_groups, pair_name
from heapwire.protocol.solver import Names, planes_text, says, source_names
from heapwire.protocol.values import (
    REGISTRY,
    Answer,
    Constraint,
    ConstraintSet,
    FormatModifier,
    Participant,
    Problem,
    fourcc_name,
)

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --dim: #5b6675; --paper: #f6f7f9;
  --card: #fff; --line: #d5dae1; --good: #17693a; --bad: #a3261c; --mark: #2457a6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --dim: #9aa5b4;
  --paper: #14181e; --card: #1d232b; --line: #36404c; --good: #62c48b; --bad: #f08b80;
  --mark: #8ab4f8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem; max-width: 84rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.45 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0 0 .3rem; }
h2 { font-size: 1rem; margin: 0 0 .6rem; color: var(--dim); font-weight: 600; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
p { margin: .25rem 0; }
.verdict { font-weight: 600; margin-bottom: 1.2rem; }
.good { color: var(--good); } .fair { color: var(--ink); } .bad { color: var(--bad); }
.columns { display: grid; gap: 1.25rem;
  grid-template-columns: minmax(0, 1fr) minmax(0, 1.15fr) minmax(0, 1fr); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .7rem .85rem; margin-bottom: .75rem; overflow-wrap: anywhere; }
.card.chosen { border-color: var(--good); border-width: 2px; }
.card.refused h3 { text-decoration: line-through; text-decoration-thickness: 2px;
  text-decoration-color: var(--bad); color: var(--dim); }
.dim { color: var(--dim); font-size: .875rem; }
ul { margin: .35rem 0 0; padding-left: 1.1rem; } li { margin: .15rem 0; }
@media (max-width: 52rem) { .columns { grid-template-columns: minmax(0, 1fr); }
  .columns section:nth-child(2) { order: -1; } body { padding: .85rem; } }
"""


def explain_page(platform: Platform, problem: Problem, answer: Answer) -> str:
    """The page for one problem and its answer."""
    document = explain_document(problem, answer)
    title = f"{platform.title or platform.name}: {problem.extents.coded}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}{DRAWING_STYLE}</style></head>\n<body>"
        f"<h1>{escape(title)}</h1>{_verdict(document)}"
        f'<div class="columns"><section><h2>Who takes part</h2>{_participants(problem)}</section>'
        f"<section><h2>What that comes to</h2>{_outcome(document)}</section>"
        f"<section><h2>The memory there is</h2>{_sources(document)}</section></div>"
        "</body></html>\n"
    )


def _verdict(document: Document) -> str:
    plans = documents(document["plans"])
    if not plans:
        return f'<p class="verdict bad">No plan: {_text(document["message"])}</p>'
    plan = plans[0]
    names = " and ".join(dict.fromkeys(map(source_name, documents(plan["objects"]))))
    how = "scanned out" if plan["scanout"] else "sampled, not scanned out"
    what = f"{plan['fourcc']} {plan['modifier_name']}"
    colour = "good" if plan["scanout"] else "fair"
    return f'<p class="verdict {colour}">{_text(what)} from {_text(names)}, {how}</p>'


def _participants(problem: Problem) -> str:
    everyone = {participant.name: participant for participant in problem.participants}
    for goal in problem.goals:
        everyone.update((participant.name, participant) for participant in goal.participants)
    return "".join(_participant(participant, problem) for participant in everyone.values())


def _participant(participant: Participant, problem: Problem) -> str:
    usage = usage_name(participant.usage) or "asks for a format"
    sets = "".join(_set(alternative, problem) for alternative in participant.sets)
    body = sets or '<p class="dim">anything will do</p>'
    return _card(participant.name, f'<p class="dim">{_text(usage)}</p>{body}')


def _set(constraint_set: ConstraintSet, problem: Problem) -> str:
    names = source_names(problem)
    groups = pair_groups(map(pair_name, sorted(constraint_set.formats, key=_by_name)))
    formats = "; ".join(
        f"{', '.join(codes)} with {', '.join(modifiers)}" for codes, modifiers in groups
    )
    needs = [
        f"{_text(_need(constraint, names))} "
        f'<span class="dim">({_text(founded(constraint.provenance, constraint.source))})</span>'
        for constraint in constraint_set.constraints
    ]
    rung = constraint_set.provenance
    told = "" if rung is None else f" ({founded(rung, constraint_set.source)})"
    return f'<p class="dim">for {_text(formats + told)}</p>{_list(needs)}'


def _by_name(pair: FormatModifier) -> tuple[str, int]:
    return fourcc_name(pair.fourcc), pair.modifier


def _need(constraint: Constraint, names: Names) -> str:
    row = REGISTRY.get(constraint.type)
    what = f"type {constraint.type:#010x}" if row is None else row.name
    where = f", {planes_text(constraint.planes)}" if constraint.planes else ""
    return f"{what}{where}: {says(constraint, names)}"


def _outcome(document: Document) -> str:
    plans = documents(document["plans"])
    parts = [_plan(plans[0])] if plans else [_conflict("What contradicts", document)]
    parts += [
        _conflict(f"Why not {failure['goal']}", failure)
        for failure in documents(document["failures"])
    ]
    return "".join(parts if plans else parts[:1])


def _plan(plan: Document) -> str:
    objects = documents(plan["objects"])
    rows = drawn_objects(plan) if documents(plan["planes"]) else ""
    if not rows:
        rows = _card(
            "Left to the allocator", "".join(_text(source_name(entry)) for entry in objects)
        )
    reasons = [
        _text(
            reason["text"]
            if reason["plane"] is None
            else f"plane {reason['plane']}: {reason['text']}"
        )
        for reason in documents(plan["reasons"])
    ]
    return rows + _card("Why", _list(reasons))


def _conflict(title: str, document: Document) -> str:
    members = [_text(member["text"]) + _rung(member) for member in documents(document["conflict"])]
    return _card(title, _list(members)) if members else ""


def _rung(member: Document) -> str:
    rung = member["provenance"]
    return f' <span class="dim">({_text(rung)})</span>' if rung else ""


def _sources(document: Document) -> str:
    return "".join(
        f'<div class="card {"chosen" if source["chosen"] else "refused"}">'
        f"<h3>{_text(source['name'])}</h3>"
        f'<p class="dim">{_text(source["kind"])} {source["major"]}:{source["minor"]}</p>'
        f"<p>{_text(source['reason'])}</p></div>"
        for source in documents(document["sources"])
    )


def _card(title: str, body: str) -> str:
    return f'<div class="card"><h3>{_text(title)}</h3>{body}</div>'


def _list(items: Iterable[str]) -> str:
    entries = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{entries}</ul>" if entries else ""


def _text(value: object) -> str:
    return escape(str(value))
