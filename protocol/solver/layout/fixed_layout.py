"""Whether a buffer that already exists meets a demand, and what would have to change."""

from __future__ import annotations

from collections.abc import Iterator

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.solver.demand import Demand, connected, planes_together
from heapwire.protocol.solver.layout.exact_layout import GeometryDemand
from heapwire.protocol.solver.layout.plane_demand import PlaneDemand, fit_pitch, up
from heapwire.protocol.values import (
    FORMATS,
    LINEAR,
    MAX_PLANES,
    TILINGS,
    Extents,
    FixedBuffer,
    Layout,
    PlaneFormat,
    Tiling,
    plane_count,
)

# A layout that only its driver knows is checked by its numbers alone.
_UNTILED = Tiling(modifier=LINEAR)


@dataclass(frozen=True, slots=True)
class Change:
    """One number of a layout that a demand refuses, and the nearest that it would take.

    `wanted` is None where no number would do. Sizes, pitches and offsets are in
    bytes; `plane` is None for an object as a whole.
    """

    subject: str
    has: int
    wanted: int | None
    plane: int | None = None

    def __str__(self) -> str:
        where = "" if self.plane is None else f" of plane {self.plane}"
        if self.wanted is None:
            return f"the {self.subject}{where} is {self.has}, and no other would do"
        return f"the {self.subject}{where} is {self.has} and would have to be {self.wanted}"


def meets_fixed(fixed: FixedBuffer, demand: Demand, extents: Extents) -> bool:
    """Whether the buffer is good as it is, as far as its geometry goes."""
    return next(changes(fixed, demand, extents), None) is None


def changes(fixed: FixedBuffer, demand: Demand, extents: Extents) -> Iterator[Change]:
    """The smallest changes that would make the buffer good, in the order of the planes."""
    layout = fixed.layout
    geometry = GeometryDemand(demand, extents)
    if geometry.extent is None:
        yield Change("picture", extents.allocated.width, None)
        return
    format_, tiling = FORMATS.get(fixed.format.fourcc), TILINGS.get(fixed.format.modifier)
    if format_ is None or (tiling is not None and not tiling.divides(format_)):
        tiling = None
    formats = tiling.planes_of(format_) if format_ is not None and tiling is not None else None
    ends: dict[int, int] = {}
    most = plane_count(*fixed.format) or MAX_PLANES
    if len(layout.planes) > most:
        yield Change("number of planes", len(layout.planes), most)
    for index, plane in enumerate(layout.planes[:most]):
        wanted = geometry.planes[index]
        format_of_plane = formats[index] if formats is not None else None
        if geometry.tied and index and formats is not None:
            over, under = formats[index].pitch_ratio(formats[0])
            tied = layout.planes[0].pitch * over
            if plane.pitch * under != tied:
                yield Change("pitch", plane.pitch, -(-tied // under), index)
        else:
            yield from _pitch_changes(
                geometry, wanted, format_of_plane, tiling or _UNTILED, index, plane.pitch
            )
        start = (
            wanted.start(format_of_plane, tiling or _UNTILED)
            if format_of_plane is not None
            else wanted.offset_alignment
        )
        before = ends.get(plane.object, 0)
        if geometry.adjacent and index and format_of_plane is not None and plane.offset != before:
            yield Change("offset", plane.offset, before, index)
        elif plane.offset % start:
            yield Change("offset", plane.offset, up(plane.offset, start), index)
        if format_of_plane is not None:
            needed = _needed(geometry, wanted, format_of_plane, tiling or _UNTILED, plane.pitch)
            limit = _limit(layout, index)
            if plane.offset + needed > limit:
                yield Change("end", limit, plane.offset + needed, index)
            ends[plane.object] = max(ends.get(plane.object, 0), plane.offset + needed)
    yield from _object_changes(layout, geometry, ends)
    yield from _sharing_changes(layout, demand)


def _pitch_changes(
    geometry: GeometryDemand,
    wanted: PlaneDemand,
    format_: PlaneFormat | None,
    tiling: Tiling,
    index: int,
    pitch: int,
) -> Iterator[Change]:
    least = 0
    alignment, most = wanted.pitch_alignment, wanted.max_pitch
    if format_ is not None and geometry.extent is not None:
        least = format_.row_bytes(geometry.extent.width)
        alignment = wanted.alignment(format_, tiling)
        most = wanted.most(format_, geometry.narrowest)
    # The nearest pitch that will do: from this one up, else down.
    good = fit_pitch(wanted, alignment, max(pitch, least), most)
    if good is None:
        good = fit_pitch(wanted, alignment, least, most)
    if good != pitch:
        yield Change("pitch", pitch, good, index)


def _needed(
    geometry: GeometryDemand,
    wanted: PlaneDemand,
    format_: PlaneFormat,
    tiling: Tiling,
    pitch: int,
) -> int:
    """The bytes from the plane's start that a picture touches.

    The last row ends with its last pixel (drivers/gpu/drm/drm_framebuffer.c,
    framebuffer_check), unless somebody counts in whole rows.
    """
    extent = geometry.extent
    if extent is None:
        return 0
    rows = wanted.rows(format_, tiling, extent.height)
    whole = tiling.size_of(format_)[1] > 1 or wanted.scanline_alignment > 1
    if not whole and not wanted.padding:
        return pitch * (rows - 1) + format_.row_bytes(extent.width)
    return pitch * rows + wanted.padding


def _limit(layout: Layout, index: int) -> int:
    """Where the next plane in the same object starts, or the object ends."""
    plane = layout.planes[index]
    after = [
        other.offset
        for other in layout.planes
        if other.object == plane.object and other.offset > plane.offset
    ]
    return min([*after, layout.objects[plane.object].size])


def _object_changes(
    layout: Layout, geometry: GeometryDemand, ends: dict[int, int]
) -> Iterator[Change]:
    last = layout.planes[-1].object if layout.planes else 0
    for index, object_ in enumerate(layout.objects):
        if object_.size > geometry.max_size:
            yield Change("size", object_.size, None)
            continue
        wanted = geometry.object_size(max(ends.get(index, 0), 1), last=index == last)
        if wanted is None:
            yield Change("size", object_.size, None)
        elif object_.size < wanted or object_.size % geometry.size_alignment:
            size = up(max(object_.size, wanted), geometry.size_alignment)
            yield Change("size", object_.size, size if size <= geometry.max_size else None)


def _sharing_changes(layout: Layout, demand: Demand) -> Iterator[Change]:
    """Planes that have to be in one object follow the first of them."""
    for index, tied in enumerate(connected(planes_together(demand))[: len(layout.planes)]):
        first = (tied & -tied).bit_length() - 1
        own, firsts = layout.planes[index].object, layout.planes[first].object
        if own != firsts:
            yield Change("object", own, firsts, index)
