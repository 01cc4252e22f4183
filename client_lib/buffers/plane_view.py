"""One plane of a buffer, mapped for writing."""

from __future__ import annotations

from dataclasses import dataclass

from heapwire.protocol import LocalError
from heapwire.protocol.values import FORMATS, Plan, format_of, fourcc_name


@dataclass(frozen=True, slots=True)
class PlaneView:
    """A plane's memory, from its first byte on.

    Row n begins at `n * pitch` and has `row_bytes` bytes of pixels; there are
    `rows` of them. The rest of a row is padding, which need not be written.
    """

    memory: memoryview
    pitch: int
    rows: int
    row_bytes: int


def check_planes(plan: Plan) -> None:
    """`LocalError` if a plan does not say where its pixels are, or they do not fit."""
    known = format_of(plan.fourcc)
    layout = plan.layout
    if known is None or len(known.planes) != len(layout.planes):
        raise LocalError(
            f"only its allocator knows where the pixels of this {fourcc_name(plan.fourcc)} are"
        )
    for index, (place, form) in enumerate(zip(layout.planes, known.planes, strict=True)):
        row_bytes = form.row_bytes(layout.extent.width)
        end = place.offset + (form.rows(layout.extent.height) - 1) * place.pitch + row_bytes
        if place.pitch < row_bytes or end > layout.objects[place.object].size:
            raise LocalError(f"plane {index} of the plan does not fit into its object")


def plane_views(plan: Plan, objects: tuple[memoryview, ...]) -> tuple[PlaneView, ...]:
    """The planes of a plan in the memory of its objects; raises what `check_planes` does."""
    check_planes(plan)
    planes = FORMATS[plan.fourcc].planes
    extent = plan.layout.extent
    return tuple(
        PlaneView(
            objects[place.object][place.offset :],
            place.pitch,
            form.rows(extent.height),
            form.row_bytes(extent.width),
        )
        for place, form in zip(plan.layout.planes, planes, strict=True)
    )
