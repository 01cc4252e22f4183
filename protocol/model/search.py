"""The search for the plans of one goal; solve.py says how it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import product
from typing import Final, cast

from heapwire.protocol.model.assignment import Assignment, TooComplexError, assign
from heapwire.protocol.model.coherency import domains_of, preferred_domain, preferred_fence
from heapwire.protocol.model.colour import Colour, agreed_colour
from heapwire.protocol.model.constraint import ALL_PLANES, MAX_PLANES, Constraint
from heapwire.protocol.model.constraint_set import FormatModifier
from heapwire.protocol.model.exact_layout import (
    GeometryDemand,
    PlaneRoom,
    exact_layout,
    plane_rooms,
)
from heapwire.protocol.model.extents import Extent
from heapwire.protocol.model.fixed_layout import meets_fixed
from heapwire.protocol.model.format import FORMATS
from heapwire.protocol.model.layout import BufferObject, Layout, LayoutKind
from heapwire.protocol.model.memory import Memory
from heapwire.protocol.model.merge import BOTTOM, join, spell
from heapwire.protocol.model.merge_rule import UINT_MAX, WHOLE, Merged, T
from heapwire.protocol.model.modifier import TILINGS
from heapwire.protocol.model.plan import Plan
from heapwire.protocol.model.problem import Problem
from heapwire.protocol.model.source import PAGE_SIZE, Source, SourceId
from heapwire.protocol.model.voice import NO_SET, Alternatives, Voice

MAX_PLANS: Final = 8
"""Plans of one goal; a client that cannot use any of so many will not use the next."""

MAX_ALTERNATIVES: Final = 64
"""Combinations of alternative sets for one pair, as in sysmem's token groups."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One set of each participant, and how far it is from everyone's first choice."""

    sets: tuple[int, ...]
    alternative: int
    cost: int
    ranks: tuple[int, ...]


@dataclass(slots=True, eq=False)
class Group:
    """What the pairs with the same choice of sets have in common."""

    choice: Choice
    planes: int
    merged: Merged
    geometry: GeometryDemand
    count: int
    colour: Colour | None
    orders: tuple[tuple[int, ...], ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A plan and what it was chosen from."""

    plan: Plan
    pair: FormatModifier
    choice: Choice
    merged: Merged
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """How many planes a pair has, and whether only its driver knows its layout."""

    planes: int
    opaque: bool


_SHAPES: Final = {
    (planes, opaque): Shape(planes, opaque)
    for planes in range(1, MAX_PLANES + 1)
    for opaque in (False, True)
}


class _Open:
    """A choice whose pairs are on the queue, and how far each has come."""

    __slots__ = ("best", "choice", "fitting", "groups", "pairs", "rooms", "turns")

    def __init__(self, choice: Choice, pairs: list[FormatModifier]) -> None:
        self.choice = choice
        self.pairs = pairs
        self.groups: dict[int, Group | None] = {}
        self.best: dict[Shape, list[Assignment]] = {}
        self.rooms: dict[FormatModifier, tuple[PlaneRoom, ...] | None] = {}
        self.turns: dict[FormatModifier, int] = {}
        self.fitting: dict[FormatModifier, list[Assignment]] = {}

    def group(self, shape: Shape) -> Group:
        """The demand on pairs of this shape; there are places for them, so there is one."""
        return cast("Group", self.groups[shape.planes])


class Search:
    """Looks for the best plans of one goal, as lazily as the ranking permits."""

    def __init__(
        self,
        problem: Problem,
        memory: Memory,
        voices: Sequence[Voice],
        *,
        scanout: bool = False,
        capacity: bool = True,
    ) -> None:
        self.problem = problem
        self.memory = memory
        self.voices = voices
        self.scanout = scanout
        self.capacity = capacity
        self.common = self._common()

    def _common(self) -> dict[tuple[Alternatives, ...], list[FormatModifier]]:
        """The pairs that everyone offers, by everyone's alternatives for them."""
        offering = [voice.offers for voice in self.voices if voice.offers is not None]
        fixed = self.problem.fixed
        if not offering and fixed is None:
            return {}
        offering.sort(key=len)
        pairs: set[FormatModifier] | None = None
        for offers in offering:
            pairs = set(offers) if pairs is None else pairs & offers.keys()
        if fixed is not None:
            pairs = {fixed.format} if pairs is None else pairs & {fixed.format}
        ordered = list(pairs or ())
        columns: list[Iterator[Alternatives]] = [
            map(voice.alternatives, ordered)
            if voice.offers is None
            else map(voice.offers.__getitem__, ordered)
            for voice in self.voices
        ]
        common: dict[tuple[Alternatives, ...], list[FormatModifier]] = {}
        for pair, alternatives in zip(ordered, zip(*columns, strict=True), strict=True):
            common.setdefault(alternatives, []).append(pair)
        return common

    def choices(self) -> Iterator[tuple[Choice, list[FormatModifier]]]:
        """Every combination of sets with the pairs it is for; `TooComplexError` if too many."""
        for alternatives, pairs in self.common.items():
            combinations = 1
            for one in alternatives:
                combinations *= len(one)
            if combinations > MAX_ALTERNATIVES:
                raise TooComplexError(
                    f"{combinations} combinations of alternatives for one format,"
                    f" more than {MAX_ALTERNATIVES}"
                )
            if combinations == 1:
                entries = [one[0] for one in alternatives]
                sets = tuple([entry[0] for entry in entries])
                cost = sum([entry[1] for entry in entries])
                yield Choice(sets, 0, cost, ()), pairs
                continue
            for ranked in product(*(enumerate(one) for one in alternatives)):
                ranks = tuple(rank for rank, _ in ranked)
                yield (
                    Choice(
                        tuple(entry[0] for _, entry in ranked),
                        sum(ranks),
                        sum(entry[1] for _, entry in ranked),
                        ranks,
                    ),
                    pairs,
                )

    def group(self, choice: Choice, planes: int) -> Group | None:
        """What a choice of sets demands of formats with so many planes; None if nothing can."""
        demands = []
        for voice, position in zip(self.voices, choice.sets, strict=True):
            demand = voice.demand(position, planes)
            if demand is BOTTOM:
                return None
            demands.append(demand)
        merged = join(demands)
        if merged is BOTTOM:
            return None
        geometry = GeometryDemand(merged, self.problem.extents)
        if geometry.extent is None:
            return None
        count = self._count(merged)
        colours = merged.get((T["colours"], WHOLE))
        colour = (
            None if colours is None else agreed_colour(cast("int", colours), self.problem.content)
        )
        if count is None or (colours is not None and colour is None):
            return None
        return Group(choice, planes, merged, geometry, count, colour, self._orders(choice))

    def _count(self, merged: Merged) -> int | None:
        """The number of buffers; None when that is more than is permitted."""
        shared = cast("int", merged.get((T["shared-buffers"], WHOLE), 0))
        least = cast("int", merged.get((T["min-buffers"], WHOLE), 0))
        count = max(self.problem.counts.total + shared, least)
        most = cast("int", merged.get((T["max-buffers"], WHOLE), UINT_MAX))
        return count if count <= most else None

    def _orders(self, choice: Choice) -> tuple[tuple[int, ...], ...] | None:
        """For each plane and source the sum of its places in the participants' lists."""
        orders: list[list[int]] | None = None
        for voice, position in zip(self.voices, choice.sets, strict=True):
            if position == NO_SET and not voice.implied:
                continue
            for constraint in voice.constraints(position):
                if constraint.type != T["permitted-sources"]:
                    continue
                listed = cast("tuple[SourceId, ...]", constraint.value)
                if len(listed) < 2 and not voice.substitutes:
                    continue
                if orders is None:
                    orders = [[0] * len(self.memory.sources) for _ in range(MAX_PLANES)]
                self._count_places(orders, constraint, listed)
        return None if orders is None else tuple(tuple(row) for row in orders)

    def _count_places(
        self, orders: list[list[int]], constraint: Constraint, listed: tuple[SourceId, ...]
    ) -> None:
        places = {source: place for place, source in enumerate(listed)}
        for plane in range(MAX_PLANES):
            if (constraint.planes or ALL_PLANES) >> plane & 1:
                for position, source in enumerate(self.memory.sources):
                    orders[plane][position] += places.get(source.id, len(listed))

    def found(self, limit: int = MAX_PLANS, goal: str = "") -> list[Found]:
        """The best plans, best first.

        A heap of keys that never promise too little: first a choice of sets,
        before anything is merged; then each of its pairs with the best places
        for the planes; the next best places when those have been taken. What
        comes off the heap with a layout that fits is the next best plan.
        """
        queue: list[tuple[object, ...]] = []
        items: list[_Open] = []
        costs: Mapping[FormatModifier, int] = self.problem.format_costs
        for choice, pairs in self.choices():
            # Sorts before every pair of the same choice.
            queue.append((choice.alternative, choice.cost, -1, 0, 0, 0, 0, 0, (), (), len(items)))
            items.append(_Open(choice, pairs))
        heapify(queue)
        plans: list[Found] = []
        seen: set[tuple[FormatModifier, Layout]] = set()
        while queue and len(plans) < limit:
            key = heappop(queue)
            item = items[cast("int", key[-1])]
            if key[2] == -1:
                self._open(item, cast("int", key[-1]), queue, costs)
                continue
            pair = FormatModifier(cast("int", key[6]), cast("int", key[7]))
            places = cast("tuple[int, ...]", key[8])
            layout = self._layout(item, pair, places)
            if layout is None:
                if item.rooms.get(pair, ()) is None:
                    continue  # whatever the places, a pitch is beyond what is permitted
            elif (pair, layout) not in seen:
                seen.add((pair, layout))
                plans.append(self._found(item, pair, places, layout, goal))
            self._advance(item, pair, queue, key, fitted=layout is not None)
        return plans

    def _open(
        self,
        item: _Open,
        number: int,
        queue: list[tuple[object, ...]],
        costs: Mapping[FormatModifier, int],
    ) -> None:
        """Merge a choice and put its pairs on the queue."""
        choice = item.choice
        for pair in item.pairs:
            shape = self._shape(pair, choice)
            if shape not in item.best:
                group = item.groups.get(shape.planes)
                if shape.planes not in item.groups:
                    group = item.groups[shape.planes] = self.group(choice, shape.planes)
                item.best[shape] = [] if group is None else self._places(group, shape)
            best = item.best[shape]
            if not best:
                continue
            first = best[0]
            heappush(
                queue,
                (choice.alternative, choice.cost, first.order, costs.get(pair, 0) if costs else 0,
                 first.objects, first.scarcity, pair[0], pair[1], first.sources, choice.ranks,
                 number),
            )  # fmt: skip

    def _shape(self, pair: FormatModifier, choice: Choice) -> Shape:
        """The planes of a pair; of an unknown format those that somebody speaks of."""
        format_ = FORMATS.get(pair[0])
        if format_ is not None:
            return _SHAPES[len(format_.planes), pair[1] not in TILINGS]
        spoken = 1
        for voice, position in zip(self.voices, choice.sets, strict=True):
            for constraint in voice.constraints(position):
                spoken |= constraint.planes
        return _SHAPES[(spoken & ALL_PLANES).bit_length(), True]

    def _places(
        self, group: Group, shape: Shape, accept: Callable[[tuple[int, ...]], bool] | None = None
    ) -> list[Assignment]:
        """The best places of the planes; without `accept`, whatever the size turns out to be."""
        merged = group.merged
        domains = self.memory.judge.domains(merged, shape.planes)
        buffers = cast("int", merged.get((T["same-buffer"], WHOLE), 0))
        together = buffers | cast("int", merged.get((T["same-source"], WHOLE), 0))
        apart = cast("int", merged.get((T["different-source"], WHOLE), 0))
        if self.problem.fixed is not None:
            return [
                places
                for places in self._fixed_places(domains, together, apart)
                if accept is None or accept(places.sources)
            ]
        known = (domains, together, apart, group.orders, shape.opaque)
        places = self.memory.assignments.get(known) if accept is None else None
        if places is None:
            places = assign(
                domains,
                together=together,
                apart=apart,
                orders=group.orders,
                scarcity=self.memory.scarcity_opaque if shape.opaque else self.memory.scarcity,
                limit=MAX_PLANS,
                accept=accept,
            )
            if accept is None:
                self.memory.assignments[known] = places
        return places

    def _fixed_places(
        self, domains: tuple[int, ...], together: int, apart: int
    ) -> list[Assignment]:
        """The one place that a buffer which exists already has, if it may be there."""
        fixed = self.problem.fixed
        if fixed is None or len(fixed.layout.planes) < len(domains):
            return []
        objects = fixed.layout.objects
        own = [
            self.memory.position.get(objects[plane.object].source) for plane in fixed.layout.planes
        ]
        places = tuple(place for place in own[: len(domains)] if place is not None)
        if len(places) < len(domains):
            return []
        return assign(
            [domain & 1 << place for domain, place in zip(domains, places, strict=True)],
            together=together,
            apart=apart,
            scarcity=self.memory.scarcity,
            limit=1,
        )

    def _layout(self, item: _Open, pair: FormatModifier, places: tuple[int, ...]) -> Layout | None:
        """The layout with the planes in these places; None when something is too great."""
        group = item.group(self._shape(pair, item.choice))
        fixed = self.problem.fixed
        sources = tuple([self.memory.sources[place].id for place in places])
        if fixed is not None:
            layout: Layout | None = fixed.layout
            if not meets_fixed(fixed, group.merged, self.problem.extents):
                return None
        else:
            format_, tiling = FORMATS.get(pair[0]), TILINGS.get(pair[1])
            if format_ is None or tiling is None:
                layout = self._allocator_layout(group, item.choice, sources)
            else:
                if pair not in item.rooms:
                    item.rooms[pair] = plane_rooms(group.geometry, format_, tiling)
                rooms = item.rooms[pair]
                if rooms is None:
                    return None
                layout = exact_layout(group.geometry, rooms, sources)
        if layout is None or not self._fits(layout, group):
            return None
        return layout

    def _allocator_layout(
        self, group: Group, choice: Choice, sources: tuple[SourceId, ...]
    ) -> Layout:
        """One object for each source, and what whoever allocates has to keep to."""
        return Layout(
            kind=LayoutKind.ALLOCATOR,
            extent=cast("Extent", group.geometry.extent),
            objects=tuple(BufferObject(source, 0) for source in dict.fromkeys(sources)),
            planes=(),
            constraints=self._carried(choice, group),
        )

    def _carried(self, choice: Choice, group: Group) -> tuple[Constraint, ...]:
        """The merged demand as constraints again."""
        return spell(
            group.merged,
            [
                constraint
                for voice, position in zip(self.voices, choice.sets, strict=True)
                for constraint in voice.constraints(position)
            ],
        )

    def _fits(self, layout: Layout, group: Group) -> bool:
        """Whether the objects are in few enough runs, and all buffers have room in their heaps."""
        segments = cast("int", group.merged.get((T["max-segments"], WHOLE), UINT_MAX))
        for one in layout.objects:
            source = self.memory.sources[self.memory.position[one.source]]
            if segments != UINT_MAX and source.contiguous is not True:
                pages = -(-one.size // PAGE_SIZE)
                if pages == 0 or pages > segments:
                    return False
            if (
                self.capacity
                and source.capacity is not None
                and group.count * -(-one.size // PAGE_SIZE) * PAGE_SIZE > source.capacity
            ):
                return False
        return True

    def _advance(
        self,
        item: _Open,
        pair: FormatModifier,
        queue: list[tuple[object, ...]],
        key: tuple[object, ...],
        *,
        fitted: bool,
    ) -> None:
        """Put the next best places of a pair on the queue.

        The places were found whatever the size. Once some do not fit, they are
        looked for again with the size in mind; those taken so far are the first
        of these too.
        """
        shape = self._shape(pair, item.choice)
        turn = item.turns.get(pair, 0) + fitted
        item.turns[pair] = turn
        if not fitted and pair not in item.fitting:
            item.fitting[pair] = self._places(
                item.group(shape),
                shape,
                lambda places: self._layout(item, pair, places) is not None,
            )
        best = item.fitting.get(pair, item.best[shape])
        if turn < len(best):
            after = best[turn]
            heappush(
                queue,
                (key[0], key[1], after.order, key[3], after.objects, after.scarcity, key[6],
                 key[7], after.sources, key[9], key[10]),
            )  # fmt: skip

    def _found(
        self,
        item: _Open,
        pair: FormatModifier,
        places: tuple[int, ...],
        layout: Layout,
        goal: str,
    ) -> Found:
        group = item.group(self._shape(pair, item.choice))
        merged = group.merged
        sources = tuple([self.memory.sources[place] for place in places])
        domains = cast("int", merged.get((T["coherency-domains"], WHOLE), 0b111))
        for source in sources:
            domains &= domains_of(source)
        fences = merged.get((T["fences"], WHOLE))
        plan = Plan(
            fourcc=pair[0],
            modifier=pair[1],
            goal=goal,
            scanout=self.scanout,
            layout=layout,
            buffer_count=group.count,
            domain=preferred_domain(domains, scanout=any(voice.scanout for voice in self.voices)),
            fence=None if fences is None else preferred_fence(cast("int", fences)),
            colour=group.colour,
        )
        return Found(plan=plan, pair=pair, choice=group.choice, merged=merged, sources=sources)
