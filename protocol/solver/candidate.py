"""A choice of sets that a search looks at, and the keys by which its pairs take their turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.solver.assignment import Assignment
from heapwire.protocol.solver.group_layout import PairClass, Places
from heapwire.protocol.solver.layout import LayoutClass
from heapwire.protocol.solver.merged_group import MergedGroup
from heapwire.protocol.solver.set_choice import Combinations, Ways
from heapwire.protocol.values import CoherencyDomain, Fence, FormatModifier, Source

UNOPENED: Final = -1
"""Where the order of sources stands in a key before anything is merged: before any real one."""

_NO_PAIR: Final = FormatModifier(0, 0)


class CandidateKey(NamedTuple):
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


Agreement: TypeAlias = tuple[tuple[Source, ...], CoherencyDomain | None, Fence | None]


class Row(NamedTuple):
    """Pairs of a candidate whose first keys differ by nothing but the pair, in their order.

    Each joins the heap when the one before it has come off: most never do.
    """

    group: MergedGroup
    best: list[Assignment]
    format_cost: int
    pairs: Iterator[tuple[FormatModifier, LayoutClass]]


class Candidate:
    """A choice of sets, and how far each of its pairs has come.

    Everything is kept by what it depends on: groups by the number of planes, what pairs that
    are laid out `alike` have in common by their class, agreements by planes and places, turns
    by the pair. Of pairs that have been on the heap there are the `classes`, and of those whose
    first turn is still to come the `rows`.
    """

    __slots__ = (
        "agreements", "alike", "choice", "classes", "combinations", "groups", "pairs", "rows",
        "turns", "ways",
    )  # fmt: skip

    def __init__(self, combinations: Combinations, ways: Ways, pairs: list[FormatModifier]) -> None:
        self.combinations = combinations
        self.ways = ways
        self.choice = combinations.choice(ways)
        self.pairs = pairs
        self.groups: dict[int, MergedGroup | None] = {}
        self.alike: dict[LayoutClass, PairClass] = {}
        self.classes: dict[FormatModifier, PairClass] = {}
        self.rows: dict[FormatModifier, Row] = {}
        self.agreements: dict[tuple[int, Places], Agreement] = {}
        self.turns: dict[FormatModifier, int] = {}


def unopened(candidate: Candidate, number: int) -> CandidateKey:
    """The key of a choice of sets before anything of it is merged."""
    choice = candidate.choice
    return CandidateKey(
        choice.alternative, choice.cost, UNOPENED, 0, 0, 0, _NO_PAIR, (), (), number
    )
