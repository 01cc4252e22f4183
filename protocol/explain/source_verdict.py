"""What became of each source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from heapwire.protocol.explain.plan_reasons import Requirement, requirements_of
from heapwire.protocol.solver import (
    BOTTOM,
    FoundPlan,
    PreparedGoal,
    Search,
    SetChoice,
    TooComplexError,
    class_of,
    is_clean_enough,
    is_known,
    lift,
    listed,
    needs_clean_memory,
    planes_text,
    requirement,
    source_name,
    source_names,
)
from heapwire.protocol.values import (
    DIFFERENT_SOURCE,
    MAX_SEGMENTS,
    NO_SNOOP,
    PAGE_SIZE,
    PERMITTED_SOURCES,
    ConflictMember,
    Constraint,
    ConstraintType,
    FormatModifier,
    Source,
    SourceId,
    Topology,
    Verdict,
    fourcc_name,
    modifier_name,
    plane_count,
)

_TOLD: Final = 3  # members of a conflict that a verdict repeats before it says how many there are


def verdicts_of(
    goal: PreparedGoal, best: FoundPlan | None, conflict: Sequence[ConflictMember] = ()
) -> tuple[Verdict, ...]:
    """What became of each source, in the order in which they are given away.

    They are checked against the best plan's choice of sets; without a plan, against
    everyone's first choice, and `conflict` is why there is none. No verdicts where the
    steps end before that is told.
    """
    try:
        return _verdicts(goal, best, conflict)
    except TooComplexError:
        return ()


def _verdicts(
    goal: PreparedGoal, best: FoundPlan | None, conflict: Sequence[ConflictMember]
) -> tuple[Verdict, ...]:
    names = source_names(goal.problem)
    first = None if best is not None else _first_choice(goal)
    choice = best.choice if best is not None else first[0] if first is not None else None
    requirements = requirements_of(goal, choice, steps=1) if choice is not None else []
    planes = len(best.sources) if best is not None else _planes_of(first)
    chosen: dict[SourceId, int] = {}
    for plane, source in enumerate(best.sources if best is not None else ()):
        chosen[source.id] = chosen.get(source.id, 0) | 1 << plane
    checked = []
    for name, constraint in requirements:
        goal.budget.spend(4)
        demand = lift((constraint,), planes=planes, substitutes=goal.participants[0].substitutes)
        able = (0,) * planes if demand is BOTTOM else goal.check.domains(demand, planes)
        checked.append((name, constraint, able))
    opaque = None if goal.problem.fixed is not None else _opaque(best, first)
    lays_out, topology = goal.sources.laying_out, goal.problem.topology
    verdicts = []
    for position, source in enumerate(goal.sources.sources):
        if source.id in chosen:
            where = "" if len(chosen) == 1 else f" for {planes_text(chosen[source.id])}"
            text = f"{names[source.id]} is chosen{where}"
            verdicts.append(Verdict(source=source.id, name=source.name, chosen=True, text=text))
            continue
        goal.budget.spend(len(checked) // 4)
        refusal = _refusal(position, planes, checked)
        if refusal is not None and not is_known(refusal[1].type, source, topology):
            # What is known to be wrong says more than what nobody knows.
            sure = [entry for entry in checked if is_known(entry[1].type, source, topology)]
            refusal = _refusal(position, planes, sure) or refusal
        if refusal is None and opaque is not None and not lays_out >> position & 1:
            text = (
                f"{names[source.id]} decides no layout, and only a driver knows that of "
                f"{fourcc_name(opaque.fourcc)} {modifier_name(opaque.modifier)}"
            )
            verdicts.append(Verdict(source=source.id, name=source.name, chosen=False, text=text))
            continue
        if refusal is None:
            text = (
                _by_rank(source, goal, requirements, best)
                if best is not None
                else _in_the_way(source, goal, requirements, conflict)
            )
            verdicts.append(Verdict(source=source.id, name=source.name, chosen=False, text=text))
            continue
        name, constraint = refusal
        verdicts.append(
            Verdict(
                source=source.id,
                name=source.name,
                chosen=False,
                text=(
                    f"{requirement(name, constraint, names)}; "
                    f"{_falls_short(source, constraint, topology)}"
                ),
                participant=name,
                constraint=constraint,
                planes=constraint.planes,
            )
        )
    return tuple(verdicts)


def _first_choice(goal: PreparedGoal) -> tuple[SetChoice, list[FormatModifier]] | None:
    """The choice of sets that everyone likes best, with its pairs; None where there is none."""
    return min(
        Search(goal).first_choices(),
        key=lambda entry: (entry[0].alternative, entry[0].cost, sorted(entry[1])),
        default=None,
    )


def _opaque(
    best: FoundPlan | None, first: tuple[SetChoice, list[FormatModifier]] | None
) -> FormatModifier | None:
    """The pair that only a driver can lay out: that of the plan, or the first of all if all are."""
    pairs = [best.pair] if best is not None else sorted(first[1]) if first is not None else []
    opaque = [pair for pair in pairs if class_of(pair) is None]
    return opaque[0] if opaque and len(opaque) == len(pairs) else None


def _planes_of(first: tuple[SetChoice, list[FormatModifier]] | None) -> int:
    """The planes of the pairs of a choice, as far as they are known: the fewest."""
    pairs = first[1] if first is not None else []
    counts = (plane_count(*pair) for pair in pairs)
    return min((count for count in counts if count is not None), default=1)


def _refusal(
    position: int, planes: int, checked: list[tuple[str, Constraint, tuple[int, ...]]]
) -> Requirement | None:
    """The first requirement after which a source is left with no plane that it could hold."""
    left = (1 << planes) - 1
    for name, constraint, able in checked:
        for plane, mask in enumerate(able):
            if not mask >> position & 1:
                left &= ~(1 << plane)
        if not left:
            return name, constraint
    return None


def _falls_short(source: Source, constraint: Constraint, topology: Topology) -> str:
    """That a source does not meet a requirement, or that nobody knows whether it does."""
    here = source_name(source)
    if is_known(constraint.type, source, topology):
        return f"{here} is not"
    return f"nobody knows whether {here} is"


def _by_rank(
    source: Source, goal: PreparedGoal, requirements: list[Requirement], best: FoundPlan
) -> str:
    """Why a source that meets every requirement by itself is not used."""
    here = source_name(source)
    if goal.problem.fixed is not None:
        return f"{here} would do; the buffer exists, and is not there"
    if needs_clean_memory(best.demand) and source.cached is not False:
        snooper = _who(requirements, NO_SNOOP)
        text = f"{snooper} does not snoop the CPU's caches, and {here} is cached"
        if is_clean_enough(source, best.demand):
            text += ": it would do with DMA_BUF_IOCTL_SYNC"
        return text
    # 0 pages are an object whose size its allocator decides: in how many runs, nobody knows.
    largest = max(object_.size for object_ in best.plan.layout.objects)
    pages = -(-largest // PAGE_SIZE)
    if (
        best.demand.value(MAX_SEGMENTS) is not None
        and source.contiguous is not True
        and not 0 < pages <= best.demand.uint(MAX_SEGMENTS, 0)
    ):
        strict = _who(requirements, MAX_SEGMENTS)
        return f"{strict} needs fewer runs of addresses than {here} promises"
    needed = best.plan.buffer_count * pages * PAGE_SIZE
    if source.capacity is not None and source.capacity < needed:
        return f"{here} has {source.capacity} bytes, and the buffers need {needed}"
    winner = best.sources[0]
    twin = next((used for used in best.sources if source.overlaps(used)), None)
    if twin is not None:
        return f"{here} is the same memory as {source_name(twin)}"
    if any(source.id in PERMITTED_SOURCES.of(constraint) for _, constraint in requirements):
        return f"{here} would do; {source_name(winner)} is preferred"
    used = {other.id for other in best.sources}
    if best.demand.flag(DIFFERENT_SOURCE) and source.id not in used:
        return f"{here} would do for a plane; {source_name(winner)} is less scarce"
    if goal.sources.position[winner.id] < goal.sources.position[source.id]:
        return f"{here} would do; {source_name(winner)} is less scarce"
    return f"{here} would do; {source_name(winner)} ranks before it"


def _in_the_way(
    source: Source,
    goal: PreparedGoal,
    requirements: list[Requirement],
    conflict: Sequence[ConflictMember],
) -> str:
    """Why there is no plan, where that is not for this source."""
    here = source_name(source)
    if apart := _who(requirements, DIFFERENT_SOURCE):
        others = [other for other in goal.sources.sources if other.id != source.id]
        twins = [source_name(other) for other in others if source.overlaps(other)]
        if twins:
            same = f"{here} is the same memory as {listed(twins)}"
            return f"{same}, and {apart} needs planes from different sources"
    meets = f"{here} meets what is asked of a source"
    if not conflict:
        # What fails with nothing asked for fails by the picture or by what exists already.
        fixed = goal.problem.fixed
        if fixed is not None and all(one.source != source.id for one in fixed.layout.objects):
            return f"{meets}; the buffer exists, and is not there"
        what = "the picture" if fixed is None else "the buffer"
        return f"{meets}; {what} itself stands in the way"
    told = [member.text for member in conflict[:_TOLD]]
    more = len(conflict) - _TOLD
    return f"{meets}; in the way: {'; '.join([*told, f'{more} more'] if more > 0 else told)}"


def _who(requirements: list[Requirement], row: ConstraintType) -> str:
    return listed(
        dict.fromkeys(name for name, constraint in requirements if constraint.type == row.type)
    )
