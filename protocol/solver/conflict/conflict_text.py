"""A conflict in words: what is asked for, and what here does not meet it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from heapwire.protocol.solver.conflict.atom import Atom
from heapwire.protocol.solver.constraint_sentence import (
    Names,
    listed,
    requirement,
    source_name,
)
from heapwire.protocol.solver.demand import BOTTOM, RULES, is_known, lift
from heapwire.protocol.solver.layout import changes
from heapwire.protocol.solver.merged_group import MOST_BUFFERS, KnownGroups, group_of
from heapwire.protocol.solver.prepared_goal import PreparedGoal
from heapwire.protocol.solver.prepared_participant import (
    STREAM,
    PreparedParticipant,
)
from heapwire.protocol.solver.search import Search
from heapwire.protocol.solver.step_budget import TooComplexError
from heapwire.protocol.values import (
    BUFFERS,
    REGISTRY,
    ConflictMember,
    Constraint,
    FailureReason,
    FixedBuffer,
    FormatModifier,
    Problem,
    Source,
    fourcc_name,
    modifier_name,
)

_NAMED = 3  # formats or sources that a sentence lists before it says how many more there are
_NOT_PROVED = "not proved minimal: some of these may not be needed for the contradiction"


def formats_text(
    participant: PreparedParticipant, problem: Problem, unknown: Sequence[FormatModifier] = ()
) -> str:
    """What pairs a participant can use; `unknown` are those that nobody here can lay out."""
    if not participant.offers:
        return f"{participant.name} has no format for {_picture_text(problem)}"
    text = f"{participant.name} can use only {_pairs_text(participant.offers)}"
    if not unknown:
        return text
    what = "that" if len(participant.offers) == len(unknown) else _pairs_text(unknown)
    return f"{text}; only a driver knows the layout of {what}, and no memory here is a driver's"


def _picture_text(problem: Problem) -> str:
    """What conditions of sets are about: the pictures' size, fields and rotation."""
    content, size = problem.content, problem.extents.allocated
    fields = "interlaced pictures" if content.interlaced else "pictures"
    turned = content.rotation % 360
    return f"{fields} of {size.width}x{size.height}" + (
        f" that are turned by {turned} degrees" if turned else ""
    )


def _pairs_text(pairs: Iterable[FormatModifier]) -> str:
    ordered = sorted(pairs)
    shown = [
        f"{fourcc_name(pair.fourcc)} {modifier_name(pair.modifier)}" for pair in ordered[:_NAMED]
    ]
    more = len(ordered) - len(shown)
    return listed([*shown, f"{more} more"] if more else shown)


def atom_text(goal: PreparedGoal, atom: Atom, names: Names) -> str:
    """The requirement, and what of this machine and this stream does not meet it."""
    constraint = atom.constraint
    if constraint is None:
        held = goal.problem.counts.total
        if held > MOST_BUFFERS:
            return f"{STREAM} needs {held} buffers at the same time; {MOST_BUFFERS} are the most"
        needed = f"{STREAM} needs {BUFFERS.counted(held)} at the same time"
        return f"{needed}; no source has room for {'it' if held == 1 else 'them'}"
    text = requirement(atom.participant, constraint, names)
    if constraint.type in RULES:
        failing = _failing(goal, constraint)
        if failing:
            return f"{text}; {failing}"
    row = REGISTRY.get(constraint.type)
    if row is not None and row.subject.picture is not None:
        picture = row.subject.picture(goal.problem.extents)
        return f"{text}; the picture is {picture}" if picture else text
    return text


def _failing(goal: PreparedGoal, constraint: Constraint) -> str:
    """`heap system is not`: the sources that do not meet a constraint by themselves."""
    demand = lift((constraint,), substitutes=goal.sources.substitutes)
    if demand is BOTTOM:
        return ""
    check = goal.check
    meeting = check.everything
    for type_, value in (
        *demand.whole.items(),
        *((type_, value) for (type_, _), value in demand.own.items()),
    ):
        meeting &= check.meeting(type_, value)
    unmet = [source for position, source in enumerate(check.sources) if not meeting >> position & 1]
    unknown = [
        source for source in unmet if not is_known(constraint.type, source, goal.problem.topology)
    ]
    if unmet and not meeting:
        return "no source is known to be" if unknown else "no source is"
    refused = [source for source in unmet if source not in unknown]
    parts = []
    if refused:
        parts.append(f"{_sources_text(refused)} {_is(refused)} not")
    if unknown:
        parts.append(f"nobody knows whether {_sources_text(unknown)} {_is(unknown)}")
    return "; ".join(parts)


def _sources_text(sources: Sequence[Source]) -> str:
    shown = [source_name(source) for source in sources[:_NAMED]]
    more = len(sources) - _NAMED
    return listed([*shown, f"{more} more"] if more > 0 else shown)


def _is(sources: Sequence[Source]) -> str:
    return "is" if len(sources) == 1 else "are"


def conflict_message(
    goal: PreparedGoal,
    reason: FailureReason,
    conflict: tuple[ConflictMember, ...],
    *,
    proved_minimal: bool,
) -> str:
    """One line for logs: the conflict's sentences, or what a fixed buffer would need."""
    text = _message(goal, reason, conflict)
    return text if proved_minimal else f"{text} ({_NOT_PROVED})"


def _message(
    goal: PreparedGoal, reason: FailureReason, conflict: tuple[ConflictMember, ...]
) -> str:
    if reason is FailureReason.NO_SOURCE:
        return "there is no source of memory"
    text = "; ".join(member.text for member in conflict)
    fixed = goal.problem.fixed
    if fixed is None or reason is not FailureReason.CONFLICT:
        return text or "nothing meets every requirement"
    wrong = [*_unknown_memory(goal, fixed), *_fewest_changes(goal, fixed)]
    return "; ".join(wrong) or text or "the buffer is not usable"


def _unknown_memory(goal: PreparedGoal, fixed: FixedBuffer) -> list[str]:
    """Where a fixed buffer is, as far as nobody here knows such memory."""
    sources = dict.fromkeys(entry.source for entry in fixed.layout.objects)
    return [
        f"the buffer is in memory of {source}, of which nothing is known here"
        for source in sources
        if source not in goal.sources.position
    ]


def _fewest_changes(goal: PreparedGoal, fixed: FixedBuffer) -> list[str]:
    """The smallest changes to a fixed buffer, for the choice of sets that needs the fewest."""
    best: list[str] | None = None
    planes = max(1, len(fixed.layout.planes))
    known: KnownGroups = {}
    try:
        for choice, _ in Search(goal).choices():
            group = group_of(goal, choice, planes, known)
            if group is None:
                continue
            needed = [str(change) for change in changes(fixed, group.demand, goal.problem.extents)]
            if best is None or (len(needed), needed) < (len(best), best):
                best = needed
    except TooComplexError:
        pass  # the fewest of those that were looked at
    return best or []
