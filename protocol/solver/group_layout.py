"""Where the planes of a group's buffers may be, and how they are laid out there.

Pairs that are placed and laid out alike are one class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.solver.assignment import Assignment, assign
from heapwire.protocol.solver.demand import BOTTOM, UINT_MAX, Bottom, Demand, common_ground, join
from heapwire.protocol.solver.layout import (
    LayoutClass,
    PlaneRoom,
    class_of,
    meets_fixed,
    plane_rooms,
    put_into_objects,
    whole_rooms,
)
from heapwire.protocol.solver.merged_group import (
    NO_CHOICE,
    MergedGroup,
    allocator_layout,
    group_with,
    with_flags,
)
from heapwire.protocol.solver.prepared_goal import PreparedGoal, RankedSources
from heapwire.protocol.solver.set_choice import Common, common_pairs
from heapwire.protocol.solver.step_budget import StepBudget
from heapwire.protocol.values import (
    FORMATS,
    PAGE_SIZE,
    TILINGS,
    FormatModifier,
    Layout,
    Source,
    plane_count,
)

Places: TypeAlias = tuple[int, ...]
"""For each plane the place of its source in `RankedSources.sources`."""

Rooms: TypeAlias = tuple[PlaneRoom, ...]
"""The pitch and the size of each plane."""

_STEPS_OF_A_LAYOUT: Final = 6


class PairClass:
    """The pairs of a choice of sets that are placed and laid out alike, and what is known of them.

    `best` are their first places whatever their size, and `fitting` those with room once some
    had none. `rooms` is None before anything is laid out, and where nothing can be.
    """

    __slots__ = ("best", "fitting", "group", "layout_class", "layouts", "rooms")

    def __init__(
        self, layout_class: LayoutClass, group: MergedGroup, best: list[Assignment]
    ) -> None:
        self.layout_class = layout_class
        self.group = group
        self.best = best
        self.fitting: list[Assignment] | None = None
        self.rooms: Rooms | None = None
        self.layouts: dict[Places, Layout | None] = {}


def pairs_to_lay_out(goal: PreparedGoal) -> Common:
    """What everyone offers; where no driver allocates only that whose layout can be computed."""
    fixed = goal.problem.fixed
    if fixed is not None or any(participant.wild for participant in goal.participants):
        return _pairs_to_lay_out(goal)
    offers = tuple([participant.offers for participant in goal.participants])
    return goal.sources.common.made_of(offers, goal.budget, lambda: _pairs_to_lay_out(goal))


def _pairs_to_lay_out(goal: PreparedGoal) -> Common:
    fixed, sources = goal.problem.fixed, goal.sources
    computed = fixed is None and bool(sources.sources) and not sources.laying_out
    return common_pairs(goal.participants, fixed, goal.budget, computed=computed)


def rooms_of(
    goal: PreparedGoal, group: MergedGroup, layout_class: LayoutClass, pair: FormatModifier
) -> Rooms | None:
    """The planes of a class; none where their sizes are not known before they are allocated.

    None when a pitch, or an object with one plane alone, is beyond what is permitted: wherever
    the planes are.
    """
    if layout_class.opaque or goal.problem.fixed is not None:
        return ()
    goal.budget.spend(2)
    return computed_rooms(group, layout_class, pair)


def computed_rooms(
    group: MergedGroup, layout_class: LayoutClass, pair: FormatModifier
) -> Rooms | None:
    """The planes of a class whose layout can be computed; None as `rooms_of`."""
    geometry = group.geometry
    if layout_class.whole is not None:
        rooms = whole_rooms(geometry, pair.fourcc, layout_class.whole)
    else:
        rooms = plane_rooms(geometry, FORMATS[pair.fourcc], TILINGS[pair.modifier])
    if rooms and geometry.object_size(max(room.size for room in rooms), last=False) is None:
        return None
    return rooms


TRIED_FIRST: Final = 8
"""Ways to choose among alternatives that are tried before what all have in common is looked at."""

_STEPS_OF_A_GROUND: Final = 12


def ground_of(demands: Iterable[Demand | Bottom], budget: StepBudget) -> Demand | Bottom:
    """What alternatives have in common, of those that can be met at all."""
    possible = [demand for demand in demands if demand is not BOTTOM]
    if not possible:
        return BOTTOM
    if len(possible) == 1:
        return possible[0]
    budget.spend(sum([1 + demand.count for demand in possible]))
    return common_ground(possible)


def can_be_met_at_best(
    goal: PreparedGoal,
    grounds: Callable[[int], Iterable[Demand | Bottom]],
    pairs: Iterable[FormatModifier],
) -> bool:
    """Whether what everyone's alternatives have in common leaves anything for some pair.

    Where it does not, no way to choose among them does. It is not placed or laid out, so
    there may be no way all the same. `grounds` gives for a number of planes what each has in
    common.
    """
    by_planes: dict[int, dict[LayoutClass | None, FormatModifier]] = {}
    for pair in pairs:
        # Of an unknown format one, the least that may be spoken of.
        planes = plane_count(*pair) or 1
        by_planes.setdefault(planes, {})[class_of(pair)] = pair
    for planes, classes in by_planes.items():
        goal.budget.spend(_STEPS_OF_A_GROUND)
        demand = join(grounds(planes), budget=goal.budget)
        if demand is BOTTOM:
            continue
        group = group_with(goal, NO_CHOICE, planes, demand, orders=None)
        if group is None or not all(group.domains):
            continue
        for layout_class, pair in classes.items():
            if layout_class is None or rooms_of(goal, group, layout_class, pair) is not None:
                return True
    return False


def places_of(
    goal: PreparedGoal,
    group: MergedGroup,
    layout_class: LayoutClass,
    limit: int,
    *,
    rooms: Sequence[PlaneRoom] = (),
    accept: Callable[[Places], bool] | None = None,
    any_will_do: bool = False,
) -> list[Assignment]:
    """The best places of the planes, or any; `accept` has the last word on each.

    `rooms` rules out at once the sources that are too small for an object with one plane alone:
    with others in it none is smaller, so no layout that fits is lost.
    """
    domains = domains_of_class(goal, group, layout_class)
    if rooms and goal.problem.fixed is None and goal.heeds_capacity:
        # `rooms_of` has found that none of these objects is too great.
        objects = [group.geometry.object_size(room.size, last=False) or 0 for room in rooms]
        domains = tuple(
            domain & goal.sources.with_room_for(group.count * size)
            for domain, size in zip(domains, objects, strict=True)
        )
    return assign(
        domains,
        together=group.together,
        apart=group.apart,
        orders=group.orders,
        scarcity=goal.sources.scarcity_of(clean=group.clean),
        overlapping=goal.sources.overlapping if group.apart else None,
        limit=limit,
        accept=accept,
        sets_of_sources=layout_class.opaque and goal.problem.fixed is None,
        any_will_do=any_will_do,
        budget=goal.budget,
    )


def domains_of_class(
    goal: PreparedGoal, group: MergedGroup, layout_class: LayoutClass
) -> tuple[int, ...]:
    """For each plane the sources that it may come from: those of a buffer that exists, its own."""
    if goal.problem.fixed is not None:
        return _fixed_domains(goal, group.domains)
    if layout_class.opaque:
        return tuple([domain & goal.sources.laying_out for domain in group.domains])
    return group.domains


def layout_of(
    goal: PreparedGoal,
    group: MergedGroup,
    layout_class: LayoutClass,
    rooms: Rooms,
    places: Places,
) -> Layout | None:
    """The layout with the planes in these places; None when something is too great."""
    goal.budget.spend(_STEPS_OF_A_LAYOUT)
    fixed = goal.problem.fixed
    ids = goal.sources.ids
    layout: Layout | None
    if fixed is not None:
        good = meets_fixed(fixed, group.demand, goal.problem.extents)
        layout = fixed.layout if good else None
    elif layout_class.opaque:
        layout = allocator_layout(group, goal, [ids[place] for place in places])
    else:
        layout = put_into_objects(group.geometry, rooms, places, ids)
        if layout is not None:
            layout = with_flags(layout, group, goal)
    return layout if layout is not None and _fits(goal, group, layout) else None


class LaidOut(NamedTuple):
    """A layout, its planes in these places, and the rooms of those where they are computed."""

    rooms: Rooms
    places: Places
    layout: Layout


def any_layout(
    goal: PreparedGoal, group: MergedGroup, layout_class: LayoutClass, pair: FormatModifier
) -> LaidOut | None:
    """A layout, in whatever places; None where there is none."""
    rooms = rooms_of(goal, group, layout_class, pair)
    if rooms is None:
        return None
    # One source nearly always has room for everything; only else all are gone through.
    alone = goal.problem.fixed is None and not layout_class.opaque
    together = _all_together(group) if alone else None
    heeds_sources = goal.heeds_capacity or group.segments != UINT_MAX
    tried: dict[Places, bool] = {}
    if together is not None:
        if sum([room.size for room in rooms]) <= group.geometry.max_size:
            layout = layout_of(goal, group, layout_class, rooms, together)
            if layout is not None:
                return LaidOut(rooms, together, layout)
        if not any(domain & (domain - 1) for domain in group.domains):
            return None  # there is no other source
        tried[together if heeds_sources else _objects_of(together)] = False
    found: list[LaidOut] = []

    def has_room(places: Places) -> bool:
        # Where every source has room for anything, only the objects count.
        objects = places if heeds_sources else _objects_of(places)
        if objects not in tried:
            layout = layout_of(goal, group, layout_class, rooms, places)
            tried[objects] = layout is not None
            if layout is not None:
                found.append(LaidOut(rooms, places, layout))
        return tried[objects]

    places_of(goal, group, layout_class, 1, rooms=rooms, accept=has_room, any_will_do=True)
    return found[0] if found else None


def _all_together(group: MergedGroup) -> Places | None:
    """All planes in the least scarce source that may hold each; None where there is none."""
    if group.apart:
        return None
    shared = -1
    for domain in group.domains:
        shared &= domain
    return ((shared & -shared).bit_length() - 1,) * group.planes if shared else None


def _objects_of(places: Places) -> Places:
    """For each plane the number of its object, whichever source it is in."""
    order = list(dict.fromkeys(places))
    return tuple([order.index(place) for place in places])


def _fixed_domains(goal: PreparedGoal, domains: tuple[int, ...]) -> tuple[int, ...]:
    """What is left when each plane is where it already is."""
    fixed = goal.problem.fixed
    if fixed is None or len(fixed.layout.planes) < len(domains):
        return tuple(0 for _ in domains)
    objects = fixed.layout.objects
    places = [
        goal.sources.position.get(objects[plane.object].source) for plane in fixed.layout.planes
    ]
    return tuple(
        0 if place is None else domain & 1 << place
        for domain, place in zip(domains, places, strict=False)
    )


def _fits(goal: PreparedGoal, group: MergedGroup, layout: Layout) -> bool:
    return fits(goal.sources, group, layout, heeds_capacity=goal.heeds_capacity)


def fits(
    ranked: RankedSources, group: MergedGroup, layout: Layout, *, heeds_capacity: bool = True
) -> bool:
    """Whether the objects are in few enough runs, and all buffers have room in their heaps."""
    if len(layout.objects) == 1 and group.segments == UINT_MAX:  # as a rule
        [alone] = layout.objects
        most = ranked.sources[ranked.position[alone.source]].capacity
        pages = -(-alone.size // PAGE_SIZE)
        return most is None or not heeds_capacity or group.count * pages * PAGE_SIZE <= most
    needed: list[tuple[Source, int]] = []
    for object_ in layout.objects:
        source = ranked.sources[ranked.position[object_.source]]
        # One of unknown size (0: its allocator decides) may be in any number of runs, and
        # takes no room that could be counted.
        pages = -(-object_.size // PAGE_SIZE)
        if (
            group.segments != UINT_MAX
            and source.contiguous is not True
            and not 0 < pages <= group.segments
        ):
            return False
        needed.append((source, group.count * pages * PAGE_SIZE))
    if not heeds_capacity:
        return True
    return all(
        source.capacity is None
        # What two names have of one memory comes out of the same bytes.
        or sum(size for other, size in needed if other.lies_within(source)) <= source.capacity
        for source, _ in needed
    )
