"""The search for the plans of one goal; solve.py says how it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple, TypeAlias, cast

from heapwire.protocol.solver.assignment import Assignment, assign
from heapwire.protocol.solver.exact_layout import PlaneRoom, exact_layout, plane_rooms
from heapwire.protocol.solver.fixed_layout import meets_fixed
from heapwire.protocol.solver.layout_class import LAID_OUT, LayoutClass
from heapwire.protocol.solver.merge_rule import UINT_MAX, WHOLE, Merged, T
from heapwire.protocol.solver.merged_group import MergedGroup, allocator_layout, group_of
from heapwire.protocol.solver.prepared_participant import PreparedParticipant
from heapwire.protocol.solver.ranked_sources import RankedSources
from heapwire.protocol.solver.set_choice import SetChoice, choices_of, common_pairs
from heapwire.protocol.values import (
    ALL_PLANES,
    FORMATS,
    MAX_PLANES,
    PAGE_SIZE,
    TILINGS,
    CoherencyDomain,
    Fence,
    FormatModifier,
    Layout,
    Plan,
    Problem,
    Source,
    domains_of,
    preferred_domain,
    preferred_fence,
)

MAX_PLANS: Final = 8
"""Plans of one goal; a client that cannot use any of so many will not use the next."""

_DOMAINS: Final = (T["coherency-domains"], WHOLE)
_FENCES: Final = (T["fences"], WHOLE)

Places: TypeAlias = tuple[int, ...]
"""For each plane the place of its source in `RankedSources.sources`."""

_NO_PAIR: Final = FormatModifier(0, 0)
_UNOPENED: Final = -1  # where the order of sources stands in a key: before any real one


class _Key(NamedTuple):
    """The rank of what a candidate promises at best; no two are equal."""

    alternative: int
    cost: int
    order: int
    format_cost: int
    objects: int
    scarcity: int
    pair: FormatModifier
    places: Places
    ranks: tuple[int, ...]
    item: int


_Agreed: TypeAlias = tuple[tuple[Source, ...], CoherencyDomain | None, Fence | None]


class _Item:
    """A choice whose pairs are on the queue, and how far each has come."""

    __slots__ = (
        "agreed", "best", "choice", "fitting", "groups", "layouts", "pairs", "rooms", "shapes",
        "turns",
    )  # fmt: skip

    def __init__(self, choice: SetChoice, pairs: list[FormatModifier]) -> None:
        self.choice = choice
        self.pairs = pairs
        self.groups: dict[int, MergedGroup | None] = {}
        self.best: dict[int, list[Assignment]] = {}
        self.shapes: dict[FormatModifier, LayoutClass] = {}
        self.rooms: dict[LayoutClass, tuple[PlaneRoom, ...] | None] = {}
        self.layouts: dict[tuple[LayoutClass, Places], Layout | None] = {}
        self.agreed: dict[tuple[int, Places], _Agreed] = {}
        self.turns: dict[FormatModifier, int] = {}
        self.fitting: dict[LayoutClass, list[Assignment]] = {}

    def group(self, pair: FormatModifier) -> MergedGroup:
        """The demand on a pair that is on the queue; there are places for it, so there is one."""
        group = self.groups[self.shapes[pair].planes]
        assert group is not None
        return group


class Found(NamedTuple):
    """A plan and what it was chosen from."""

    plan: Plan
    pair: FormatModifier
    choice: SetChoice
    merged: Merged
    sources: tuple[Source, ...]


class Search:
    """Looks for the best plans of one goal, as lazily as the ranking permits."""

    def __init__(
        self,
        problem: Problem,
        memory: RankedSources,
        voices: Sequence[PreparedParticipant],
        *,
        scanout: bool = False,
        capacity: bool = True,
    ) -> None:
        self.problem = problem
        self.memory = memory
        self.voices = voices
        self.scanout = scanout
        self.capacity = capacity
        self.common = common_pairs(voices, problem.fixed)
        self._shown = any(voice.scanout for voice in voices)

    def choices(self) -> Iterator[tuple[SetChoice, list[FormatModifier]]]:
        """Every combination of sets with the pairs it is for; `TooComplexError` if too many."""
        return choices_of(self.common)

    def group(self, choice: SetChoice, planes: int) -> MergedGroup | None:
        """What a choice of sets demands of formats with so many planes; None if nothing can."""
        return group_of(self.problem, self.memory, self.voices, choice, planes)

    def found(self, limit: int = MAX_PLANS, goal: str = "") -> list[Found]:
        """The best plans, best first.

        A heap of keys that never promise too little: first a choice of sets,
        before anything is merged; then each of its pairs with the best places
        for the planes; the next best places when those have been taken. What
        comes off the heap with a layout that fits is the next best plan.
        """
        items = [_Item(choice, pairs) for choice, pairs in self.choices()]
        queue = [
            _Key(
                item.choice.alternative, item.choice.cost, _UNOPENED, 0, 0, 0, _NO_PAIR, (), (),
                number,
            )
            for number, item in enumerate(items)
        ]  # fmt: skip
        heapify(queue)
        plans: list[Found] = []
        while queue and len(plans) < limit:
            key = heappop(queue)
            item = items[key.item]
            if key.order == _UNOPENED:
                self._open(item, key.item, queue)
                continue
            pair = key.pair
            shape = item.shapes[pair]
            layout = self._layout(item, pair, key.places)
            if layout is None and item.rooms.get(shape, ()) is None:
                continue  # whatever the places, a pitch is beyond what is permitted
            # Other sets, or other places of planes that only the driver knows, may
            # come to the same.
            again = key.ranks or shape.opaque
            if layout is not None and not (again and _known(plans, pair, layout)):
                plans.append(self._found(item, pair, key.places, layout, goal))
            if len(plans) < limit:
                self._advance(item, pair, queue, key, fitted=layout is not None)
        return plans

    def _open(self, item: _Item, number: int, queue: list[_Key]) -> None:
        """Merge a choice and put its pairs on the queue."""
        choice = item.choice
        costs: Mapping[FormatModifier, int] = self.problem.format_costs
        for pair in item.pairs:
            shape = LAID_OUT.get(pair)
            if shape is None:
                format_ = FORMATS.get(pair.fourcc)
                planes = len(format_.planes) if format_ else self._planes_spoken_of(choice)
                shape = LayoutClass(planes, opaque=True)
            best = item.best.get(shape.family)
            if best is None:
                best = item.best[shape.family] = self._first_places(item, shape)
            if not best:
                continue
            item.shapes[pair] = shape
            order, objects, scarcity, places = best[0]
            heappush(
                queue,
                _Key(
                    choice.alternative, choice.cost, order, costs.get(pair, 0) if costs else 0,
                    objects, scarcity, pair, places, choice.ranks, number,
                ),
            )  # fmt: skip

    def _planes_spoken_of(self, choice: SetChoice) -> int:
        """The planes of an unknown format: up to the last that somebody speaks of."""
        spoken = 1
        for voice, position in zip(self.voices, choice.sets, strict=True):
            for constraint in voice.constraints(position):
                spoken |= constraint.planes
        return min((spoken & ALL_PLANES).bit_length(), MAX_PLANES)

    def _first_places(self, item: _Item, shape: LayoutClass) -> list[Assignment]:
        """The best places for every pair of a shape, whatever the size turns out to be."""
        if shape.planes not in item.groups:
            item.groups[shape.planes] = self.group(item.choice, shape.planes)
        group = item.groups[shape.planes]
        if group is None:
            return []
        if self.problem.fixed is not None:
            return self._places(group, shape)
        known = (group.domains, group.together, group.apart, group.orders, shape.opaque)
        places = self.memory.assignments.get(known)
        if places is None:
            places = self.memory.assignments[known] = self._places(group, shape)
        return places

    def _places(
        self,
        group: MergedGroup,
        shape: LayoutClass,
        *,
        rooms: Sequence[PlaneRoom] = (),
        accept: Callable[[Places], bool] | None = None,
    ) -> list[Assignment]:
        """The best places of the planes; `accept` has the last word on each.

        `rooms` rules out at once the sources that are too small for a plane by itself.
        """
        domains = group.domains
        if self.problem.fixed is not None:
            domains = self._fixed_domains(domains)
        elif rooms and self.capacity:
            domains = tuple(
                domain & self.memory.with_room_for(group.count * room.size)
                for domain, room in zip(domains, rooms, strict=True)
            )
        return assign(
            domains,
            together=group.together,
            apart=group.apart,
            orders=group.orders,
            scarcity=self.memory.scarcity_of(opaque=shape.opaque),
            limit=MAX_PLANS,
            accept=accept,
            sets_of_sources=shape.opaque and self.problem.fixed is None,
        )

    def _fixed_domains(self, domains: tuple[int, ...]) -> tuple[int, ...]:
        """What is left when each plane is where it already is."""
        fixed = self.problem.fixed
        if fixed is None or len(fixed.layout.planes) < len(domains):
            return tuple(0 for _ in domains)
        objects = fixed.layout.objects
        places = [
            self.memory.position.get(objects[plane.object].source) for plane in fixed.layout.planes
        ]
        return tuple(
            0 if place is None else domain & 1 << place
            for domain, place in zip(domains, places, strict=False)
        )

    def _layout(self, item: _Item, pair: FormatModifier, places: Places) -> Layout | None:
        """The layout with the planes in these places; None when something is too great."""
        key = (item.shapes[pair], places)
        if key in item.layouts:
            return item.layouts[key]
        group = item.group(pair)
        layout = self._laid_out(item, pair, places, group)
        if layout is not None and not self._fits(layout, group):
            layout = None
        item.layouts[key] = layout
        return layout

    def _laid_out(
        self, item: _Item, pair: FormatModifier, places: Places, group: MergedGroup
    ) -> Layout | None:
        fixed = self.problem.fixed
        if fixed is not None:
            good = meets_fixed(fixed, group.merged, self.problem.extents)
            return fixed.layout if good else None
        ids = self.memory.ids
        shape = item.shapes[pair]
        if shape.opaque:
            return allocator_layout(group, self.voices, [ids[place] for place in places])
        if shape not in item.rooms:
            item.rooms[shape] = plane_rooms(
                group.geometry, FORMATS[pair.fourcc], TILINGS[pair.modifier]
            )
        rooms = item.rooms[shape]
        return None if rooms is None else exact_layout(group.geometry, rooms, places, ids)

    def _fits(self, layout: Layout, group: MergedGroup) -> bool:
        """Whether the objects are in few enough runs, and all buffers have room in their heaps."""
        for one in layout.objects:
            source = self.memory.sources[self.memory.position[one.source]]
            pages = -(-one.size // PAGE_SIZE)
            if (
                group.segments != UINT_MAX
                and source.contiguous is not True
                and not 0 < pages <= group.segments
            ):
                return False
            if (
                source.capacity is not None
                and self.capacity
                and group.count * pages * PAGE_SIZE > source.capacity
            ):
                return False
        return True

    def _advance(
        self, item: _Item, pair: FormatModifier, queue: list[_Key], key: _Key, *, fitted: bool
    ) -> None:
        """Put the next best places of a pair on the queue.

        The places were found whatever the size. Once some do not fit, they are
        looked for again with the size in mind; those taken so far are the first
        of these too.
        """
        shape = item.shapes[pair]
        turn = item.turns.get(pair, 0) + fitted
        item.turns[pair] = turn
        if not fitted and shape not in item.fitting:
            item.fitting[shape] = self._places(
                item.group(pair),
                shape,
                rooms=item.rooms.get(shape) or (),
                accept=lambda places: self._layout(item, pair, places) is not None,
            )
        best = item.fitting.get(shape) if item.fitting else None
        if best is None:
            best = item.best[shape.family]
        if turn < len(best):
            order, objects, scarcity, places = best[turn]
            heappush(
                queue,
                _Key(
                    key.alternative, key.cost, order, key.format_cost, objects, scarcity,
                    key.pair, places, key.ranks, key.item,
                ),
            )  # fmt: skip

    def _found(
        self, item: _Item, pair: FormatModifier, places: Places, layout: Layout, goal: str
    ) -> Found:
        group = item.group(pair)
        merged = group.merged
        agreed = item.agreed.get((group.planes, places))
        if agreed is None:
            agreed = item.agreed[group.planes, places] = self._agreed(merged, places)
        sources, domain, fence = agreed
        plan = Plan(
            fourcc=pair.fourcc,
            modifier=pair.modifier,
            goal=goal,
            scanout=self.scanout,
            layout=layout,
            buffer_count=group.count,
            domain=domain,
            fence=fence,
            colour=group.colour,
        )
        return Found(plan=plan, pair=pair, choice=group.choice, merged=merged, sources=sources)

    def _agreed(self, merged: Merged, places: Places) -> _Agreed:
        """The sources in these places, and what they leave of coherency and fences."""
        sources = tuple([self.memory.sources[place] for place in places])
        domains = cast("int", merged.get(_DOMAINS, 0b111))
        for source in sources:
            domains &= domains_of(source)
        fences = merged.get(_FENCES)
        fence = None if fences is None else preferred_fence(cast("int", fences))
        return sources, preferred_domain(domains, scanout=self._shown), fence


def _known(plans: list[Found], pair: FormatModifier, layout: Layout) -> bool:
    """Whether another choice of sets has led to the same plan already."""
    return any(found.pair == pair and found.plan.layout == layout for found in plans)
