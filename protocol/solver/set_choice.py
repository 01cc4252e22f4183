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


def common_pairs(voices: Sequence[PreparedParticipant], fixed: FixedBuffer | None) -> Common:
    """What everyone offers; of a buffer that exists only its own pair."""
    offering = sorted((voice.offers for voice in voices if voice.offers is not None), key=len)
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
        for voice in voices
    ]
    common: Common = {}
    for pair, alternatives in zip(ordered, zip(*columns, strict=True), strict=False):
        common.setdefault(alternatives, []).append(pair)
    return common


def choices_of(common: Common) -> Iterator[tuple[SetChoice, list[FormatModifier]]]:
    """Every combination of sets with the pairs it is for; `TooComplexError` if too many."""
    for alternatives, pairs in common.items():
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
            yield SetChoice(sets, 0, sum([entry[1] for entry in entries]), ()), pairs
            continue
        for ranked in product(*(enumerate(one) for one in alternatives)):
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
