"""The search for the plans of one goal; solution.py says how it goes."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple, TypeAlias

from heapwire.protocol.solver.assignment import Assignment
from heapwire.protocol.solver.demand import Demand
from heapwire.protocol.solver.group_layout import (
    TRIED_FIRST,
    PairClass,
    Places,
    can_be_met_at_best,
    ground_of,
    layout_of,
    pairs_to_lay_out,
    places_of,
    rooms_of,
)
from heapwire.protocol.solver.layout import LayoutClass, class_of
from heapwire.protocol.solver.merged_group import MergedGroup, group_of
from heapwire.protocol.solver.prepared_goal import PreparedGoal
from heapwire.protocol.solver.set_choice import Combinations, SetChoice, Ways
from heapwire.protocol.solver.step_budget import TooComplexError
from heapwire.protocol.values import (
    ALL_PLANES,
    COHERENCY_DOMAINS,
    FENCES,
    MAX_PLANES,
    CoherencyDomain,
    Fence,
    FormatModifier,
    Layout,
    Plan,
    Source,
    domains_of,
    plane_count,
    preferred_domain,
    preferred_fence,
)

MAX_PLANS: Final = 8
"""Plans of one goal; a client that cannot use any of so many will not use the next."""

_ALL_DOMAINS: Final = 0b111
_NO_PAIR: Final = FormatModifier(0, 0)
_STEPS_OF_A_COMBINATION: Final = 4
_UNOPENED: Final = -1  # where the order of sources stands in a key: before any real one


class _Key(NamedTuple):
    """What a candidate promises at best, as a rank: the fields in this order. No two are equal.

    A key may promise too much, never too little: what comes off the heap first is
    then the best there is, and none is passed by. So an unopened choice has the
    least in every field that only opening it tells, and the places are the best
    that any size would leave.
    """

    alternative: int
    cost: int
    order: int
    format_cost: int
    objects: int
    scarcity: int
    pair: FormatModifier
    places: Places
    ranks: tuple[int, ...]
    candidate: int
    """The position of the candidate."""


_Agreement: TypeAlias = tuple[tuple[Source, ...], CoherencyDomain | None, Fence | None]


class _Candidate:
    """A choice of sets, and how far each of its pairs has come.

    Everything is kept by what it depends on: groups by the number of planes, first places
    by the family of layout classes, agreements by planes and places, turns by the pair.
    """

    __slots__ = (
        "agreements", "choice", "classes", "combinations", "families", "groups", "pairs", "turns",
        "ways",
    )  # fmt: skip

    def __init__(self, combinations: Combinations, ways: Ways, pairs: list[FormatModifier]) -> None:
        self.combinations = combinations
        self.ways = ways
        self.choice = combinations.choice(ways)
        self.pairs = pairs
        self.groups: dict[int, MergedGroup | None] = {}
        self.families: dict[int, tuple[MergedGroup, list[Assignment]] | None] = {}
        self.classes: dict[FormatModifier, PairClass] = {}
        self.agreements: dict[tuple[int, Places], _Agreement] = {}
        self.turns: dict[FormatModifier, int] = {}


class FoundPlan(NamedTuple):
    """A plan and what it was chosen from: its choice of sets, their demand, a source a plane."""

    plan: Plan
    pair: FormatModifier
    choice: SetChoice
    demand: Demand
    sources: tuple[Source, ...]


class Search:
    """Looks for the best plans of one goal, as lazily as the ranking permits.

    `laid_out` are the classes and places of its plans, in their order, and `groups` what was
    merged. `steady`: nothing on its way was refused, or came to what was there already, and no
    alternatives were tried.
    """

    def __init__(self, goal: PreparedGoal) -> None:
        self.goal = goal
        goal.budget.doing = "looking for the pairs that everyone knows"
        self.common = pairs_to_lay_out(goal)
        self.laid_out: list[tuple[PairClass, Places]] = []
        self.groups: list[MergedGroup] = []
        self.steady = True
        self._shown = any(participant.scanout for participant in goal.participants)

    def first_choices(self) -> Iterator[tuple[SetChoice, list[FormatModifier]]]:
        """Everyone's first choice for each of the pairs."""
        return ((candidate.choice, candidate.pairs) for candidate in self._first_candidates())

    def choices(self) -> Iterator[tuple[SetChoice, list[FormatModifier]]]:
        """Every combination of sets with the pairs it is for; `TooComplexError` if too many."""
        waiting = self._first_candidates()
        while waiting:
            candidate = waiting.pop()
            yield candidate.choice, candidate.pairs
            waiting += self._after(candidate)

    def _first_candidates(self) -> list[_Candidate]:
        self.goal.budget.spend(3 * len(self.common))
        candidates = []
        for alternatives, pairs in self.common.items():
            combinations = Combinations(self.goal.participants, alternatives)
            candidates.append(_Candidate(combinations, combinations.first(), pairs))
        return candidates

    def _after(self, candidate: _Candidate) -> Iterator[_Candidate]:
        combinations = candidate.combinations
        for ways in combinations.after(candidate.ways):
            self.goal.budget.spend(_STEPS_OF_A_COMBINATION)
            yield _Candidate(combinations, ways, candidate.pairs)

    def plans(self, limit: int = MAX_PLANS) -> list[FoundPlan]:
        """The best plans, best first; those found so far when the steps end.

        A heap of keys that never promise too little: first a choice of sets,
        before anything is merged; then each of its pairs with the best places
        for the planes; the next best places when those have been taken. What
        comes off the heap with a layout that fits is the next best plan. Raises
        `TooComplexError` when the steps end before there is any.
        """
        plans: list[FoundPlan] = []
        self.goal.budget.doing = "looking at alternatives"
        try:
            self._look(plans, limit)
        except TooComplexError:
            self.steady = False
            if not plans:
                raise
        return plans

    def _look(self, plans: list[FoundPlan], limit: int) -> None:
        budget = self.goal.budget
        candidates = self._first_candidates()
        heap = [_unopened(candidate, number) for number, candidate in enumerate(candidates)]
        heapify(heap)
        while heap and len(plans) < limit:
            budget.spend()
            key = heappop(heap)
            candidate = candidates[key.candidate]
            if key.order == _UNOPENED:
                if candidate.combinations.hopeless:
                    continue
                self._open(candidate, key.candidate, heap)
                self.steady = self.steady and not candidate.combinations.many
                if candidate.combinations.many and (plans or not self._is_hopeless(candidate)):
                    for further in self._after(candidate):
                        heappush(heap, _unopened(further, len(candidates)))
                        candidates.append(further)
                    budget.doing = f"trying combinations of alternatives, {len(candidates)} so far"
                continue
            pair = key.pair
            alike = candidate.classes[pair]
            layout = self._layout(alike, pair, key.places)
            if layout is None and alike.rooms is None:
                self.steady = False
                continue  # whatever the places, a pitch is beyond what is permitted
            # Other sets, or other places of planes that only the driver knows, may
            # come to the same.
            again = key.ranks or alike.layout_class.opaque
            if layout is not None and not (again and _is_among(plans, pair, layout)):
                plans.append(self._found(candidate, alike.group, pair, key.places, layout))
                self.laid_out.append((alike, key.places))
                if len(plans) == limit:
                    return
            else:
                self.steady = False
            self._advance(candidate, alike, heap, key, fitted=layout is not None)

    def _open(self, candidate: _Candidate, number: int, heap: list[_Key]) -> None:
        """Merge a choice and put its pairs on the heap."""
        choice = candidate.choice
        costs = self.goal.problem.format_costs
        classes: dict[LayoutClass, PairClass | None] = {}
        self.goal.budget.spend(2 * len(candidate.pairs))
        for pair in candidate.pairs:
            layout_class = class_of(pair)
            if layout_class is None:
                planes = plane_count(*pair) or self._planes_spoken_of(choice)
                layout_class = LayoutClass(planes, opaque=True)
            if layout_class not in classes:
                classes[layout_class] = self._class(candidate, layout_class)
            alike = classes[layout_class]
            if alike is None:
                continue
            candidate.classes[pair] = alike
            order, objects, scarcity, places = alike.best[0]
            heappush(
                heap,
                _Key(
                    choice.alternative, choice.cost, order, costs.get(pair, 0) if costs else 0,
                    objects, scarcity, pair, places, choice.ranks, number,
                ),
            )  # fmt: skip

    def _class(self, candidate: _Candidate, layout_class: LayoutClass) -> PairClass | None:
        """What is known of a class before anything is laid out; None if there is no place."""
        family = layout_class.family
        if family not in candidate.families:
            group = self._group(candidate, layout_class.planes)
            best = [] if group is None else self._first_places(group, layout_class)
            candidate.families[family] = (group, best) if group is not None and best else None
        placed = candidate.families[family]
        return None if placed is None else PairClass(layout_class, *placed)

    def _group(self, candidate: _Candidate, planes: int) -> MergedGroup | None:
        if planes not in candidate.groups:
            group = candidate.groups[planes] = group_of(self.goal, candidate.choice, planes)
            if group is None:
                self.steady = False
            else:
                self.groups.append(group)
        return candidate.groups[planes]

    def _is_hopeless(self, candidate: _Candidate) -> bool:
        """Whether nothing meets what is demanded whichever sets are chosen; some were in vain."""
        combinations = candidate.combinations
        combinations.taken += 1
        if combinations.taken == TRIED_FIRST:
            positions = combinations.positions()
            combinations.hopeless = not can_be_met_at_best(
                self.goal,
                lambda planes: [
                    ground_of((participant.demand(n, planes) for n in own), self.goal.budget)
                    for participant, own in zip(self.goal.participants, positions, strict=True)
                ],
                candidate.pairs,
            )
        return combinations.hopeless

    def _planes_spoken_of(self, choice: SetChoice) -> int:
        """The planes of an unknown format: up to the last that somebody speaks of."""
        spoken = 1
        for participant, position in zip(self.goal.participants, choice.sets, strict=True):
            constraints = participant.constraints(position)
            self.goal.budget.spend(len(constraints) // 4)
            for constraint in constraints:
                spoken |= constraint.planes
        return min((spoken & ALL_PLANES).bit_length(), MAX_PLANES)

    def _first_places(self, group: MergedGroup, layout_class: LayoutClass) -> list[Assignment]:
        """The best places for every pair of a class, whatever the size turns out to be."""

        def placed() -> list[Assignment]:
            return places_of(self.goal, group, layout_class, MAX_PLANS)

        if self.goal.problem.fixed is not None:
            return placed()
        # This is all that `places_of` looks at without rooms and a fixed buffer.
        asked = (group.domains, group.together, group.apart, group.orders, group.clean,
                 layout_class.opaque)  # fmt: skip
        best = self.goal.assignments.get(asked)
        if best is None:
            best = self.goal.sources.placed.by(asked, self.goal.budget, placed)
            self.goal.assignments[asked] = best
        return best

    def _layout(self, alike: PairClass, pair: FormatModifier, places: Places) -> Layout | None:
        """The layout with the planes in these places; None when something is too great."""
        layouts = alike.layouts
        if places in layouts:
            return layouts[places]
        if not layouts:
            alike.rooms = rooms_of(self.goal, alike.group, alike.layout_class, pair)
        layout = (
            None
            if alike.rooms is None
            else layout_of(self.goal, alike.group, alike.layout_class, alike.rooms, places)
        )
        layouts[places] = layout
        return layout

    def _advance(
        self, candidate: _Candidate, alike: PairClass, heap: list[_Key], key: _Key, *, fitted: bool
    ) -> None:
        """Put the next best places of a pair on the heap.

        The places were found whatever the size. Once some do not fit, they are
        looked for again with the size in mind; those taken so far are the first
        of these too.
        """
        pair = key.pair
        # The place that did not fit is not among the fitting ones, so it counts no turn.
        turn = candidate.turns.get(pair, 0) + fitted
        candidate.turns[pair] = turn
        if not fitted and alike.fitting is None:
            alike.fitting = places_of(
                self.goal,
                alike.group,
                alike.layout_class,
                MAX_PLANS,
                rooms=alike.rooms or (),
                accept=lambda places: self._layout(alike, pair, places) is not None,
            )
        best = alike.best if alike.fitting is None else alike.fitting
        if turn < len(best):
            order, objects, scarcity, places = best[turn]
            heappush(
                heap,
                _Key(
                    key.alternative, key.cost, order, key.format_cost, objects, scarcity,
                    pair, places, key.ranks, key.candidate,
                ),
            )  # fmt: skip

    def _found(
        self,
        candidate: _Candidate,
        group: MergedGroup,
        pair: FormatModifier,
        places: Places,
        layout: Layout,
    ) -> FoundPlan:
        agreement = candidate.agreements.get((group.planes, places))
        if agreement is None:
            agreement = self._agreement(group, places)
            candidate.agreements[group.planes, places] = agreement
        sources, domain, fence = agreement
        plan = Plan(
            fourcc=pair.fourcc,
            modifier=pair.modifier,
            goal=self.goal.name,
            scanout=self.goal.scanout,
            layout=layout,
            buffer_count=group.count,
            domain=domain,
            fence=fence,
            colour=group.colour,
        )
        return FoundPlan(plan, pair, group.choice, group.demand, sources)

    def _agreement(self, group: MergedGroup, places: Places) -> _Agreement:
        """The sources in these places, and what they leave of coherency and fences."""
        demand = group.demand
        sources = tuple([self.goal.sources.sources[place] for place in places])
        domains = demand.mask(COHERENCY_DOMAINS)
        left = _ALL_DOMAINS if domains is None else domains
        for source in dict.fromkeys(places):
            left &= domains_of(self.goal.sources.sources[source])
            if group.clean and self.goal.sources.sources[source].cached is not False:
                left &= 1 << CoherencyDomain.RAM
        fences = demand.mask(FENCES)
        fence = None if fences is None else preferred_fence(fences)
        return sources, preferred_domain(left, scanout=self._shown), fence


def _unopened(candidate: _Candidate, number: int) -> _Key:
    """The key of a choice of sets before anything of it is merged."""
    choice = candidate.choice
    return _Key(choice.alternative, choice.cost, _UNOPENED, 0, 0, 0, _NO_PAIR, (), (), number)


def _is_among(plans: list[FoundPlan], pair: FormatModifier, layout: Layout) -> bool:
    """Whether another choice of sets has led to the same plan already."""
    return any(found.pair == pair and found.plan.layout == layout for found in plans)
