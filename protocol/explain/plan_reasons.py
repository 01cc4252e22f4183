"""Who demanded each property of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from heapwire.protocol.solver import (
    CONTENT,
    FoundPlan,
    PreparedGoal,
    PreparedParticipant,
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

_TOLD = frozenset(
    [
        "format",
        "pitch",
        "offset",
        "extent",
        "size",
        "source",
        "count",
        "coherency",
        "fence",
        "colour",
    ]
)
"""The reasons that a plan has of itself, with or without somebody's demand."""


def requirements_of(
    participants: Sequence[PreparedParticipant], choice: SetChoice
) -> list[Requirement]:
    """Every constraint in a choice of sets with who makes it, in a fixed order."""
    return sorted(
        (
            (participant.name, constraint)
            for participant, position in zip(participants, choice.sets, strict=True)
            for constraint in participant.constraints(position)
        ),
        key=_order,
    )


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
        self._problem = goal.problem
        self._budget = goal.budget
        self._participants = goal.participants
        self._names = source_names(goal.problem)
        self._offering = listed(
            participant.name for participant in goal.participants if participant.offers is not None
        )
        self._said: dict[tuple[tuple[int, ...], str, int], str] = {}
        self._requirements: dict[tuple[int, ...], dict[str, list[Requirement]]] = {}

    def of(self, found: FoundPlan) -> tuple[Reason, ...]:
        """Why a plan is as it is: its format, sources, pitches, offsets, sizes and count."""
        plan = found.plan
        choice = found.choice
        text = f"{fourcc_name(found.pair.fourcc)} {modifier_name(found.pair.modifier)}: "
        text += f"known to {self._offering}"
        said = self._who(choice, ALL_PLANES, "format")
        reasons = [
            Reason("format", f"{text}; {said}" if said else text),
            *self._sources(found),
        ]
        layout = plan.layout
        for index, plane in enumerate(layout.planes):
            said = self._who(choice, 1 << index, "pitch")
            if index and not said and self._who(choice, 1, "pitch"):
                said = self._tied(choice)
            text = f"pitch {plane.pitch}: {said or 'the bytes of a row'}"
            reasons.append(Reason("pitch", text, index))
            said = self._who(choice, 1 << index, "offset")
            if said or plane.offset:
                text = f"offset {plane.offset}: {said or 'behind the plane before it'}"
                reasons.append(Reason("offset", text, index))
        if layout.kind is LayoutKind.EXACT:
            picture = self._problem.extents.allocated
            said = self._who(choice, ALL_PLANES, "extent")
            text = f"room for {layout.extent}: the picture is {picture}"
            reasons.append(Reason("extent", f"{text}; {said}" if said else text))
            said = self._who(choice, ALL_PLANES, "size")
            for object_ in layout.objects:
                text = f"size {object_.size}: {said or 'its planes, and no more'}"
                reasons.append(Reason("size", text))
        reasons.append(self._count(plan, choice))
        reasons += self._agreed(found)
        reasons += self._others(choice, len(layout.planes))
        return tuple(reasons)

    def _tied(self, choice: SetChoice) -> str:
        """That a pitch follows from plane 0's, for whom planes have no room between them."""
        who = dict.fromkeys(
            name
            for name, constraint in self._by_reason(choice).get("offset", ())
            if constraint.type == ADJACENT_PLANES.type
        )
        return f"tied to that of plane 0 for {listed(who)}" if who else ""

    def _sources(self, found: FoundPlan) -> Iterator[Reason]:
        planes: dict[SourceId, int] = {}
        for plane, source in enumerate(found.sources):
            planes[source.id] = planes.get(source.id, 0) | 1 << plane
        everything = len(planes) == 1
        for id_, mask in planes.items():
            said = self._who(found.choice, mask, "source")
            where = "" if everything else f" for {planes_text(mask)}"
            text = f"{self._names[id_]}{where}: {said or 'nobody asks for more'}"
            lowest = None if everything else (mask & -mask).bit_length() - 1
            yield Reason("source", text, lowest)

    def _count(self, plan: Plan, choice: SetChoice) -> Reason:
        counts = self._problem.counts
        said = self._who(choice, ALL_PLANES, "count")
        text = (
            f"{plan.buffer_count} buffers: {counts.minimum} for the producer,"
            f" {counts.queue} in flight, {counts.hold} held by the compositor"
        )
        return Reason("count", f"{text}; {said}" if said else text)

    def _agreed(self, found: FoundPlan) -> Iterator[Reason]:
        plan, choice = found.plan, found.choice
        said = self._who(choice, ALL_PLANES, "coherency")
        if plan.domain is not None and said:
            text = f"coherency {plan.domain.name.lower()}: {said}"
            if needs_clean_memory(found.demand) and any(s.cached for s in found.sources):
                text += f"; {self._must_sync(choice)}"
            yield Reason("coherency", text)
        if plan.fence is not None:
            said = self._who(choice, ALL_PLANES, "fence")
            yield Reason("fence", f"fences {plan.fence.name.lower()}: {said}")
        if plan.colour is not None:
            said = self._who(choice, ALL_PLANES, "colour")
            encoding, range_ = plan.colour
            yield Reason("colour", f"{encoding.name} {range_.name.lower()}: {said}")

    def _must_sync(self, choice: SetChoice) -> str:
        """Who has to have the caches cleaned, and how."""
        dirty = dict.fromkeys(
            name
            for name, constraint in self._by_reason(choice).get("coherency", ())
            if constraint.type == DIRTY_LINES.type
        )
        return (
            f"whoever passes a buffer to {listed(dirty)} and back brackets that "
            "with DMA_BUF_IOCTL_SYNC, which cleans the caches"
        )

    def _others(self, choice: SetChoice, planes: int) -> Iterator[Reason]:
        """A reason of its own for each subject that has no part in those above.

        One for each plane, where somebody asks it of some of them only.
        """
        for explained, those in self._by_reason(choice).items():
            if explained in _TOLD:
                continue
            everywhere = all(not constraint.planes for _, constraint in those)
            for plane in (None,) if everywhere else range(planes):
                mask = ALL_PLANES if plane is None else 1 << plane
                said = self._who(choice, mask, explained)
                if said:
                    yield Reason(explained, f"{explained}: {said}", plane)

    def _who(self, choice: SetChoice, planes: int, explained: str) -> str:
        """`a multiple of 64 bytes for display, a multiple of 256 bytes for decoder`."""
        key = (choice.sets, explained, planes)
        said = self._said.get(key)
        if said is not None:
            return said
        wanted: dict[str, list[str]] = {}
        for name, constraint in self._by_reason(choice).get(explained, ()):
            if (constraint.planes or ALL_PLANES) & planes:
                who = wanted.setdefault(says(constraint, self._names), [])
                if name not in who:
                    who.append(name)
        said = ", ".join(f"{text} for {listed(who)}" for text, who in wanted.items())
        self._said[key] = said
        return said

    def _by_reason(self, choice: SetChoice) -> dict[str, list[Requirement]]:
        """The requirements of a choice by the reason that tells them (`Subject.explains`)."""
        by_reason = self._requirements.get(choice.sets)
        if by_reason is not None:
            return by_reason
        # Within a reason the subjects come in the order of the registry's rows.
        by_subject: dict[Subject, list[Requirement]] = {
            row.subject: [] for row in REGISTRY.values()
        }
        requirements = requirements_of(self._participants, choice)
        self._budget.spend(4 * len(requirements))
        for name, constraint in requirements:
            row = REGISTRY.get(constraint.type)
            # That ordinary content is in ordinary memory goes without saying.
            obvious = name == CONTENT and not self._problem.content.protected
            # A list of all that there is is an order of preference, and rules nothing out.
            obvious = obvious or self._permits_everything(constraint)
            if row is not None and not row.condition and not obvious:
                by_subject[row.subject].append((name, constraint))
        by_reason = {}
        for subject, those in by_subject.items():
            for explained in subject.explains if those else ():
                by_reason.setdefault(explained, []).extend(those)
        self._requirements[choice.sets] = by_reason
        return by_reason

    def _permits_everything(self, constraint: Constraint) -> bool:
        if constraint.type != PERMITTED_SOURCES.type:
            return False
        permitted = set(PERMITTED_SOURCES.of(constraint))
        return all(source.id in permitted for source in self._problem.sources)
