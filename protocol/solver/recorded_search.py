"""What a search has come to, to be gone again for a picture of another size.

A client that changes its size asks the same of the same machine. The size decides only what is
laid out and whether that fits: as long as all of it does, the search takes the same way, from
pair to pair and from place to place. So that way is recorded with the steps that it costs, and
for another size only the layouts on it are made. Where one does not fit, or the picture is
refused, the search is done as if nothing were known.

Not recorded is a way on which something was refused already, which another size may permit, on
which alternatives were tried, or on which somebody has conditions that the size may meet.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.make_room import make_room
from heapwire.protocol.solver.demand import MetValues
from heapwire.protocol.solver.group_layout import PairClass, Places, computed_rooms, fits
from heapwire.protocol.solver.layout import put_into_objects
from heapwire.protocol.solver.merged_group import MergedGroup
from heapwire.protocol.solver.prepared_goal import PreparedGoal, RankedSources
from heapwire.protocol.solver.search import FoundPlan, Search
from heapwire.protocol.solver.step_budget import StepBudget
from heapwire.protocol.values import (
    ALLOCATION_FLAGS,
    BufferObject,
    Content,
    FormatModifier,
    Goal,
    Layout,
    Plan,
    Problem,
    Usage,
)

_KNOWN: Final = 64  # clients can make up any number
_SCANOUT: Final = int(Usage.SCANOUT)


@dataclass(frozen=True, slots=True, eq=False)
class RecordedGoal:
    """The way to the plans of one goal: what was merged, and of each plan the class and places."""

    steps: int
    groups: tuple[MergedGroup, ...]
    plans: tuple[tuple[PairClass, Places, FoundPlan], ...]


@dataclass(frozen=True, slots=True, eq=False)
class RecordedSearch:
    """The ways to the plans of all goals, and what they depend on beside the participants.

    `steps` is what making everything ready has cost, and `met` what was found out, and paid,
    of values that sources meet. It holds no set of a participant's.
    """

    steps: int
    met: MetValues
    goals: tuple[RecordedGoal, ...]
    asked: tuple[Goal, ...]
    costs: object
    content: Content
    count: int


class LayoutsSeen:
    """The layouts of plans so far, to tell what an earlier goal has too."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], list[Layout]] = {}

    def has(self, plan: Plan) -> bool:
        """Whether a plan is there already; else it is from now on."""
        layouts = self._seen.setdefault((plan.fourcc, plan.modifier), [])
        if plan.layout in layouts:
            return True
        layouts.append(plan.layout)
        return False


class _Layouts:
    """The layouts of a class, of a size."""

    __slots__ = ("_alone", "_group", "_known", "_rooms")

    def __init__(self, alike: PairClass, pair: FormatModifier) -> None:
        self._group = alike.group
        self._rooms = computed_rooms(alike.group, alike.layout_class, pair)
        self._known: dict[Places, Layout] = {}
        self._alone: Layout | None = None  # one with all planes in one object

    def of(self, places: Places, sources: RankedSources) -> Layout | None:
        """The layout with the planes in these places; None where something is too great."""
        layout = self._known.get(places)
        if layout is not None:
            return layout
        if self._rooms is None:
            return None
        alone, place = self._alone, places[0]
        together = places.count(place) == len(places)
        if alone is not None and together:  # the same, whichever source the object is in
            layout = Layout(
                kind=alone.kind,
                extent=alone.extent,
                objects=(BufferObject(sources.ids[place], alone.objects[0].size),),
                planes=alone.planes,
            )
        else:
            layout = put_into_objects(self._group.geometry, self._rooms, places, sources.ids)
        if layout is None or not fits(sources, self._group, layout):
            return None
        if together:
            self._alone = layout
        self._known[places] = layout
        return layout


def record(
    problem: Problem,
    sources: RankedSources,
    steps: int,
    searches: Sequence[tuple[PreparedGoal, Search, Sequence[FoundPlan], int]],
) -> None:
    """Record the ways of searches if they can be gone for another size.

    Each goal with its search, what that found and the steps that it cost; `steps` came before.
    """
    if problem.fixed is not None or not any(found for _, _, found, _ in searches):
        return
    if not all(search.steady and _can_be_gone(goal, search) for goal, search, _, _ in searches):
        return
    goals = tuple(
        RecordedGoal(
            cost,
            tuple(search.groups),
            tuple(
                (alike, places, one)
                for (alike, places), one in zip(search.laid_out, found, strict=True)
            ),
        )
        for _, search, found, cost in searches
    )
    make_room(sources.recorded, _KNOWN)
    sources.recorded[_key(problem, sources)] = RecordedSearch(
        steps=steps,
        met=searches[0][0].check.met,
        goals=goals,
        asked=problem.goals,
        costs=problem.format_costs,
        content=problem.content,
        count=problem.counts.total,
    )


def plans_on_record(
    problem: Problem, budget: StepBudget, sources: RankedSources
) -> tuple[Plan, ...]:
    """The plans of all goals, where they can be had on a recorded way; else none.

    They are those that a search finds, and cost as many steps. Without any, nothing is spent.
    """
    gone = _gone(problem, budget, sources)
    if gone is None:
        return ()
    _, everyones, budget.left = gone
    budget.kept = 0
    if len(everyones) == 1:
        return tuple(everyones[0])
    seen = LayoutsSeen()
    return tuple([plan for plans in everyones for plan in plans if not seen.has(plan)])


class FoundOnRecord(NamedTuple):
    """What a search finds for each goal, what it has `met`, and what the budget has left then."""

    goals: list[tuple[FoundPlan, ...]]
    met: MetValues
    left: int


def found_on_record(
    problem: Problem, budget: StepBudget, sources: RankedSources
) -> FoundOnRecord | None:
    """What a search finds where each goal has plans, and they can be had on a recorded way.

    Nothing is spent: whoever goes on with the goals prepares them, and that is in what is left.
    """
    gone = _gone(problem, budget, sources)
    if gone is None or not all(gone[1]):
        return None
    known, everyones, left = gone
    found = [
        tuple(
            [
                before._replace(plan=plan)
                for (_, _, before), plan in zip(goal.plans, plans, strict=True)
            ]
        )
        for goal, plans in zip(known.goals, everyones, strict=True)
    ]
    return FoundOnRecord(found, known.met, left)


def _gone(
    problem: Problem, budget: StepBudget, sources: RankedSources
) -> tuple[RecordedSearch, list[list[Plan]], int] | None:
    """A recorded way, the plans of each goal on it, and what the budget has left then.

    None where none is known, or something is refused or does not fit.
    """
    if problem.fixed is not None or not sources.recorded:
        return None
    known = sources.recorded.get(_key(problem, sources))
    if (
        known is None
        or known.count != problem.counts.total
        or (known.content is not problem.content and known.content != problem.content)
    ):
        return None
    left = _left_of(budget, known)
    if left is None:
        return None
    everyones = []
    for goal in known.goals:
        plans = _plans_of(goal, problem, sources)
        if plans is None:
            return None
        everyones.append(plans)
    return known, everyones, left


def _plans_of(goal: RecordedGoal, problem: Problem, sources: RankedSources) -> list[Plan] | None:
    """The plans on the way of one goal; None where something is refused or does not fit."""
    for group in goal.groups:
        if not group.geometry.fit(group.demand, problem.extents):
            return None
    laid_out: dict[PairClass, _Layouts] = {}
    plans = []
    for alike, places, (before, pair, *_) in goal.plans:
        layouts = laid_out.get(alike)
        if layouts is None:
            layouts = laid_out[alike] = _Layouts(alike, pair)
        layout = layouts.of(places, sources)
        if layout is None:
            return None
        plans.append(
            Plan(  # what `replace` does, in a third of the time
                fourcc=before.fourcc,
                modifier=before.modifier,
                goal=before.goal,
                scanout=before.scanout,
                layout=layout,
                buffer_count=before.buffer_count,
                domain=before.domain,
                fence=before.fence,
                colour=before.colour,
            )
        )
    return plans


def _can_be_gone(goal: PreparedGoal, search: Search) -> bool:
    """Whether the size of the picture decides no more than layouts."""
    return not (
        any(one.known.conditional for one in goal.participants)
        or any(alike.layout_class.opaque for alike, _ in search.laid_out)
        # What an allocator has to be told is spelled with the constraints of clients.
        or any(group.demand.mask(ALLOCATION_FLAGS) is not None for group in search.groups)
    )


def _left_of(budget: StepBudget, known: RecordedSearch) -> int | None:
    """What the budget has left when all is paid; None if it ends on the way.

    Paying at once ends where paying piece by piece would have ended.
    """
    left, others = budget.left - known.steps, len(known.goals)
    if left < budget.kept:
        return None
    for goal in known.goals:
        kept = left * others // (others + 1)  # as `StepBudget.share` keeps it
        left -= goal.steps
        others -= 1
        if left < kept:
            return None
    return left


def _key(problem: Problem, sources: RankedSources) -> Hashable:
    """What a way depends on, but for what is compared: who takes part, by what their sets say."""
    said = sources.sets.of
    return (
        id(problem.goals),  # kept alive by what is recorded, and so are the costs
        id(problem.format_costs),
        *[(said(one), one.name, int(one.usage) & _SCANOUT) for one in problem.participants],
    )
