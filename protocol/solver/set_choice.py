"""Which set of each participant: the pairs that all offer, and the ways to come by each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, TypeAlias

from heapwire.protocol.solver.assignment import TooComplexError
from heapwire.protocol.solver.prepared_participant import Alternatives, PreparedParticipant
from heapwire.protocol.values import FixedBuffer, FormatModifier

MAX_ALTERNATIVES: Final = 64
"""Combinations of alternative sets for one pair, as in sysmem's token groups."""

Common: TypeAlias = dict[tuple[Alternatives, ...], list[FormatModifier]]
"""The pairs that everyone offers, by everyone's alternatives for them."""


@dataclass(frozen=True, slots=True)
class SetChoice:
    """One set of each participant, and how far it is from everyone's first choice.

    `ranks` is each one's place among the alternatives; empty where none has any.
    """

    sets: tuple[int, ...]
    alternative: int
    cost: int
    ranks: tuple[int, ...]


def common_pairs(participants: Sequence[PreparedParticipant], fixed: FixedBuffer | None) -> Common:
    """What everyone offers; of a buffer that exists only its own pair."""
    # The shortest first: each intersection takes as long as its smaller side.
    offering = sorted(
        (participant.offers for participant in participants if participant.offers is not None),
        key=len,
    )
    pairs: set[FormatModifier] | None = None
    for offers in offering:
        pairs = set(offers) if pairs is None else pairs & offers.keys()
    if fixed is not None:
        pairs = {fixed.format} if pairs is None else pairs & {fixed.format}
    ordered = list(pairs or ())
    columns: list[Iterator[Alternatives]] = [
        map(participant.alternatives, ordered)
        if participant.offers is None
        else map(participant.offers.__getitem__, ordered)
        for participant in participants
    ]
    common: Common = {}
    for pair, alternatives in zip(ordered, zip(*columns, strict=True), strict=False):
        common.setdefault(alternatives, []).append(pair)
    return common


def choices_of(common: Common) -> Iterator[tuple[SetChoice, list[FormatModifier]]]:
    """Every combination of sets with the pairs it is for; `TooComplexError` if too many."""
    for alternatives, pairs in common.items():
        combinations = 1
        for entries in alternatives:
            combinations *= len(entries)
        if combinations > MAX_ALTERNATIVES:
            raise TooComplexError(
                f"{combinations} combinations of alternatives for one format,"
                f" more than {MAX_ALTERNATIVES}"
            )
        if combinations == 1:
            only = [entries[0] for entries in alternatives]
            sets = tuple([position for position, _ in only])
            yield SetChoice(sets, 0, sum([cost for _, cost in only]), ()), pairs
            continue
        for ranked in product(*(enumerate(entries) for entries in alternatives)):
            ranks = tuple(rank for rank, _ in ranked)
            yield (
                SetChoice(
                    tuple(entry[0] for _, entry in ranked),
                    sum(ranks),
                    sum(entry[1] for _, entry in ranked),
                    ranks,
                ),
                pairs,
            )
