"""What else a layout keeps to that was found for some requirements.

A layout that can be computed has the least pitch, rows, offsets and sizes that will do. So a
further requirement that it keeps to already makes it no other: what was asked for can be met
together with that. A layout for one alignment that comes to a short pitch answers for each
greatest pitch that is longer, without another being made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.solver.demand import MEETS, WHOLE, Bottom, Demand, MergedValue, as_number
from heapwire.protocol.solver.group_layout import LaidOut, fits
from heapwire.protocol.solver.layout import LayoutClass
from heapwire.protocol.solver.merged_group import MOST_BUFFERS, MergedGroup
from heapwire.protocol.solver.prepared_goal import PreparedGoal
from heapwire.protocol.values import (
    ADDRESS_RANGE,
    CONTIGUOUS,
    DMA_WIDTH,
    MAX_HEIGHT,
    MAX_PITCH,
    MAX_SIZE,
    MAX_WIDTH,
    MIN_PITCH,
    MIN_SIZE,
    OFFSET_ALIGNMENT,
    PERMITTED_SOURCES,
    PITCH_ALIGNMENT,
    PROTECTED,
    REGISTRY,
    SCANLINE_ALIGNMENT,
    SIZE_ALIGNMENT,
)


@dataclass(frozen=True, slots=True, eq=False)
class MetLayout:
    """A layout of what a group demands, and where it was put for a goal."""

    goal: PreparedGoal
    group: MergedGroup
    layout_class: LayoutClass
    found: LaidOut

    def keeps_to(self, other: Demand | Bottom) -> bool:
        """Whether it is the layout of what another demand says too; False also if nobody knows."""
        if isinstance(other, Bottom) or other.carried:
            return False
        mine = self.group.demand
        for type_, value in other.whole.items():
            if not (
                _adds_nothing(type_, mine.whole.get(type_), value)
                or self._keeps(type_, WHOLE, value)
            ):
                return False
        for key, value in other.own.items():
            if not (_adds_nothing(key[0], mine.own.get(key), value) or self._keeps(*key, value)):
                return False
        return True

    def has_room(self) -> bool:
        """Whether all the buffers of the stream fit there at the same time."""
        return (
            self._is_computed
            and self.group.count <= MOST_BUFFERS
            and fits(self.goal.sources, self.group, self.found.layout)
        )

    @property
    def _is_computed(self) -> bool:
        # Pitches that follow from each other are searched for, and what is laid out as a whole
        # has rules of its own: of these nobody has looked whether the least is taken.
        return bool(self.found.rooms) and not (
            self.layout_class.whole is not None or self.group.geometry.tied
        )

    def _keeps(self, type_: int, plane: int, value: MergedValue) -> bool:
        rule = _RULES.get(type_)
        if rule is None or not self._is_computed:
            return False
        planes = range(self.group.planes) if plane == WHOLE else (plane,)
        return all(rule(self, each, value) for each in planes)

    def rows(self, plane: int) -> int:
        """The rows that a plane has room for."""
        pitch, size, *_ = self.found.rooms[plane]
        return (size - self.group.geometry.planes[plane].padding) // pitch


def _adds_nothing(type_: int, mine: MergedValue | None, yours: MergedValue) -> bool:
    """Whether merging a value into another leaves that as it is."""
    return mine is not None and (mine == yours or MEETS[REGISTRY[type_].merge](mine, yours) == mine)


_Rule: TypeAlias = Callable[[MetLayout, int, MergedValue], bool]


def _is_from_one_that_meets(type_: int) -> _Rule:
    def rule(met: MetLayout, plane: int, value: MergedValue) -> bool:
        return met.goal.check.meeting(type_, value) >> met.found.places[plane] & 1 == 1

    return rule


_RULES: Final[Mapping[int, _Rule]] = {
    PITCH_ALIGNMENT.type: lambda m, n, v: m.found.rooms[n].pitch % as_number(v) == 0,
    MIN_PITCH.type: lambda m, n, v: m.found.rooms[n].pitch >= as_number(v),
    MAX_PITCH.type: lambda m, n, v: m.found.rooms[n].pitch <= as_number(v),
    SCANLINE_ALIGNMENT.type: lambda m, n, v: m.rows(n) % as_number(v) == 0,
    OFFSET_ALIGNMENT.type: lambda m, n, v: m.found.layout.planes[n].offset % as_number(v) == 0,
    SIZE_ALIGNMENT.type: lambda m, n, v: all(
        one.size % as_number(v) == 0 for one in m.found.layout.objects
    ),
    MIN_SIZE.type: lambda m, n, v: all(
        one.size >= as_number(v) for one in m.found.layout.objects
    ),
    MAX_SIZE.type: lambda m, n, v: all(
        one.size <= as_number(v) for one in m.found.layout.objects
    ),
    MAX_WIDTH.type: lambda m, n, v: m.found.layout.extent.width <= as_number(v),
    MAX_HEIGHT.type: lambda m, n, v: m.found.layout.extent.height <= as_number(v),
    **{
        row.type: _is_from_one_that_meets(row.type)
        for row in (CONTIGUOUS, ADDRESS_RANGE, DMA_WIDTH, PERMITTED_SOURCES, PROTECTED)
    },
}  # fmt: skip
"""Types of which the least layout, or its place, tells whether it keeps to a value."""
