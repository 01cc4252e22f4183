"""Pictures in memory, as those that PyAV converts: the way back from `frame_writer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from heapwire.client_lib.player.pictures.frame_writer import picture_format
from heapwire.client_lib.player.pictures.plane_stores import rows_of
from heapwire.protocol import NotPossibleError
from heapwire.protocol.values import FORMATS, Extent, PlaneLayout, fourcc_name

if TYPE_CHECKING:
    import av


def read_picture(
    memory: Sequence[memoryview], planes: Sequence[PlaneLayout], code: int, extent: Extent
) -> av.VideoFrame:
    """A picture of a fourcc, copied from the planes of its buffer.

    Raises `NotPossibleError` for a fourcc that PyAV has no such picture of.
    """
    import av
    import numpy as np

    name = picture_format(code)
    if name is None:
        raise NotPossibleError(f"{fourcc_name(code)} cannot be converted here")
    picture = av.VideoFrame(extent.width, extent.height, name)
    for form, plane, target in zip(FORMATS[code].planes, planes, picture.planes, strict=True):
        rows, used = form.rows(extent.height), form.row_bytes(extent.width)
        source = np.ndarray(
            (rows, used), np.uint8, memory[plane.object], plane.offset, (plane.pitch, 1)
        )
        rows_of(target, 1)[:rows, :used] = source
    return picture
