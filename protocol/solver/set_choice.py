"""Which set of each participant: the pairs that all offer, and the ways to come by each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress, repeat
from operator import contains
from typing import TypeAlias

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.solver.known_sets import Alternatives
from heapwire.protocol.solver.layout import classes_of
from heapwire.protocol.solver.prepared_participant import ANYTHING, PreparedParticipant
from heapwire.protocol.solver.step_budget import PAIRS_A_STEP, StepBudget
from heapwire.protocol.values import FixedBuffer, FormatModifier

Common: TypeAlias = dict[tuple[Alternatives, ...], list[FormatModifier]]
"""The pairs that everyone offers, by everyone's alternatives for them."""

Ways: TypeAlias = tuple[int, ...]
"""For each participant which of the sets that differ is taken, the best being 0."""


@dataclass(frozen=True, slots=True)
class SetChoice:
    """One set of each participant, and how far it is from everyone's first choice.

    `ranks` is each one's rank among the alternatives; empty where none has any.
    """

    sets: tuple[int, ...]
    alternative: int
    cost: int
    ranks: tuple[int, ...]


class Combinations:
    """The combinations of alternatives for some pairs, one made after the other.

    Sets of a participant that say the same are one: the best of them. Each combination comes
    `after` exactly one other, which is nearer to everyone's first choice. So who takes the
    nearest that is known, and then knows those after it, takes them all in order, and makes
    no more than are taken and those that come right after them.

    `taken` counts those that were looked at, and `hopeless` says that no other need be.
    """

    __slots__ = ("_entries", "hopeless", "many", "taken")

    def __init__(
        self, participants: Sequence[PreparedParticipant], alternatives: tuple[Alternatives, ...]
    ) -> None:
        self._entries = [
            ((0, *entries[0]),) if len(entries) == 1 else participant.different(entries)
            for participant, entries in zip(participants, alternatives, strict=True)
        ]
        self.many = max(map(len, self._entries), default=0) > 1
        self.taken = 0
        self.hopeless = False

    def positions(self) -> list[list[int]]:
        """For each participant the sets that differ."""
        return [[position for _, position, _ in entries] for entries in self._entries]

    def first(self) -> Ways:
        """Everyone's first choice."""
        return (0,) * len(self._entries)

    def after(self, ways: Ways) -> Iterator[Ways]:
        """Those that are made of one by going on to somebody's next alternative."""
        if not self.many:
            return
        # Only at the last that is not at its first, or behind it: no combination comes twice.
        last = max((who for who, way in enumerate(ways) if way), default=0)
        for who in range(last, len(ways)):
            if ways[who] + 1 < len(self._entries[who]):
                yield (*ways[:who], ways[who] + 1, *ways[who + 1 :])

    def choice(self, ways: Ways) -> SetChoice:
        """The sets of a combination."""
        chosen = [entries[way] for entries, way in zip(self._entries, ways, strict=True)]
        ranks = tuple([rank for rank, _, _ in chosen]) if self.many else ()
        return SetChoice(
            tuple([position for _, position, _ in chosen]),
            sum(ranks),
            sum([cost for _, _, cost in chosen]),
            ranks,
        )


def common_pairs(
    participants: Sequence[PreparedParticipant],
    fixed: FixedBuffer | None,
    budget: StepBudget,
    *,
    computed: bool = False,
) -> Common:
    """What everyone offers; of a buffer that exists only its own pair.

    `computed`: only pairs whose layout can be computed will do.
    """
    # The shortest first: each intersection takes as long as its smaller side.
    offering = sorted(
        (participant.offers for participant in participants if participant.offers is not None),
        key=len,
    )
    if offering:
        budget.spend(len(offering) * (1 + len(offering[0]) // PAIRS_A_STEP))
    pairs: set[FormatModifier] | None = None
    for offers in offering:
        pairs = set(offers) if pairs is None else pairs & offers.keys()
    if fixed is not None:
        pairs = {fixed.format} if pairs is None else pairs & {fixed.format}
    ordered = list(pairs or ())
    budget.spend(len(ordered) * (2 + len(participants)) // 4)
    if computed and ordered:
        fourccs, modifiers = zip(*ordered, strict=True)  # columns are walked over fast
        ordered = list(compress(ordered, map(contains, map(classes_of, modifiers), fourccs)))
    columns: list[Iterator[Alternatives]] = [
        repeat(ANYTHING)
        if participant.offers is None
        else map(participant.offers.__getitem__, ordered)
        for participant in participants
    ]
    common: Common = {}
    for pair, alternatives in zip(ordered, zip(*columns, strict=False), strict=False):
        common.setdefault(alternatives, []).append(pair)
    return common
