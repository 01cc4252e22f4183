"""One plane of a buffer, mapped for writing."""

from __future__ import annotations

from dataclasses import dataclass

from heapwire.protocol.model.errors import LocalError
from heapwire.protocol.model.format import format_of, fourcc_name
from heapwire.protocol.model.plan import Plan


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


def plane_views(plan: Plan, objects: tuple[memoryview, ...]) -> tuple[PlaneView, ...]:
    """The planes of a plan in the memory of its objects.

    Raises `LocalError` if the plan does not say where the pixels are, or a
    plane does not fit into its object.
    """
    known = format_of(plan.fourcc)
    layout = plan.layout
    if known is None or len(known.planes) != len(layout.planes):
        raise LocalError(
            f"only its allocator knows where the pixels of this {fourcc_name(plan.fourcc)} are"
        )
    views: list[PlaneView] = []
    for index, (place, form) in enumerate(zip(layout.planes, known.planes, strict=True)):
        rows = form.rows(layout.extent.height)
        row_bytes = form.row_bytes(layout.extent.width)
        memory = objects[place.object][place.offset :]
        if place.pitch < row_bytes or len(memory) < (rows - 1) * place.pitch + row_bytes:
            raise LocalError(f"plane {index} does not fit into its object")
        views.append(PlaneView(memory, place.pitch, rows, row_bytes))
    return tuple(views)
