"""What became of each source, and one line about a failure."""

from __future__ import annotations

from typing import cast

from heapwire.protocol.explain.plan_reasons import Demand, demands_of
from heapwire.protocol.solver import (
    BOTTOM,
    WHOLE,
    Found,
    Merged,
    RankedSources,
    Search,
    SetChoice,
    T,
    changes,
    lift,
    listed,
    needs_clean_memory,
    planes_text,
    requirement,
    source_name,
    source_names,
)
from heapwire.protocol.values import (
    FORMATS,
    PAGE_SIZE,
    ConflictMember,
    Constraint,
    FailureReason,
    FormatModifier,
    Problem,
    Source,
    SourceId,
    SourceKind,
    Verdict,
)


def verdicts_of(
    problem: Problem, memory: RankedSources, search: Search, best: Found | None
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
    planes = len(best.sources) if best is not None else _planes_of(first)
    chosen: dict[SourceId, int] = {}
    for plane, source in enumerate(best.sources if best is not None else ()):
        chosen[source.id] = chosen.get(source.id, 0) | 1 << plane
    judged = []
    for name, constraint in demands:
        lifted = lift((constraint,), planes=planes, substitutes=search.voices[0].substitutes)
        able = (0,) * planes if lifted is BOTTOM else memory.judge.domains(lifted, planes)
        judged.append((name, constraint, able))
    verdicts = []
    for position, source in enumerate(memory.sources):
        if source.id in chosen:
            where = "" if len(chosen) == 1 else f" for {planes_text(chosen[source.id])}"
            text = f"{names[source.id]} is chosen{where}"
            verdicts.append(Verdict(source=source.id, name=source.name, chosen=True, text=text))
            continue
        refusal = _refusal(position, planes, judged)
        if refusal is None:
            text = _by_rank(source, memory, demands, best)
            verdicts.append(Verdict(source=source.id, name=source.name, chosen=False, text=text))
            continue
        name, constraint = refusal
        verdicts.append(
            Verdict(
                source=source.id,
                name=source.name,
                chosen=False,
                text=f"{requirement(name, constraint, names)}; {names[source.id]} is not",
                participant=name,
                constraint=constraint,
                planes=constraint.planes,
            )
        )
    return tuple(verdicts)


def _planes_of(first: tuple[SetChoice, list[FormatModifier]] | None) -> int:
    """The planes of the pairs of a choice, as far as they are known: the fewest."""
    known = [FORMATS[pair.fourcc] for pair in first[1] if pair.fourcc in FORMATS] if first else []
    return min((len(format_.planes) for format_ in known), default=1)


def _refusal(
    position: int, planes: int, judged: list[tuple[str, Constraint, tuple[int, ...]]]
) -> Demand | None:
    """The first requirement after which a source is left with no plane that it could hold."""
    left = (1 << planes) - 1
    for name, constraint, able in judged:
        for plane, mask in enumerate(able):
            if not mask >> position & 1:
                left &= ~(1 << plane)
        if not left:
            return name, constraint
    return None


def _by_rank(
    source: Source, memory: RankedSources, demands: list[Demand], best: Found | None
) -> str:
    """Why a source that meets every requirement by itself is not used."""
    here = source_name(source)
    if best is None:
        return f"{here} meets what is asked of a source; something else stands in the way"
    if needs_clean_memory(best.merged) and source.cached is not False:
        snooper = _who(demands, T["no-snoop"])
        return f"{snooper} does not snoop the CPU's caches, and {here} is cached"
    runs = best.merged.get((T["max-segments"], WHOLE))
    largest = max(one.size for one in best.plan.layout.objects)
    pages = -(-largest // PAGE_SIZE)
    if runs is not None and source.contiguous is not True and not 0 < pages <= cast("int", runs):
        strict = _who(demands, T["max-segments"])
        return f"{strict} needs fewer runs of addresses than {here} promises"
    needed = best.plan.buffer_count * pages * PAGE_SIZE
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
