"""How two values of one type become one, by the rule of the type's row.

Each rule is a lattice meet: commutative, associative, idempotent. `None` is a
value that nothing meets. Numbers are exact and stop at 64 bits: a least common
multiple beyond that is nothing that memory can be aligned to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import lcm
from typing import Final, TypeAlias, cast

from heapwire.protocol.values import (
    ALL_PLANES,
    BY_NAME,
    MAX_PLANES,
    REGISTRY,
    DeviceId,
    MergeRule,
    SourceId,
    Value,
)

UINT_MAX = (1 << 64) - 1
WHOLE: Final = -1
"""The plane of what is said of the buffer as a whole, or of each plane."""

MergedValue: TypeAlias = (
    "int | tuple[int, int] | bytes | frozenset[SourceId] | frozenset[Value]"
    " | tuple[tuple[DeviceId, int], ...]"
)
Key: TypeAlias = tuple[int, int]
Merged: TypeAlias = Mapping[Key, MergedValue]

T = {name: row.type for name, row in BY_NAME.items()}
"""The type of each row by its name, for the code that gives a row its meaning."""


def pairs_of(planes: int) -> int:
    """The pairs among some planes, as a mask; bit 4 * i + j is the pair i < j."""
    mask = 0
    for one in range(MAX_PLANES):
        for other in range(one + 1, MAX_PLANES):
            if planes >> one & 1 and planes >> other & 1:
                mask |= 1 << (MAX_PLANES * one + other)
    return mask


PAIRS_OF: Final = tuple(pairs_of(planes) for planes in range(ALL_PLANES + 1))


def connected(pairs: int) -> tuple[int, ...]:
    """For each plane the mask of the planes that these pairs tie it to, itself included."""
    masks = [1 << plane for plane in range(MAX_PLANES)]
    if pairs:
        for one in range(MAX_PLANES):
            for other in range(one + 1, MAX_PLANES):
                if pairs >> (MAX_PLANES * one + other) & 1 and not masks[one] >> other & 1:
                    together = masks[one] | masks[other]
                    for plane in range(MAX_PLANES):
                        if together >> plane & 1:
                            masks[plane] = together
    return tuple(masks)


def _lcm(one: MergedValue, other: MergedValue) -> int | None:
    multiple = lcm(cast("int", one), cast("int", other))
    return multiple if multiple <= UINT_MAX else None


def _intersection(one: MergedValue, other: MergedValue) -> MergedValue | None:
    if isinstance(one, tuple) and isinstance(other, tuple):
        mine, yours = cast("tuple[int, int]", one), cast("tuple[int, int]", other)
        lowest, highest = max(mine[0], yours[0]), min(mine[1], yours[1])
        return (lowest, highest) if lowest <= highest else None
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        return cast("frozenset[SourceId]", one & other) or None
    return (cast("int", one) & cast("int", other)) or None


def _union(one: MergedValue, other: MergedValue) -> MergedValue:
    return cast("int", one) | cast("int", other)


def _equal(one: MergedValue, other: MergedValue) -> MergedValue | None:
    return one if one == other else None


def nearest(one: MergedValue, other: MergedValue) -> MergedValue:
    """For each device the lesser number, in the order of the devices."""
    least: dict[DeviceId, int] = {}
    for device, number in (
        *cast("tuple[tuple[DeviceId, int], ...]", one),
        *cast("tuple[tuple[DeviceId, int], ...]", other),
    ):
        least[device] = min(number, least.get(device, number))
    return tuple(sorted(least.items()))


MEETS: Final[Mapping[MergeRule, Callable[[MergedValue, MergedValue], MergedValue | None]]] = {
    MergeRule.LCM: _lcm,
    MergeRule.MAX: lambda one, other: max(cast("int", one), cast("int", other)),
    MergeRule.MIN: lambda one, other: min(cast("int", one), cast("int", other)),
    MergeRule.ANY: lambda one, other: 1,
    MergeRule.INTERSECTION: _intersection,
    MergeRule.UNION: _union,
    MergeRule.EQUAL: _equal,
    MergeRule.NEAREST: nearest,
}


def effective(merged: Merged, type_: int, plane: int) -> MergedValue | None:
    """The value that holds for a plane: what is said of it, and of each plane."""
    whole = merged.get((type_, WHOLE))
    if plane == WHOLE:
        return whole
    own = merged.get((type_, plane))
    if own is None or whole is None:
        return whole if own is None else own
    return MEETS[REGISTRY[type_].merge](whole, own)


def effective_uint(merged: Merged, type_: int, plane: int, default: int) -> int:
    """`effective` of a number, `default` where nothing is said."""
    value = effective(merged, type_, plane)
    return default if value is None else cast("int", value)
