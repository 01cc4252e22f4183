"""Who demanded each property of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from heapwire.protocol.explain.choice_words import ChoiceWords, Said
from heapwire.protocol.solver import (
    CONTENT,
    FoundPlan,
    PreparedGoal,
    SetChoice,
    listed,
    needs_clean_memory,
    planes_text,
    says,
    source_names,
)
from heapwire.protocol.values import (
    ADJACENT_PLANES,
    ALL_PLANES,
    BUFFERS,
    DIRTY_LINES,
    PERMITTED_SOURCES,
    REGISTRY,
    Constraint,
    LayoutKind,
    Plan,
    Reason,
    SourceId,
    Subject,
    fourcc_name,
    modifier_name,
)

Requirement: TypeAlias = tuple[str, Constraint]
"""A participant's name and one of its constraints."""


def requirements_of(goal: PreparedGoal, choice: SetChoice, *, steps: int) -> list[Requirement]:
    """Every constraint in a choice of sets that asks for something, in a fixed order.

    What is carried on and not understood does not. Each that there is costs so many steps, before
    any is looked at: to sort hundreds of them takes as long as a search.
    """
    made = [
        (participant.name, participant.constraints(position))
        for participant, position in zip(goal.participants, choice.sets, strict=True)
    ]
    goal.budget.spend(steps * sum([len(constraints) for _, constraints in made]))
    asked = [
        (name, constraint)
        for name, constraints in made
        for constraint in constraints
        if constraint.must_understand or REGISTRY.get(constraint.type) is not None
    ]
    return sorted(asked, key=_order)


def _order(requirement: Requirement) -> tuple[bool, str, int, int, str]:
    """By name and type, what the content asks for last."""
    name, constraint = requirement
    return name == CONTENT, name, constraint.type, constraint.planes, constraint.value_in_order


class Reasons:
    """The reasons for the plans of one goal.

    Plans of the same choice of sets come from the same demands, which are put
    into words once. `of` raises `TooComplexError` when the steps end.
    """

    def __init__(self, goal: PreparedGoal) -> None:
        self._goal = goal
        self._problem = goal.problem
        self._names = source_names(goal.problem)
        self._offering = listed(
            participant.name for participant in goal.participants if participant.offers is not None
        )
        self._words: dict[tuple[int, ...], ChoiceWords] = {}

    def of(self, found: FoundPlan) -> tuple[Reason, ...]:
        """Why a plan is as it is: its format, sources, pitches, offsets, sizes and count."""
        plan, words = found.plan, self._words_of(found.choice)
        text = f"{fourcc_name(found.pair.fourcc)} {modifier_name(found.pair.modifier)}: "
        text += f"known to {self._offering}"
        said = words.who("format")
        reasons = [
            Reason("format", f"{text}; {said}" if said else text),
            *self._sources(found, words),
        ]
        layout = plan.layout
        for index, plane in enumerate(layout.planes):
            said = words.who("pitch", 1 << index)
            if index and not said and words.who("pitch", 1):
                said = _tied(words)
            text = f"pitch {plane.pitch}: {said or 'the bytes of a row'}"
            reasons.append(Reason("pitch", text, index))
            said = words.who("offset", 1 << index)
            if said or plane.offset:
                text = f"offset {plane.offset}: {said or 'behind the plane before it'}"
                reasons.append(Reason("offset", text, index))
        if layout.kind is LayoutKind.EXACT:
            picture = self._problem.extents.allocated
            said = words.who("extent")
            text = f"room for {layout.extent}: the picture is {picture}"
            reasons.append(Reason("extent", f"{text}; {said}" if said else text))
            said = words.who("size")
            for object_ in layout.objects:
                text = f"size {object_.size}: {said or 'its planes, and no more'}"
                reasons.append(Reason("size", text))
        reasons.append(self._count(plan, words))
        reasons += _agreed(found, words)
        reasons += words.others(len(layout.planes))
        return tuple(reasons)

    def _sources(self, found: FoundPlan, words: ChoiceWords) -> Iterator[Reason]:
        planes: dict[SourceId, int] = {}
        for plane, source in enumerate(found.sources):
            planes[source.id] = planes.get(source.id, 0) | 1 << plane
        everything = len(planes) == 1
        for id_, mask in planes.items():
            said = words.who("source", mask)
            where = "" if everything else f" for {planes_text(mask)}"
            text = f"{self._names[id_]}{where}: {said or 'nobody asks for more'}"
            lowest = None if everything else (mask & -mask).bit_length() - 1
            yield Reason("source", text, lowest)

    def _count(self, plan: Plan, words: ChoiceWords) -> Reason:
        counts = self._problem.counts
        said = words.who("count")
        text = (
            f"{BUFFERS.counted(plan.buffer_count)}: {counts.minimum} for the producer,"
            f" {counts.queue} in flight, {counts.hold} held by the compositor"
        )
        return Reason("count", f"{text}; {said}" if said else text)

    def _words_of(self, choice: SetChoice) -> ChoiceWords:
        """What a choice of sets says: of the same sets the same, whoever asks again."""
        words = self._words.get(choice.sets)
        if words is None:
            goal, problem = self._goal, self._problem
            key = (
                choice.sets,
                problem.content.protected,
                id(problem.absent),
                *[(one.known, one.name) for one in goal.participants],
            )
            kept = goal.sources.words.by(
                key, goal.budget, lambda: self._put_into_words(choice), (problem.absent,)
            )
            assert isinstance(kept, ChoiceWords), kept
            words = self._words[choice.sets] = kept
        return words

    def _put_into_words(self, choice: SetChoice) -> ChoiceWords:
        """The requirements of a choice by the reason that tells them (`Subject.explains`)."""
        # Within a reason the subjects come in the order of the registry's rows.
        by_subject: dict[Subject, list[Said]] = {row.subject: [] for row in REGISTRY.values()}
        for name, constraint in requirements_of(self._goal, choice, steps=4):
            row = REGISTRY.get(constraint.type)
            # That ordinary content is in ordinary memory goes without saying.
            obvious = name == CONTENT and not self._problem.content.protected
            # A list of all that there is is an order of preference, and rules nothing out.
            obvious = obvious or self._permits_everything(constraint)
            if row is not None and not row.condition and not obvious and row.subject.explains:
                text = says(constraint, self._names)
                said = Said(name, constraint.type, _spoken_of(constraint), text)
                by_subject[row.subject].append(said)
        by_reason: dict[str, list[Said]] = {}
        for subject, those in by_subject.items():
            for explained in subject.explains if those else ():
                by_reason.setdefault(explained, []).extend(those)
        return ChoiceWords(by_reason)

    def _permits_everything(self, constraint: Constraint) -> bool:
        if constraint.type != PERMITTED_SOURCES.type:
            return False
        permitted = set(PERMITTED_SOURCES.of(constraint))
        return all(source.id in permitted for source in self._problem.sources)


def _agreed(found: FoundPlan, words: ChoiceWords) -> Iterator[Reason]:
    plan = found.plan
    said = words.who("coherency")
    if plan.domain is not None and said:
        text = f"coherency {plan.domain.name.lower()}: {said}"
        if needs_clean_memory(found.demand) and any(s.cached for s in found.sources):
            text += f"; {_must_sync(words)}"
        yield Reason("coherency", text)
    if plan.fence is not None:
        yield Reason("fence", f"fences {plan.fence.name.lower()}: {words.who('fence')}")
    if plan.colour is not None:
        encoding, range_ = plan.colour
        text = f"{encoding.name} {range_.name.lower()}: {words.who('colour')}"
        yield Reason("colour", text)


def _spoken_of(constraint: Constraint) -> int:
    """The planes of which a requirement says something, as a mask; 0 stands for all."""
    if constraint.type == ADJACENT_PLANES.type:
        return ALL_PLANES & ~1  # no plane is before plane 0
    return constraint.planes


def _tied(words: ChoiceWords) -> str:
    """That a pitch follows from plane 0's, for whom planes have no room between them."""
    who = words.who_asks("offset", ADJACENT_PLANES.type)
    return f"tied to that of plane 0 for {listed(who)}" if who else ""


def _must_sync(words: ChoiceWords) -> str:
    """Who has to have the caches cleaned, and how."""
    dirty = words.who_asks("coherency", DIRTY_LINES.type)
    return (
        f"whoever passes a buffer to {listed(dirty)} and back brackets that "
        "with DMA_BUF_IOCTL_SYNC, which cleans the caches"
    )
