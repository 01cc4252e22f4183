"""What all pairs with the same choice of sets have in common: one merge, taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from heapwire.protocol.late_dataclasses import dataclass, replace
from heapwire.protocol.solver.demand import (
    BOTTOM,
    UINT_MAX,
    Demand,
    join,
    nearness,
    needs_clean_memory,
    planes_together,
    spell,
)
from heapwire.protocol.solver.layout import GeometryDemand
from heapwire.protocol.solver.prepared_goal import PreparedGoal
from heapwire.protocol.solver.prepared_participant import NO_SET
from heapwire.protocol.solver.set_choice import SetChoice
from heapwire.protocol.values import (
    ALL_PLANES,
    ALLOCATION_FLAGS,
    COLOURS,
    DIFFERENT_SOURCE,
    MAX_BUFFER_COUNT,
    MAX_BUFFERS,
    MAX_PLANES,
    MAX_SEGMENTS,
    MIN_BUFFERS,
    NEAR,
    PERMITTED_SOURCES,
    SAME_SOURCE,
    SHARED_BUFFERS,
    BufferObject,
    Colour,
    Constraint,
    Layout,
    LayoutKind,
    SourceId,
    SourceKind,
    agreed_colour,
)

MOST_BUFFERS: Final = 4 * MAX_BUFFER_COUNT
"""What the producer, the client and the compositor can hold, and as much again to share."""

NO_CHOICE: Final = SetChoice((), 0, 0, ())
"""The choice of a group that is not of one set of each participant."""

_RANKING: Final = frozenset((PERMITTED_SOURCES.type, NEAR.type))

_STEPS_OF_A_GROUP: Final = 10  # beside the merging of its keys


@dataclass(slots=True, eq=False)
class MergedGroup:
    """One demand and what follows from it, whatever the pair and the places.

    `count` is the number of buffers, `segments` the most runs of bus addresses
    of an object, `domains` has for each plane the sources that meet everything
    demanded of it, as a mask. `together` and `apart` are masks of pairs of
    planes. `clean` says that memory which needs no cleaning is better.
    `orders[plane][place]` sums where the participants have a source in
    their own lists; None where nobody prefers any. `spelled` is the demand as
    constraints, once an allocator has to be told.
    """

    choice: SetChoice
    planes: int
    demand: Demand
    geometry: GeometryDemand
    count: int
    colour: Colour | None
    domains: tuple[int, ...]
    together: int
    apart: int
    segments: int
    clean: bool
    orders: tuple[tuple[int, ...], ...] | None
    spelled: tuple[Constraint, ...] | None = None


KnownGroups: TypeAlias = dict[object, tuple[Demand, MergedGroup | None]]
"""What was merged for one goal, each with its demand."""


def group_of(
    goal: PreparedGoal, choice: SetChoice, planes: int, known: KnownGroups
) -> MergedGroup | None:
    """What a choice of sets demands of formats with so many planes; None if nothing can.

    Choices of sets that say the same have one group: the first of them is its choice.
    """
    demands = [
        participant.demand(position, planes)
        for participant, position in zip(goal.participants, choice.sets, strict=True)
    ]
    goal.budget.spend(
        _STEPS_OF_A_GROUP + sum([demand.count for demand in demands if demand is not BOTTOM]) // 2
    )
    demand = goal.sources.merged.made_of(
        tuple(demands), goal.budget, lambda: join(demands, budget=goal.budget)
    )
    if demand is BOTTOM:
        return None
    orders = _orders(goal, choice) if _ranks_sources(demand) else None
    key = id(demand), planes, orders
    if key not in known:
        known[key] = demand, group_with(goal, choice, planes, demand, orders=orders)
    return known[key][1]


def group_with(
    goal: PreparedGoal,
    choice: SetChoice,
    planes: int,
    demand: Demand,
    *,
    orders: tuple[tuple[int, ...], ...] | None,
) -> MergedGroup | None:
    """What follows from a demand; None if nothing can meet it, whatever the places."""
    geometry = GeometryDemand(demand, goal.problem.extents)
    if geometry.extent is None:
        return None
    count = _count(goal, demand)
    colours = demand.mask(COLOURS)
    colour = None if colours is None else agreed_colour(colours, goal.problem.content)
    if count is None or (colours is not None and colour is None):
        return None
    return MergedGroup(
        choice=choice,
        planes=planes,
        demand=demand,
        geometry=geometry,
        count=count,
        colour=colour,
        domains=goal.check.domains(demand, planes),
        # One object is in one source, so sharing an object ties planes just the same.
        together=planes_together(demand) | demand.related(SAME_SOURCE),
        apart=demand.related(DIFFERENT_SOURCE),
        segments=demand.uint(MAX_SEGMENTS, UINT_MAX),
        clean=needs_clean_memory(demand),
        orders=orders,
    )


def _count(goal: PreparedGoal, demand: Demand) -> int | None:
    """The number of buffers; None when that is more than is permitted, or than makes sense."""
    shared, least = demand.uint(SHARED_BUFFERS, 0), demand.uint(MIN_BUFFERS, 0)
    count = max(goal.problem.counts.total + shared, least)
    # More than make sense is the stream's fault, as long as nobody demands so many.
    bounded = goal.heeds_capacity or max(shared, least) > MOST_BUFFERS
    most = demand.uint(MAX_BUFFERS, UINT_MAX)
    return count if count <= (min(most, MOST_BUFFERS) if bounded else most) else None


def _ranks_sources(demand: Demand) -> bool:
    """Whether somebody whose demand is in it may like one source better than another."""
    return not _RANKING.isdisjoint(demand.whole) or any(
        type_ in _RANKING for type_, _ in demand.own
    )


def _orders(goal: PreparedGoal, choice: SetChoice) -> tuple[tuple[int, ...], ...] | None:
    """For each plane and source the sum of its ranks in lists, and by nearness."""
    sources = goal.sources.sources
    orders: list[list[int]] | None = None
    for participant, position in zip(goal.participants, choice.sets, strict=True):
        if position == NO_SET:
            continue
        for constraint in participant.sets[position].constraints:
            if constraint.type not in _RANKING:
                continue
            for device in NEAR.of(constraint):
                goal.budget.spend(2 * len(sources))
                near = nearness(sources, device, goal.problem.topology)
                orders = _with_ranks(orders, near, constraint.planes)
            listed = PERMITTED_SOURCES.of(constraint)
            # Of a single source there is no order, unless others may stand in for it:
            # these come after what is named.
            if not listed or (len(listed) < 2 and not participant.substitutes):
                continue
            goal.budget.spend(len(listed) // 4 + len(sources))
            listing = {source: rank for rank, source in enumerate(listed)}
            ranks = tuple([listing.get(source.id, len(listed)) for source in sources])
            orders = _with_ranks(orders, ranks, constraint.planes)
    return None if orders is None else tuple(tuple(row) for row in orders)


def _with_ranks(
    orders: list[list[int]] | None, ranks: Sequence[int], planes: int
) -> list[list[int]]:
    """The ranks of sources added to those of some planes; without any, to all of them."""
    if orders is None:
        orders = [[0] * len(ranks) for _ in range(MAX_PLANES)]
    return [
        [sum(pair) for pair in zip(row, ranks, strict=True)]
        if (planes or ALL_PLANES) >> plane & 1
        else row
        for plane, row in enumerate(orders)
    ]


def allocator_layout(
    group: MergedGroup, goal: PreparedGoal, sources: Sequence[SourceId]
) -> Layout | None:
    """One object for each source, and what whoever allocates has to keep to."""
    extent = group.geometry.extent
    if extent is None:
        return None
    return Layout(
        kind=LayoutKind.ALLOCATOR,
        extent=extent,
        objects=tuple(BufferObject(source, 0) for source in dict.fromkeys(sources)),
        planes=(),
        constraints=_spelled(group, goal),
    )


def with_flags(layout: Layout, group: MergedGroup, goal: PreparedGoal) -> Layout:
    """The layout, with the flags that a device which allocates it has to be told."""
    if group.demand.mask(ALLOCATION_FLAGS) is None or not any(
        one.source.kind is SourceKind.DEVICE for one in layout.objects
    ):
        return layout
    told = [one for one in _spelled(group, goal) if one.type == ALLOCATION_FLAGS.type]
    return replace(layout, constraints=tuple(told))


def _spelled(group: MergedGroup, goal: PreparedGoal) -> tuple[Constraint, ...]:
    """The demand as constraints, for whoever allocates."""
    if group.spelled is None:
        inputs: list[Constraint] = []
        for participant, position in zip(goal.participants, group.choice.sets, strict=True):
            inputs += participant.constraints(position)
        goal.budget.spend(2 * len(inputs))
        group.spelled = spell(group.demand, inputs)
    return group.spelled
