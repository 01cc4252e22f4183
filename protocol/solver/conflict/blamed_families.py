"""Which families of types are to blame: those that leave nothing by themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from typing import Final, TypeAlias

from heapwire.protocol.solver.conflict.atom import Atom, bits_of
from heapwire.protocol.solver.demand import FAMILIES, LAYOUT, PICTURE, PITCH

Asked: TypeAlias = Sequence[Sequence[frozenset[int]]]
"""Types asked together, by rows: those of the next only where none of a row leave nothing."""

_LAID_OUT_TYPES: Final = frozenset[int]().union(*(family.types for family in FAMILIES))

BY_THEMSELVES: Final[Asked] = ([family.types for family in FAMILIES if family is not LAYOUT],)
"""Each family by itself."""

# How long a row is depends on the picture, so these two can contradict together.
_ASKED: Final[Asked] = (*BY_THEMSELVES, [PICTURE.types | PITCH.types])


def blamed_families(
    atoms: Sequence[Atom],
    chosen: int,
    leaves_nothing: Callable[[int], bool],
    asked: Asked = _ASKED,
) -> int:
    """Of what is chosen of some requirements, what is said of the families that leave nothing."""
    by_type: dict[int, int] = {}
    for bit in bits_of(chosen):
        constraint = atoms[bit.bit_length() - 1].constraint
        # The stream's amount is of no family.
        if constraint is not None:
            by_type[constraint.type] = by_type.get(constraint.type, 0) | bit
    alone = [mask for type_, mask in by_type.items() if type_ not in _LAID_OUT_TYPES]
    blamed = sum(mask for mask in alone if leaves_nothing(mask))
    for row in asked:
        families = [
            sum(mask for type_, mask in by_type.items() if type_ in family) for family in row
        ]
        # A type can be of two families.
        blamed |= reduce(or_, [mask for mask in families if mask and leaves_nothing(mask)], 0)
        if blamed:
            break
    return blamed
