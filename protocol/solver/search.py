"""The search for the plans of one goal; solution.py says how it goes."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from itertools import repeat
from operator import itemgetter
from typing import Final

from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.solver.assignment import Assignment
from heapwire.protocol.solver.candidate import (
    UNOPENED,
    Agreement,
    Candidate,
    CandidateKey,
    Row,
    unopened,
)
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
from heapwire.protocol.solver.layout import LayoutClass, classes_of
from heapwire.protocol.solver.merged_group import KnownGroups, MergedGroup, group_of
from heapwire.protocol.solver.prepared_goal import PreparedGoal
from heapwire.protocol.solver.set_choice import Combinations, SetChoice
from heapwire.protocol.solver.step_budget import TooComplexError
from heapwire.protocol.values import (
    ALL_PLANES,
    COHERENCY_DOMAINS,
    FENCES,
    MAX_PLANES,
    CoherencyDomain,
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
_STEPS_OF_A_COMBINATION: Final = 4
_UNKNOWN: Final = LayoutClass(0, opaque=True)
_SHAPE: Final = itemgetter(0, 1)  # of a class of layouts: its planes, and whether it is opaque


class FoundPlan(NamedTuple):
    """A plan and what it was chosen from: its choice of sets, their demand, a source a plane."""

    plan: Plan
    pair: FormatModifier
    choice: SetChoice
    demand: Demand
    sources: tuple[Source, ...]


class Search:
    """Looks for the best plans of one goal, as lazily as the ranking permits.

    `laid_out` are the classes and places of its plans, in their order. `steady`: nothing on its
    way was refused, or came to what was there already, and no alternatives were tried.
    """

    def __init__(self, goal: PreparedGoal) -> None:
        self.goal = goal
        goal.budget.doing = "looking for the pairs that everyone knows"
        self.common = pairs_to_lay_out(goal)
        self.laid_out: list[tuple[PairClass, Places]] = []
        self._merged: KnownGroups = {}
        self.steady = True
        self._shown = any(participant.scanout for participant in goal.participants)

    @property
    def groups(self) -> list[MergedGroup]:
        """What was merged."""
        return [group for _, group in self._merged.values() if group is not None]

    @property
    def is_merged(self) -> bool:
        """Whether some of what is demanded can be met before anything is placed or laid out."""
        return bool(self._merged)

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

    def _first_candidates(self) -> list[Candidate]:
        self.goal.budget.spend(3 * len(self.common))
        candidates = []
        for alternatives, pairs in self.common.items():
            combinations = Combinations(self.goal.participants, alternatives)
            candidates.append(Candidate(combinations, combinations.first(), pairs))
        return candidates

    def _after(self, candidate: Candidate) -> Iterator[Candidate]:
        combinations = candidate.combinations
        for ways in combinations.after(candidate.ways):
            self.goal.budget.spend(_STEPS_OF_A_COMBINATION)
            yield Candidate(combinations, ways, candidate.pairs)

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
        heap = [unopened(candidate, number) for number, candidate in enumerate(candidates)]
        heapify(heap)
        while heap and len(plans) < limit:
            budget.spend()
            key = heappop(heap)
            candidate = candidates[key.candidate]
            if key.order == UNOPENED:
                if candidate.combinations.hopeless:
                    continue
                self._open(candidate, key.candidate, heap)
                self.steady = self.steady and not candidate.combinations.many
                if candidate.combinations.many and (plans or not self._is_hopeless(candidate)):
                    for further in self._after(candidate):
                        heappush(heap, unopened(further, len(candidates)))
                        candidates.append(further)
                    budget.doing = f"trying combinations of alternatives, {len(candidates)} so far"
                continue
            pair = key.pair
            row = candidate.rows.pop(pair, None)
            if row is not None:
                self._queue(candidate, key.candidate, heap, row)
            alike = candidate.classes[pair]
            layout = self._layout(alike, pair, key.places)
            if layout is None and alike.rooms is None:
                self.steady = False
                continue  # whatever the places, something is beyond what is permitted
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

    def _open(self, candidate: Candidate, number: int, heap: list[CandidateKey]) -> None:
        """Merge a choice, and put the first pair of each row on the heap."""
        costs = self.goal.problem.format_costs
        self.goal.budget.spend(2 * len(candidate.pairs))
        ordered = sorted(candidate.pairs)
        classes = self._classes(ordered, candidate.choice)
        # Columns are walked over fast, and many more pairs come here than are ever looked at.
        charged = [costs.get(pair, 0) for pair in ordered] if costs else repeat(0)
        rows: dict[tuple[tuple[int, bool], int], list[tuple[FormatModifier, LayoutClass]]] = {}
        for row, entry in zip(
            zip(map(_SHAPE, classes), charged, strict=False),
            zip(ordered, classes, strict=True),
            strict=False,
        ):
            rows.setdefault(row, []).append(entry)
        for ((planes, _), cost), pairs in rows.items():
            group = self._group(candidate, planes)
            best = [] if group is None else self._first_places(group, pairs[0][1])
            if group is not None and best:
                self._queue(candidate, number, heap, Row(group, best, cost, iter(pairs)))

    def _classes(self, pairs: list[FormatModifier], choice: SetChoice) -> list[LayoutClass]:
        """How each pair of a choice is laid out; one that only drivers know has planes alone."""
        fourccs, modifiers = zip(*pairs, strict=True)
        classes = list(map(dict.get, map(classes_of, modifiers), fourccs, repeat(_UNKNOWN)))
        if _UNKNOWN not in classes:
            return classes
        return [
            LayoutClass(plane_count(*pair) or self._planes_spoken_of(choice), opaque=True)
            if one is _UNKNOWN
            else one
            for pair, one in zip(pairs, classes, strict=True)
        ]

    def _queue(self, candidate: Candidate, number: int, heap: list[CandidateKey], row: Row) -> None:
        """Put the next pair of a row on the heap."""
        following = next(row.pairs, None)
        if following is None:
            return
        pair, layout_class = following
        if layout_class not in candidate.alike:
            candidate.alike[layout_class] = PairClass(layout_class, row.group, row.best)
        candidate.classes[pair] = candidate.alike[layout_class]
        candidate.rows[pair] = row
        choice, (order, objects, scarcity, places) = candidate.choice, row.best[0]
        heappush(
            heap,
            CandidateKey(
                choice.alternative, choice.cost, order, row.format_cost, objects, scarcity, pair,
                places, choice.ranks, number,
            ),
        )  # fmt: skip

    def _group(self, candidate: Candidate, planes: int) -> MergedGroup | None:
        if planes not in candidate.groups:
            group = candidate.groups[planes] = group_of(
                self.goal, candidate.choice, planes, self._merged
            )
            self.steady = self.steady and group is not None
        return candidate.groups[planes]

    def _is_hopeless(self, candidate: Candidate) -> bool:
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
        self,
        candidate: Candidate,
        alike: PairClass,
        heap: list[CandidateKey],
        key: CandidateKey,
        *,
        fitted: bool,
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
                CandidateKey(
                    key.alternative, key.cost, order, key.format_cost, objects, scarcity,
                    pair, places, key.ranks, key.candidate,
                ),
            )  # fmt: skip

    def _found(
        self,
        candidate: Candidate,
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
        return FoundPlan(plan, pair, candidate.choice, group.demand, sources)

    def _agreement(self, group: MergedGroup, places: Places) -> Agreement:
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


def _is_among(plans: list[FoundPlan], pair: FormatModifier, layout: Layout) -> bool:
    """Whether another choice of sets has led to the same plan already."""
    return any(found.pair == pair and found.plan.layout == layout for found in plans)
