"""What some participants demand together, and typed access to what is said of each type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias, TypeVar

from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.solver.demand.merge_rule import (
    MEETS,
    WEAKER,
    MergedValue,
    as_number,
    as_range,
)
from heapwire.protocol.values import (
    ADJACENT_PLANES,
    ALL_PLANES,
    MAX_PLANES,
    REGISTRY,
    SAME_BUFFER,
    ConstraintType,
    FlagType,
    MaskType,
    RangeType,
    RelationType,
    UintType,
    Value,
)

WHOLE: Final = -1
"""The plane of what is said of the buffer as a whole, or of each plane."""

_NO_PLANE: Final = (WHOLE,)
_EVERY_PLANE: Final = tuple(range(WHOLE, MAX_PLANES))

Key: TypeAlias = tuple[int, int]
"""The number of a type, and a plane (or what is said where: a mask of planes)."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Merged constraints: one value for each type and plane that somebody speaks of.

    Of the types that have a row `whole` has, by type, what is said of the buffer as a
    whole or of each plane, and `own` what is said of one plane. `carried` has those of
    the types without, which somebody need not understand: by type and mask of planes
    all the values that were said.
    """

    whole: Mapping[int, MergedValue] = field(default_factory=dict)
    own: Mapping[Key, MergedValue] = field(default_factory=dict)
    carried: Mapping[Key, frozenset[Value]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many values there are of types that have a row."""
        return len(self.whole) + len(self.own)

    @property
    def spoken_planes(self) -> tuple[int, ...]:
        """`WHOLE`, and each plane where something is said of one: what holds for the rest too."""
        return _EVERY_PLANE if self.own else _NO_PLANE

    def value(self, row: ConstraintType, plane: int = WHOLE) -> MergedValue | None:
        """What holds for a plane: what is said of it, and of each plane.

        None where nothing is said, or where the two leave nothing (in no demand
        that `join` gave).
        """
        whole = self.whole.get(row.type)
        if plane == WHOLE or not self.own:
            return whole
        own = self.own.get((row.type, plane))
        if own is None or whole is None:
            return whole if own is None else own
        return MEETS[row.merge](whole, own)

    def uint(self, row: UintType, default: int, plane: int = WHOLE) -> int:
        """The number that holds for a plane, `default` where nothing is said."""
        # Asked most of all, so the short way is written out.
        value = self.whole.get(row.type) if plane == WHOLE else self.value(row, plane)
        if value is None:
            return default
        assert isinstance(value, int), value
        return value

    def flag(self, row: FlagType, plane: int = WHOLE) -> bool:
        """Whether somebody asks for it, for a plane."""
        return row.type in self.whole or (row.type, plane) in self.own

    def mask(self, row: MaskType) -> int | None:
        """The numbers left, as bits; None where nothing is said."""
        value = self.whole.get(row.type)
        return None if value is None else as_number(value)

    def range(self, row: RangeType, plane: int = WHOLE) -> tuple[int, int] | None:
        """The lowest and the highest number for a plane; None where nothing is said."""
        value = self.value(row, plane)
        return None if value is None else as_range(value)

    def related(self, row: RelationType) -> int:
        """The planes in that relation, as a mask of pairs (`pairs_of`)."""
        value = self.whole.get(row.type)
        return 0 if value is None else as_number(value)


def planes_together(demand: Demand) -> int:
    """The planes that share an object, as a mask of pairs."""
    adjacent = PAIRS_OF[ALL_PLANES] if demand.flag(ADJACENT_PLANES) else 0
    return demand.related(SAME_BUFFER) | adjacent


def common_ground(demands: Sequence[Demand]) -> Demand:
    """What each of some demands implies: so much is demanded whichever of them it is.

    What contradicts this contradicts all of them. It is the opposite of merging: a greatest
    common divisor where that takes the least common multiple, and nothing where one of the
    demands says nothing.
    """
    whole, own = dict(demands[0].whole), dict(demands[0].own)
    for demand in demands[1:]:
        _weaken(whole, demand.whole, lambda type_: type_)
        _weaken(own, demand.own, lambda key: key[0])
    return Demand(whole, own)


_AnyKey = TypeVar("_AnyKey", int, Key)


def _weaken(
    values: dict[_AnyKey, MergedValue],
    others: Mapping[_AnyKey, MergedValue],
    type_of: Callable[[_AnyKey], int],
) -> None:
    for key, mine in list(values.items()):
        yours = others.get(key)
        met = None if yours is None else WEAKER[REGISTRY[type_of(key)].merge](mine, yours)
        if met is None:
            del values[key]
        else:
            values[key] = met


# Which planes are tied together and kept apart: masks of pairs, as a set of planes would not
# do. "0 and 1 together, 2 and 3 together" is not "all four together". Bit 4 * i + j of a mask
# is the pair of the planes i < j.


def pairs_of(planes: int) -> int:
    """The pairs among some planes (a mask of planes), as a mask of pairs."""
    mask = 0
    for lower in range(MAX_PLANES):
        for higher in range(lower + 1, MAX_PLANES):
            if planes >> lower & 1 and planes >> higher & 1:
                mask |= 1 << (MAX_PLANES * lower + higher)
    return mask


PAIRS_OF: Final = tuple(pairs_of(planes) for planes in range(ALL_PLANES + 1))
"""`pairs_of` of every mask of planes."""


def connected(pairs: int) -> tuple[int, ...]:
    """For each plane the mask of the planes that these pairs tie it to, itself included.

    Ties hold along chains: 0 with 1 and 1 with 2 is 0 with 2.
    """
    masks = [1 << plane for plane in range(MAX_PLANES)]
    if pairs:
        for lower in range(MAX_PLANES):
            for higher in range(lower + 1, MAX_PLANES):
                if pairs >> (MAX_PLANES * lower + higher) & 1 and not masks[lower] >> higher & 1:
                    # Every plane of both sets gets the united set, so that the order in
                    # which pairs are looked at does not matter.
                    united = masks[lower] | masks[higher]
                    for plane in range(MAX_PLANES):
                        if united >> plane & 1:
                            masks[plane] = united
    return tuple(masks)
