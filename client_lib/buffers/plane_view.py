"""One plane of a buffer, mapped for writing."""

from __future__ import annotations

from heapwire.client_lib.errors import AllocationError
from heapwire.protocol.late_dataclasses import dataclass
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
    """`AllocationError` if a plan does not say where its pixels are, or they do not fit."""
    pixel_format = format_of(plan.fourcc)
    layout = plan.layout
    if pixel_format is None or len(pixel_format.planes) != len(layout.planes):
        raise AllocationError(
            f"only its allocator knows where the pixels of this {fourcc_name(plan.fourcc)} are"
        )
    for index, (plane, kind) in enumerate(zip(layout.planes, pixel_format.planes, strict=True)):
        row_bytes = kind.row_bytes(layout.extent.width)
        # The last row ends with its pixels: its padding need not be there.
        end = plane.offset + (kind.rows(layout.extent.height) - 1) * plane.pitch + row_bytes
        if plane.pitch < row_bytes or end > layout.objects[plane.object].size:
            raise AllocationError(f"plane {index} of the plan does not fit into its object")


def plane_views(plan: Plan, objects: tuple[memoryview, ...]) -> tuple[PlaneView, ...]:
    """The planes of a plan in the memory of its objects; raises what `check_planes` does."""
    check_planes(plan)
    planes = FORMATS[plan.fourcc].planes
    extent = plan.layout.extent
    return tuple(
        PlaneView(
            objects[plane.object][plane.offset :],
            plane.pitch,
            kind.rows(extent.height),
            kind.row_bytes(extent.width),
        )
        for plane, kind in zip(plan.layout.planes, planes, strict=True)
    )
