"""Limits: requirements that only ever rule layouts and places out, and make no layout greater.

All the others together have one least layout, if any. So what contradicts is one of the limits
that this does not keep to, and some of the others; and whichever limits it keeps to can be met
together with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from heapwire.protocol.solver.conflict.atom import Atom, bits_of
from heapwire.protocol.values import (
    ADDRESS_RANGE,
    CONTIGUOUS,
    DMA_WIDTH,
    MAX_HEIGHT,
    MAX_PITCH,
    MAX_SIZE,
    MAX_WIDTH,
    PERMITTED_SOURCES,
    PROTECTED,
)

_LIMITS: Final = frozenset(
    row.type
    for row in (
        MAX_PITCH, MAX_SIZE, MAX_WIDTH, MAX_HEIGHT, CONTIGUOUS, ADDRESS_RANGE, DMA_WIDTH,
        PERMITTED_SOURCES, PROTECTED,
    )
)  # fmt: skip
_OF_ADDRESSES: Final = frozenset((ADDRESS_RANGE.type, DMA_WIDTH.type))


def limits_of(atoms: Sequence[Atom]) -> int:
    """The limits among some requirements, as a mask; the stream's amount is one."""
    return sum(
        1 << number
        for number, atom in enumerate(atoms)
        if atom.constraint is None or atom.constraint.type in _LIMITS
    )


def of_addresses(atoms: Sequence[Atom], mask: int) -> int:
    """Those about addresses among some requirements, as a mask.

    Of many places nobody knows where they are, and what is known not to be met says more.
    """
    return sum(bit for type_, _, bit in _told(atoms, mask) if type_ in _OF_ADDRESSES)


def tightest_last(atoms: Sequence[Atom], mask: int) -> list[int]:
    """Some requirements by their types, those of addresses first (see `of_addresses`).

    Of each type the one with the least number is the last.
    """
    return [
        bit
        for *_, bit in sorted(
            (type_ not in _OF_ADDRESSES, type_, -number, bit)
            for type_, number, bit in _told(atoms, mask)
        )
    ]


def greatest_of_each_type(atoms: Sequence[Atom], mask: int) -> int:
    """Of each type among some requirements the one with the greatest number, as a mask."""
    last = {type_: bit for type_, _, bit in sorted(_told(atoms, mask))}
    return sum(last.values())


def one_of_each_type(atoms: Sequence[Atom], first: int, mask: int) -> int:
    """Some requirements, and of each type that they are not of the first in a mask."""
    chosen = first
    types = {type_ for type_, *_ in _told(atoms, first)}
    for type_, _, bit in _told(atoms, mask & ~first):
        if type_ not in types:
            types.add(type_)
            chosen |= bit
    return chosen


def _told(atoms: Sequence[Atom], mask: int) -> list[tuple[int, int, int]]:
    """The type of each requirement, its number where it has one, and the mask of it alone."""
    told = []
    for bit in bits_of(mask):
        constraint = atoms[bit.bit_length() - 1].constraint
        if constraint is None:
            told.append((-1, 0, bit))
        else:
            value = constraint.value
            told.append((constraint.type, value if isinstance(value, int) else 0, bit))
    return told
