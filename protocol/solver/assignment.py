"""Which plane comes from which source: a small search with the best few answers.

Every plane has the sources that meet what is demanded of it (a mask). Planes
tied together count as one, with the intersection of their masks; planes kept
apart never take the same source. What is left is a depth-first search over at
most four groups of planes that keeps the best `limit` answers and abandons a
branch once it cannot beat the last of them.

An answer that takes more objects than another is left out, however much its sources
are liked: planes that no requirement, and no want of room, separates share one object.

For example NV12 with Y in {right} and CbCr in {left, right}, kept apart: Y
takes right; CbCr could take right, but not beside Y, so it takes left.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Sequence, Set
from itertools import combinations
from typing import Final

from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.solver.demand import PAIRS_OF, connected
from heapwire.protocol.solver.step_budget import StepBudget

_STEPS_OF_A_TRY: Final = 2


class Assignment(NamedTuple):
    """For each plane the position of its source, and how good that is, best first.

    `order` sums the ranks in the participants' own lists of sources, `objects`
    counts the sources used, `scarcity` sums how scarce each is.
    """

    order: int
    objects: int
    scarcity: int
    sources: tuple[int, ...]


def assign(
    domains: Sequence[int],
    *,
    together: int = 0,
    apart: int = 0,
    orders: Sequence[Sequence[int]] | None = None,
    scarcity: Sequence[int],
    overlapping: Sequence[Set[int]] | None = None,
    limit: int,
    accept: Callable[[tuple[int, ...]], bool] | None = None,
    sets_of_sources: bool = False,
    any_will_do: bool = False,
    budget: StepBudget,
) -> list[Assignment]:
    """The best `limit` ways to give each plane a source, best first.

    `domains` are masks of sources; `together` and `apart` masks of pairs of
    planes (`pairs_of` in demand/demand.py); `orders[plane][source]` and
    `scarcity[source]` are costs. `overlapping[source]` are those that are the same
    memory, where more than itself is. `accept` has the last word on a complete
    answer. With `sets_of_sources` only the sources count and not which plane is
    where, so of several answers with the same ones the best is given. With
    `any_will_do` the first `limit` that are found are given, and not the best.
    Raises `TooComplexError` when the steps end.
    """
    budget.spend(1 + len(scarcity))
    count = len(domains)
    if not apart and accept is None:
        # Nothing separates planes: where one source can hold all of them, an answer with more
        # objects is none.
        shared = -1
        for domain in domains:
            shared &= domain
        if shared:
            return _single(shared, count, orders, scarcity, limit)
    groups, lookup = _groups(domains, together)
    # Planes that are tied together and kept apart have no place.
    if any(PAIRS_OF[group.planes] & apart for group in groups):
        return []
    choices: list[list[_Choice]] = []
    for group in groups:
        members = [plane for plane in range(count) if group.planes >> plane & 1]
        orders_of_group = (
            [sum(ranks) for ranks in zip(*(orders[plane] for plane in members), strict=True)]
            if orders is not None
            else [0] * len(scarcity)
        )
        options = [
            _Choice(orders_of_group[source], len(members) * scarcity[source], source)
            for source in range(len(scarcity))
            if group.domain >> source & 1
        ]
        if not options:
            return []
        # By liking first: `_try_each` stops at the first that is liked too little.
        options.sort()
        choices.append(options)
    search = _Search(groups, lookup, choices, apart, limit, accept, budget)
    search.sets_of_sources = sets_of_sources
    search.overlapping = overlapping
    search.any_will_do = any_will_do
    # By the number of objects, the fewest first: more are no answer where fewer are one. Where
    # any will do, the most first: what is apart fits where what is together does.
    counts = range(search.least_objects, len(groups) + 1)
    for objects in reversed(counts) if any_will_do else counts:
        search.objects = objects
        search.descend(0, 0, 0, ())
        if search.best:
            break
    return search.best


def _single(
    shared: int,
    count: int,
    orders: Sequence[Sequence[int]] | None,
    scarcity: Sequence[int],
    limit: int,
) -> list[Assignment]:
    """All planes in one source, the best first: nothing else ranks before any of these."""
    places = [place for place in range(shared.bit_length()) if shared >> place & 1]
    answers = [
        Assignment(
            0 if orders is None else sum([orders[plane][place] for plane in range(count)]),
            1,
            count * scarcity[place],
            (place,) * count,
        )
        for place in places
    ]
    answers.sort()
    return answers[:limit]


class _Group(NamedTuple):
    """Planes that are in one source (a mask), and the sources that they may be in (a mask)."""

    planes: int
    domain: int


class _Choice(NamedTuple):
    """A source for a group, and what it adds to the rank of the answer."""

    order: int
    scarcity: int
    source: int


def _groups(domains: Sequence[int], together: int) -> tuple[list[_Group], tuple[int, ...]]:
    """Tied planes with the intersection of their domains, and each plane's group."""
    count = len(domains)
    present = (1 << count) - 1
    groups: list[_Group] = []
    lookup: dict[int, int] = {}
    for plane, tied in enumerate(connected(together)[:count]):
        if plane in lookup:
            continue
        planes = tied & present
        domain = -1
        for member in range(count):
            if planes >> member & 1:
                domain &= domains[member]
                lookup[member] = len(groups)
        groups.append(_Group(planes, domain))
    return groups, tuple(lookup[plane] for plane in range(count))


class _Search:
    """The transient data of one search."""

    __slots__ = (
        "accept",
        "any_will_do",
        "apart",
        "best",
        "budget",
        "choices",
        "least_objects",
        "limit",
        "lookup",
        "objects",
        "overlapping",
        "rest_order",
        "rest_scarcity",
        "sets_of_sources",
    )  # fmt: skip

    def __init__(
        self,
        groups: list[_Group],
        lookup: tuple[int, ...],
        choices: list[list[_Choice]],
        apart: int,
        limit: int,
        accept: Callable[[tuple[int, ...]], bool] | None,
        budget: StepBudget,
    ) -> None:
        self.budget = budget
        self.lookup = lookup
        self.choices = choices
        self.limit = limit
        self.accept = accept
        self.best: list[Assignment] = []
        self.sets_of_sources = False
        self.overlapping: Sequence[Set[int]] | None = None
        self.any_will_do = False
        self.objects = 0  # as many as answers are looked for with
        self.apart = [
            [
                earlier
                for earlier in range(group)
                if _crosses(groups[group].planes, groups[earlier].planes, apart)
            ]
            for group in range(len(groups))
        ]
        # Groups that may not share a source, or have none in common, take an object each:
        # fewer objects than these need not be tried.
        self.least_objects = _clique(
            [
                [
                    other in self.apart[group]
                    or group in self.apart[other]
                    or not groups[group].domain & groups[other].domain
                    for other in range(len(groups))
                ]
                for group in range(len(groups))
            ]
        )
        # The least that the groups from here on can add, each taken by itself: a bound that
        # promises too much when two of them cannot have their best, and never too little.
        self.rest_order = [0] * (len(groups) + 1)
        self.rest_scarcity = [0] * (len(groups) + 1)
        for group in range(len(groups) - 1, -1, -1):
            options = choices[group]
            self.rest_order[group] = self.rest_order[group + 1] + options[0].order
            self.rest_scarcity[group] = self.rest_scarcity[group + 1] + min(
                option.scarcity for option in options
            )

    def descend(self, group: int, order: int, scarcity: int, taken: tuple[int, ...]) -> None:
        """Give the groups from `group` on a source, `taken` being those before it."""
        if group == len(self.choices):
            self._complete(order, scarcity, taken)
            return
        # Sources that are in use already come first: they add no object, and good answers
        # found early let the bounds prune more.
        barred = {taken[earlier] for earlier in self.apart[group]}
        if barred and self.overlapping is not None:
            barred = {other for source in barred for other in self.overlapping[source]}
        used = set(taken)
        if used - barred:
            self._try_each(group, order, scarcity, taken, used - barred, again=True)
        self._try_each(group, order, scarcity, taken, used | barred, again=False)

    def _try_each(
        self,
        group: int,
        order: int,
        scarcity: int,
        taken: tuple[int, ...],
        known: set[int],
        *,
        again: bool,
    ) -> None:
        """Go on with each source that is among those known, or with each that is not."""
        after = group + 1
        rest = self.rest_order[after]
        for more_order, more_scarcity, source in self.choices[group]:
            # The order ranks first, so what is liked less than the last of the best is no
            # answer; with as much, scarcity still may make it one.
            if len(self.best) == self.limit and (
                self.any_will_do or order + more_order + rest > self.best[-1].order
            ):
                break  # and those after it are liked even less
            if (source in known) is not again:
                continue
            further = (*taken, source)
            if self._hopeless(after, order + more_order, scarcity + more_scarcity, further):
                self.budget.spend()
            else:
                self.budget.spend(_STEPS_OF_A_TRY)
                self.descend(after, order + more_order, scarcity + more_scarcity, further)

    def _hopeless(self, group: int, order: int, scarcity: int, taken: tuple[int, ...]) -> bool:
        """Whether no completion can enter the best with just so many objects."""
        used = len(set(taken))
        # Each group that is left adds one object at most: there are none with fewer objects
        # than are looked for, and those with more come later, if at all.
        if used > self.objects or used + len(self.choices) - group < self.objects:
            return True
        if len(self.best) < self.limit:
            return False
        last = self.best[-1]
        # What equals the last in both may still come before it by its sources.
        bound = (order + self.rest_order[group], scarcity + self.rest_scarcity[group])
        return bound > (last.order, last.scarcity)

    def _complete(self, order: int, scarcity: int, taken: tuple[int, ...]) -> None:
        sources = tuple(taken[group] for group in self.lookup)
        answer = Assignment(order, len(set(taken)), scarcity, sources)
        # Before `accept`, which may have to compute a layout.
        if len(self.best) == self.limit and answer > self.best[-1]:
            return
        if self.accept is not None and not self.accept(sources):
            return
        if self.sets_of_sources:
            used = tuple(dict.fromkeys(sources))
            alike = [kept for kept in self.best if tuple(dict.fromkeys(kept.sources)) == used]
            if alike and alike[0] <= answer:
                return
            self.best = [kept for kept in self.best if kept not in alike]
        insort(self.best, answer)
        del self.best[self.limit :]


def _crosses(planes: int, others: int, apart: int) -> bool:
    """Whether some plane of the one group is kept apart from some plane of the other."""
    return PAIRS_OF[planes | others] & ~PAIRS_OF[planes] & ~PAIRS_OF[others] & apart != 0


def _clique(apart: list[list[bool]]) -> int:
    """The most groups that are all apart from each other: so many objects there are at least."""
    return max(
        len(groups)
        for size in range(1, len(apart) + 1)
        for groups in combinations(range(len(apart)), size)
        if all(apart[group][other] for group, other in combinations(groups, 2))
    )
