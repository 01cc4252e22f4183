"""Why the answer is what it is: reasons for a plan, a verdict on every source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from heapwire.protocol.model.answer import ConflictMember, FailureReason, Verdict
from heapwire.protocol.model.choice import Choice
from heapwire.protocol.model.constraint import ALL_PLANES, Constraint
from heapwire.protocol.model.constraint_type import REGISTRY
from heapwire.protocol.model.fixed_layout import changes
from heapwire.protocol.model.format import fourcc_name
from heapwire.protocol.model.judge import RULES, needs_clean_memory
from heapwire.protocol.model.layout import LayoutKind
from heapwire.protocol.model.memory import Memory
from heapwire.protocol.model.merge import BOTTOM, lift
from heapwire.protocol.model.merge_rule import WHOLE, Merged, T
from heapwire.protocol.model.modifier import modifier_name
from heapwire.protocol.model.plan import Plan, Reason
from heapwire.protocol.model.problem import Problem
from heapwire.protocol.model.search import Found, Search
from heapwire.protocol.model.sentence import (
    Names,
    listed,
    planes_text,
    requirement,
    says,
    source_name,
    source_names,
)
from heapwire.protocol.model.source import Source, SourceId, SourceKind
from heapwire.protocol.model.voice import CONTENT, Voice

Demand = tuple[str, Constraint]
"""A participant's name and one of its constraints."""


def demands_of(voices: Sequence[Voice], choice: Choice) -> list[Demand]:
    """Every constraint in a choice of sets with who makes it, in a fixed order."""
    return sorted(
        (
            (voice.name, constraint)
            for voice, position in zip(voices, choice.sets, strict=True)
            for constraint in voice.constraints(position)
        ),
        key=lambda one: (
            one[0] == CONTENT,
            one[0],
            one[1].type,
            one[1].planes,
            repr(one[1].value),
        ),
    )


def reasons_of(problem: Problem, voices: Sequence[Voice], found: Found) -> tuple[Reason, ...]:
    """Who demanded each property of a plan."""
    names = source_names(problem)
    by_subject: dict[str, list[Demand]] = {}
    for name, constraint in demands_of(voices, found.choice):
        row = REGISTRY.get(constraint.type)
        # That ordinary content is in ordinary memory goes without saying.
        obvious = name == CONTENT and not problem.content.protected
        if row is not None and not row.condition and not obvious:
            by_subject.setdefault(row.subject, []).append((name, constraint))
    plan = found.plan
    reasons = [_format_reason(voices, found)]
    reasons += _source_reasons(found, by_subject, names)
    layout = plan.layout
    for index, plane in enumerate(layout.planes):
        reasons.append(_plane_reason("pitch", plane.pitch, index, by_subject, names))
        if plane.offset or _spoken(("offset", "address"), index, by_subject):
            reasons.append(
                _plane_reason("offset", plane.offset, index, by_subject, names, ("address",))
            )
    if layout.kind is LayoutKind.EXACT:
        reasons.append(_extent_reason(problem, plan, by_subject, names))
        for one in layout.objects:
            said = _said(by_subject, ("size", "rows", "padding", "padding per macroblock"), names)
            text = f"size {one.size}: {said or 'its planes, and no more'}"
            reasons.append(Reason("size", text))
    reasons.append(_count_reason(problem, plan, by_subject, names))
    reasons += _agreed_reasons(plan, by_subject, names)
    return tuple(reasons)


def _format_reason(voices: Sequence[Voice], found: Found) -> Reason:
    named = [voice.name for voice in voices if voice.offers is not None]
    text = (
        f"{fourcc_name(found.pair.fourcc)} {modifier_name(found.pair.modifier)}:"
        f" known to {listed(named)}"
    )
    return Reason("format", text)


def _source_reasons(
    found: Found, by_subject: dict[str, list[Demand]], names: Names
) -> Iterator[Reason]:
    planes: dict[SourceId, int] = {}
    for plane, source in enumerate(found.sources):
        planes[source.id] = planes.get(source.id, 0) | 1 << plane
    everything = len(planes) == 1
    for id_, mask in planes.items():
        said = _said(by_subject, ("memory", "planes", "coherency"), names, mask)
        where = "" if everything else f" for {planes_text(mask)}"
        text = f"{names[id_]}{where}: {said or 'nobody asks for more'}"
        lowest = None if everything else (mask & -mask).bit_length() - 1
        yield Reason("source", text, lowest)


def _plane_reason(
    subject: str,
    number: int,
    plane: int,
    by_subject: dict[str, list[Demand]],
    names: Names,
    more: tuple[str, ...] = (),
) -> Reason:
    said = _said(by_subject, (subject, *more), names, 1 << plane)
    plain = "the bytes of a row" if subject == "pitch" else "behind the plane before it"
    return Reason(subject, f"{subject} {number}: {said or plain}", plane)


def _spoken(subjects: Iterable[str], plane: int, by_subject: dict[str, list[Demand]]) -> bool:
    return any(
        (constraint.planes or ALL_PLANES) >> plane & 1
        for subject in subjects
        for _, constraint in by_subject.get(subject, ())
    )


def _extent_reason(
    problem: Problem, plan: Plan, by_subject: dict[str, list[Demand]], names: Names
) -> Reason:
    said = _said(by_subject, ("width", "height", "area"), names)
    picture = problem.extents.allocated
    text = f"room for {plan.layout.extent}: the picture is {picture}"
    return Reason("extent", f"{text}; {said}" if said else text)


def _count_reason(
    problem: Problem, plan: Plan, by_subject: dict[str, list[Demand]], names: Names
) -> Reason:
    counts = problem.counts
    said = _said(by_subject, ("count",), names)
    text = (
        f"{plan.buffer_count} buffers: {counts.minimum} for the producer,"
        f" {counts.queue} in flight, {counts.hold} held by the compositor"
    )
    return Reason("count", f"{text}; {said}" if said else text)


def _agreed_reasons(
    plan: Plan, by_subject: dict[str, list[Demand]], names: Names
) -> Iterator[Reason]:
    if plan.domain is not None and "coherency" in by_subject:
        said = _said(by_subject, ("coherency",), names)
        yield Reason("coherency", f"coherency {plan.domain.name.lower()}: {said}")
    if plan.fence is not None:
        said = _said(by_subject, ("fences",), names)
        yield Reason("fence", f"fences {plan.fence.name.lower()}: {said}")
    if plan.colour is not None:
        said = _said(by_subject, ("colour",), names)
        encoding, range_ = plan.colour
        yield Reason("colour", f"{encoding.name} {range_.name.lower()}: {said}")


def _said(
    by_subject: dict[str, list[Demand]],
    subjects: Iterable[str],
    names: Names,
    planes: int = ALL_PLANES,
) -> str:
    """`a multiple of 64 bytes for display, a multiple of 256 bytes for decoder`."""
    wanted: dict[str, list[str]] = {}
    for subject in subjects:
        for name, constraint in by_subject.get(subject, ()):
            if (constraint.planes or ALL_PLANES) & planes:
                text = says(constraint, names)
                who = wanted.setdefault(text, [])
                if name not in who:
                    who.append(name)
    return ", ".join(f"{text} for {listed(who)}" for text, who in wanted.items())


def verdicts_of(
    problem: Problem, memory: Memory, search: Search, best: Found | None
) -> tuple[Verdict, ...]:
    """What became of each source, in the order in which they are given away.

    They are judged against the best plan's choice of sets; without a plan,
    against everyone's first choice.
    """
    names = source_names(problem)
    first = min(
        search.choices(), key=lambda one: (one[0].alternative, one[0].cost, sorted(one[1])),
        default=None,
    ) if best is None else None  # fmt: skip
    choice = best.choice if best is not None else first[0] if first is not None else None
    demands = demands_of(search.voices, choice) if choice is not None else []
    planes = len(best.sources) if best is not None else 1
    chosen: dict[SourceId, int] = {}
    for plane, source in enumerate(best.sources if best is not None else ()):
        chosen[source.id] = chosen.get(source.id, 0) | 1 << plane
    return tuple(
        _verdict(source, position, memory, search, demands, chosen, planes, best, names)
        for position, source in enumerate(memory.sources)
    )


def _verdict(
    source: Source,
    position: int,
    memory: Memory,
    search: Search,
    demands: list[Demand],
    chosen: dict[SourceId, int],
    planes: int,
    best: Found | None,
    names: Names,
) -> Verdict:
    here = source_name(source)
    if source.id in chosen:
        where = "" if len(chosen) == 1 else f" for {planes_text(chosen[source.id])}"
        return Verdict(
            source=source.id, name=source.name, chosen=True, text=f"{here} is chosen{where}"
        )
    left = (1 << planes) - 1
    for name, constraint in demands:
        left &= ~_refused_planes(constraint, position, memory, search, planes)
        if not left:
            return Verdict(
                source=source.id,
                name=source.name,
                chosen=False,
                text=f"{requirement(name, constraint, names)}; {here} is not",
                participant=name,
                constraint=constraint,
                planes=constraint.planes,
            )
    text = _by_rank(source, memory, demands, best, names)
    return Verdict(source=source.id, name=source.name, chosen=False, text=text)


def _refused_planes(
    constraint: Constraint, position: int, memory: Memory, search: Search, planes: int
) -> int:
    """The planes that a source cannot hold because of one constraint."""
    if constraint.type not in RULES:
        return 0
    lifted = lift((constraint,), planes=planes, substitutes=search.voices[0].substitutes)
    if lifted is BOTTOM:
        return (1 << planes) - 1
    refused = 0
    for (type_, plane), value in lifted.items():
        if not memory.judge.meeting(type_, value) >> position & 1:
            refused |= (1 << planes) - 1 if plane == WHOLE else 1 << plane
    return refused


def _by_rank(
    source: Source, memory: Memory, demands: list[Demand], best: Found | None, names: Names
) -> str:
    """Why a source that meets every requirement by itself is not used."""
    here = source_name(source)
    if best is None:
        return f"{here} meets what is asked of a source; something else stands in the way"
    if needs_clean_memory(best.merged) and source.cached is not False:
        snooper = _who(demands, T["no-snoop"])
        return f"{snooper} does not snoop the CPU's caches, and {here} is cached"
    needed = best.plan.buffer_count * max(one.size for one in best.plan.layout.objects)
    if source.capacity is not None and source.capacity < needed:
        return f"{here} has {source.capacity} bytes, and the buffers need {needed}"
    winner = best.sources[0]
    if any(
        constraint.type == T["permitted-sources"] and source.id in cast("tuple[SourceId]", listed_)
        for _, constraint in demands
        for listed_ in (constraint.value,)
    ):
        return f"{here} would do; {source_name(winner)} is preferred"
    if source.id.kind is SourceKind.UDMABUF:
        return f"{here} would do; it is the last resort"
    if _apart(best.merged) and source.id not in {one.id for one in best.sources}:
        return f"{here} would do for a plane; {source_name(winner)} is less scarce"
    if memory.position[winner.id] < memory.position[source.id]:
        return f"{here} would do; {source_name(winner)} is less scarce"
    return f"{here} would do; {source_name(winner)} ranks before it"


def _who(demands: list[Demand], type_: int) -> str:
    return listed(dict.fromkeys(name for name, one in demands if one.type == type_))


def _apart(merged: Merged) -> bool:
    return (T["different-source"], WHOLE) in merged


def conflict_message(
    problem: Problem,
    search: Search,
    reason: FailureReason,
    conflict: tuple[ConflictMember, ...],
) -> str:
    """One line for logs: the conflict's sentences, or what a fixed buffer would need."""
    if reason is FailureReason.NO_SOURCE:
        return "there is no source of memory"
    text = "; ".join(member.text for member in conflict)
    fixed = problem.fixed
    if fixed is None or reason is not FailureReason.CONFLICT:
        return text or "nothing meets every requirement"
    return "; ".join(_fixed_changes(problem, search)) or text or "the buffer is not usable"


def _fixed_changes(problem: Problem, search: Search) -> list[str]:
    """The smallest changes to a fixed buffer, for the choice that needs the fewest."""
    fixed = problem.fixed
    if fixed is None:
        return []
    best: list[str] | None = None
    planes = max(1, len(fixed.layout.planes))
    for choice, _ in search.choices():
        group = search.group(choice, planes)
        if group is None:
            continue
        needed = [str(change) for change in changes(fixed, group.merged, problem.extents)]
        if best is None or (len(needed), needed) < (len(best), best):
            best = needed
    return best or []
