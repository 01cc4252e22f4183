"""How one picture lies in memory when nothing more is demanded of it."""

from __future__ import annotations

from typing import Final

from heapwire.protocol.solver.demand import Demand
from heapwire.protocol.solver.layout.exact_layout import (
    GeometryDemand,
    plane_rooms,
    put_into_objects,
)
from heapwire.protocol.solver.layout.layout_class import class_of
from heapwire.protocol.solver.layout.whole_layout import whole_rooms
from heapwire.protocol.values import (
    FORMATS,
    TILINGS,
    Extent,
    Extents,
    FormatModifier,
    HeapId,
    Layout,
    SourceId,
)

_ANYWHERE: Final = SourceId.heap(HeapId(0, 0))


def least_layout(pair: FormatModifier, extent: Extent) -> Layout | None:
    """The least layout of a picture in one object; None where only a driver knows it.

    The object is of no source in particular.
    """
    known = class_of(pair)
    if known is None or known.opaque:
        return None
    geometry = GeometryDemand(Demand(), Extents(coded=extent))
    if known.whole is not None:
        rooms = whole_rooms(geometry, pair.fourcc, known.whole)
    else:
        rooms = plane_rooms(geometry, FORMATS[pair.fourcc], TILINGS[pair.modifier])
    if rooms is None:
        return None
    return put_into_objects(geometry, rooms, (0,) * known.planes, (_ANYWHERE,))
