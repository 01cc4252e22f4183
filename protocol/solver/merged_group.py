"""What all pairs with the same choice of sets have in common: one merge, taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from heapwire.protocol.solver.exact_layout import GeometryDemand
from heapwire.protocol.solver.merge import BOTTOM, join, spell
from heapwire.protocol.solver.merge_rule import UINT_MAX, WHOLE, Merged, T
from heapwire.protocol.solver.prepared_participant import NO_SET, PreparedParticipant
from heapwire.protocol.solver.ranked_sources import RankedSources
from heapwire.protocol.solver.set_choice import SetChoice
from heapwire.protocol.values import (
    ALL_PLANES,
    MAX_BUFFER_COUNT,
    MAX_PLANES,
    BufferObject,
    Colour,
    Constraint,
    Layout,
    LayoutKind,
    Problem,
    SourceId,
    agreed_colour,
)

MOST_BUFFERS: Final = 4 * MAX_BUFFER_COUNT
"""What the producer, the client and the compositor can hold, and as much again to share."""

_COLOURS: Final = (T["colours"], WHOLE)
_SHARED: Final = (T["shared-buffers"], WHOLE)
_LEAST: Final = (T["min-buffers"], WHOLE)
_MOST: Final = (T["max-buffers"], WHOLE)
_SAME_BUFFER: Final = (T["same-buffer"], WHOLE)
_SAME_SOURCE: Final = (T["same-source"], WHOLE)
_DIFFERENT_SOURCE: Final = (T["different-source"], WHOLE)
_SEGMENTS: Final = (T["max-segments"], WHOLE)
_PERMITTED: Final = T["permitted-sources"]


@dataclass(slots=True, eq=False)
class MergedGroup:
    """One merged demand and what follows from it, whatever the pair and the places.

    `together` and `apart` are masks of pairs of planes. `orders[plane][place]`
    sums where the participants have a source in their own lists; None where
    nobody prefers any.
    """

    choice: SetChoice
    planes: int
    merged: Merged
    geometry: GeometryDemand
    count: int
    colour: Colour | None
    domains: tuple[int, ...]
    together: int
    apart: int
    segments: int
    orders: tuple[tuple[int, ...], ...] | None
    spelled: tuple[Constraint, ...] | None = None


def group_of(
    problem: Problem,
    memory: RankedSources,
    voices: Sequence[PreparedParticipant],
    choice: SetChoice,
    planes: int,
) -> MergedGroup | None:
    """What a choice of sets demands of formats with so many planes; None if nothing can."""
    merged = join(
        [voice.demand(place, planes) for voice, place in zip(voices, choice.sets, strict=True)]
    )
    if merged is BOTTOM:
        return None
    geometry = GeometryDemand(merged, problem.extents)
    if geometry.extent is None:
        return None
    count = _count(problem, merged)
    colours = merged.get(_COLOURS)
    colour = None if colours is None else agreed_colour(cast("int", colours), problem.content)
    if count is None or (colours is not None and colour is None):
        return None
    together = cast("int", merged.get(_SAME_BUFFER, 0)) | cast("int", merged.get(_SAME_SOURCE, 0))
    return MergedGroup(
        choice=choice,
        planes=planes,
        merged=merged,
        geometry=geometry,
        count=count,
        colour=colour,
        domains=memory.judge.domains(merged, planes),
        together=together,
        apart=cast("int", merged.get(_DIFFERENT_SOURCE, 0)),
        segments=cast("int", merged.get(_SEGMENTS, UINT_MAX)),
        orders=_orders(memory, voices, choice),
    )


def _count(problem: Problem, merged: Merged) -> int | None:
    """The number of buffers; None when that is more than is permitted, or than makes sense."""
    shared = cast("int", merged.get(_SHARED, 0))
    count = max(problem.counts.total + shared, cast("int", merged.get(_LEAST, 0)))
    most = min(cast("int", merged.get(_MOST, MOST_BUFFERS)), MOST_BUFFERS)
    return count if count <= most else None


def _orders(
    memory: RankedSources, voices: Sequence[PreparedParticipant], choice: SetChoice
) -> tuple[tuple[int, ...], ...] | None:
    """For each plane and source the sum of its places in the participants' lists."""
    orders: list[list[int]] | None = None
    for voice, position in zip(voices, choice.sets, strict=True):
        if position == NO_SET:
            continue
        for constraint in voice.sets[position].constraints:
            if constraint.type != _PERMITTED or not isinstance(constraint.value, tuple):
                continue
            listed = cast("tuple[SourceId, ...]", constraint.value)
            if len(listed) < 2 and not voice.substitutes:
                continue
            if orders is None:
                orders = [[0] * len(memory.sources) for _ in range(MAX_PLANES)]
            places = {source: place for place, source in enumerate(listed)}
            for plane in range(MAX_PLANES):
                if (constraint.planes or ALL_PLANES) >> plane & 1:
                    for place, source in enumerate(memory.sources):
                        orders[plane][place] += places.get(source.id, len(listed))
    return None if orders is None else tuple(tuple(row) for row in orders)


def allocator_layout(
    group: MergedGroup, voices: Sequence[PreparedParticipant], sources: Sequence[SourceId]
) -> Layout | None:
    """One object for each source, and what whoever allocates has to keep to."""
    extent = group.geometry.extent
    if extent is None:
        return None
    if group.spelled is None:
        inputs: list[Constraint] = []
        for voice, position in zip(voices, group.choice.sets, strict=True):
            inputs += voice.constraints(position)
        group.spelled = spell(group.merged, inputs)
    return Layout(
        kind=LayoutKind.ALLOCATOR,
        extent=extent,
        objects=tuple(BufferObject(source, 0) for source in dict.fromkeys(sources)),
        planes=(),
        constraints=group.spelled,
    )
