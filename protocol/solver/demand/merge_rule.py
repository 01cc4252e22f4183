"""How two values of one type become one, by the rule of the type's row.

Each rule is a lattice meet: commutative, associative, idempotent. `None` is a
value that nothing meets. Numbers are exact and stop at 64 bits: a least common
multiple beyond that is nothing that memory can be aligned to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import gcd, lcm
from typing import Final, TypeAlias

from heapwire.protocol.values import DeviceId, MergeRule, SourceId

UINT_MAX: Final = (1 << 64) - 1
"""The greatest number that a constraint can have."""

DevicePairs: TypeAlias = tuple[tuple[DeviceId, int], ...]
MergedValue: TypeAlias = "int | tuple[int, int] | bytes | frozenset[SourceId] | DevicePairs"
"""A value in a demand: as in a constraint, but sources have no order, and a relation is a
mask of pairs of planes (`pairs_of` in demand.py)."""


def as_number(value: MergedValue) -> int:
    """A merged value of a type of numbers, masks, flags or relations."""
    assert isinstance(value, int), value
    return value


def as_range(value: MergedValue) -> tuple[int, int]:
    """A merged value of a type of ranges."""
    match value:
        case (int(lowest), int(highest)):
            return lowest, highest
    raise AssertionError(value)


def as_sources(value: MergedValue) -> frozenset[SourceId]:
    """A merged value of a type of sources."""
    assert isinstance(value, frozenset), value
    return value


def as_pairs(value: MergedValue) -> DevicePairs:
    """A merged value of a type of numbers for devices."""
    assert isinstance(value, tuple), value
    return tuple([entry for entry in value if isinstance(entry, tuple)])


def _lcm(mine: MergedValue, yours: MergedValue) -> int | None:
    multiple = lcm(as_number(mine), as_number(yours))
    return multiple if multiple <= UINT_MAX else None


def _intersection(mine: MergedValue, yours: MergedValue) -> MergedValue | None:
    if isinstance(mine, int):
        return (mine & as_number(yours)) or None
    if isinstance(mine, frozenset):
        return (mine & as_sources(yours)) or None
    my_lowest, my_highest = as_range(mine)
    your_lowest, your_highest = as_range(yours)
    lowest, highest = max(my_lowest, your_lowest), min(my_highest, your_highest)
    return (lowest, highest) if lowest <= highest else None


def _equal(mine: MergedValue, yours: MergedValue) -> MergedValue | None:
    return mine if mine == yours else None


def nearest(mine: MergedValue, yours: MergedValue) -> DevicePairs:
    """For each device the lesser number, in the order of the devices."""
    least: dict[DeviceId, int] = {}
    for device, number in (*as_pairs(mine), *as_pairs(yours)):
        least[device] = min(number, least.get(device, number))
    return tuple(sorted(least.items()))


MEETS: Final[Mapping[MergeRule, Callable[[MergedValue, MergedValue], MergedValue | None]]] = {
    MergeRule.LCM: _lcm,
    MergeRule.MAX: lambda mine, yours: max(as_number(mine), as_number(yours)),
    MergeRule.MIN: lambda mine, yours: min(as_number(mine), as_number(yours)),
    MergeRule.ANY: lambda mine, yours: 1,
    MergeRule.INTERSECTION: _intersection,
    MergeRule.UNION: lambda mine, yours: as_number(mine) | as_number(yours),
    MergeRule.EQUAL: _equal,
    MergeRule.NEAREST: nearest,
}
"""The meet of each rule."""


def _either(mine: MergedValue, yours: MergedValue) -> MergedValue:
    if isinstance(mine, int):
        return mine | as_number(yours)
    if isinstance(mine, frozenset):
        return mine | as_sources(yours)
    my_lowest, my_highest = as_range(mine)
    your_lowest, your_highest = as_range(yours)
    return min(my_lowest, your_lowest), max(my_highest, your_highest)


def _farthest(mine: MergedValue, yours: MergedValue) -> MergedValue | None:
    """For each device that both name the greater number."""
    theirs = dict(as_pairs(yours))
    shared = [(d, max(number, theirs[d])) for d, number in as_pairs(mine) if d in theirs]
    return tuple(shared) or None


WEAKER: Final[Mapping[MergeRule, Callable[[MergedValue, MergedValue], MergedValue | None]]] = {
    MergeRule.LCM: lambda mine, yours: gcd(as_number(mine), as_number(yours)),
    MergeRule.MAX: lambda mine, yours: min(as_number(mine), as_number(yours)),
    MergeRule.MIN: lambda mine, yours: max(as_number(mine), as_number(yours)),
    MergeRule.ANY: lambda mine, yours: 1,
    MergeRule.INTERSECTION: _either,
    MergeRule.UNION: lambda mine, yours: as_number(mine) & as_number(yours),
    MergeRule.EQUAL: _equal,
    MergeRule.NEAREST: _farthest,
}
"""What both of two values imply, by the same rules; None where that is nothing."""
