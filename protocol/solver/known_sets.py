"""What the sets of participants say, from one question to the next."""

from __future__ import annotations

from operator import is_
from typing import Final, TypeAlias
from weakref import ref

from heapwire.protocol.make_room import forget_one, make_room
from heapwire.protocol.solver.demand import Bottom, Demand
from heapwire.protocol.solver.layout import tells_column_height
from heapwire.protocol.solver.recollection import Recollection
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    CPU_ACCESS,
    MAX_PLANES,
    MODIFIER_FAMILIES,
    REGISTRY,
    WHEN_ROTATION,
    Constraint,
    ConstraintSet,
    FormatModifier,
    Participant,
    Provenance,
    Usage,
)

Alternatives: TypeAlias = tuple[tuple[int, int], ...]
"""The sets that hold a pair, best first: (position among the sets, cost)."""

CONDITIONS: Final = frozenset(type_ for type_, row in REGISTRY.items() if row.condition)
"""The types that say when the set they stand in applies."""

_BY_CPU: Final = int(Usage.CPU_READ | Usage.CPU_WRITE)
_CPU_READ, _CPU_WRITE = int(Usage.CPU_READ), int(Usage.CPU_WRITE)
_READ, _WRITE = 1, 2
_KNOWN: Final = 64  # participants; clients can make up any number
_EVERY_SET: Final = 17  # sets of a participant that are kept: as many as it may have, and none


class SaidBySets:
    """What the sets of a participant say, whatever is asked.

    `implied` is what its usage adds, `wild` as of `PreparedParticipant`. `columns`: some set
    means columns as high as the picture's, `turning`: some set says which rotations it holds
    for, `conditional`: some set depends on the picture otherwise. `offers` are those of pictures
    that are not turned, if nothing depends on them, and `lifted` the demands, by set and number
    of planes.
    """

    __slots__ = (
        "_sets",
        "columns",
        "conditional",
        "implied",
        "lifted",
        "offers",
        "turning",
        "wild",
    )

    def __init__(self, participant: Participant) -> None:
        # Who remembers what a set says does not keep it alive: that is up to whoever made it.
        self._sets = tuple(map(ref, participant.sets))
        self.implied = _implied(participant)
        self.wild = any(_is_wild(own.formats) for own in participant.sets)
        self.columns = any(map(tells_column_height, participant.sets))
        conditions = {
            c.type for own in participant.sets for c in own.constraints if c.type in CONDITIONS
        }
        self.turning = WHEN_ROTATION.type in conditions
        self.conditional = self.columns or bool(conditions - {WHEN_ROTATION.type})
        self.offers: Recollection[dict[FormatModifier, Alternatives]] = Recollection(1)
        # Each set for each number of planes, and the least of them: nobody can have more.
        self.lifted: Recollection[Demand | Bottom] = Recollection(_EVERY_SET * MAX_PLANES)

    def is_of(self, sets: tuple[ConstraintSet, ...]) -> bool:
        """Whether it is these very sets that say it."""
        return all(map(is_, [one() for one in self._sets], sets))


class KnownSets:
    """What sets say, from one question to the next."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], SaidBySets] = {}

    def of(self, participant: Participant) -> SaidBySets:
        """What the sets of a participant say."""
        key = (int(participant.usage) & _BY_CPU, *map(id, participant.sets))
        known = self._known.get(key)
        if known is None or not known.is_of(participant.sets):
            known = SaidBySets(participant)
            make_room(self._known, _KNOWN)
            self._known[key] = known
        return known

    def forget_one(self) -> bool:
        """Let what one participant's sets say go; False when nothing is left."""
        return forget_one(self._known)


def _is_wild(formats: tuple[FormatModifier, ...]) -> bool:
    """Whether some pair stands for more than itself."""
    if not formats:
        return False
    fourccs, modifiers = zip(*formats, strict=True)  # columns are searched fast
    return ANY_FOURCC in fourccs or ANY_MODIFIER in modifiers or not _FAMILIES.isdisjoint(modifiers)


_FAMILIES: Final = frozenset(MODIFIER_FAMILIES)


def _implied(participant: Participant) -> tuple[Constraint, ...]:
    usage = int(participant.usage)  # operations on flags are slow
    access = (_READ if usage & _CPU_READ else 0) | (_WRITE if usage & _CPU_WRITE else 0)
    if not access:
        return ()
    return (Constraint(type=CPU_ACCESS.type, value=access, provenance=Provenance.KERNEL),)
