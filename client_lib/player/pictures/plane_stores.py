"""Components of pictures, stored into the planes of buffers by numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from heapwire.client_lib.buffers import PlaneView

if TYPE_CHECKING:
    import av
    import numpy as np
    from numpy.typing import NDArray

_ROWS_AT_A_TIME = 128  # of a chroma plane: 240 KiB of 1080p


def _samples(item: int) -> np.dtype[Any]:
    import numpy as np

    return np.dtype("<u2") if item == 2 else np.dtype("u1")


def rows_of(plane: av.video.plane.VideoPlane, item: int) -> NDArray[Any]:
    """All samples of `item` bytes in the rows of a picture's plane, padding included."""
    import numpy as np

    flat: NDArray[Any] = np.frombuffer(memoryview(plane), _samples(item))
    return flat.reshape(-1, plane.line_size // item)[: plane.height]


def component_of(plane: av.video.plane.VideoPlane, item: int) -> NDArray[Any]:
    """The samples of a plane of one component."""
    return rows_of(plane, item)[:, : plane.width]


def target_of(plane: PlaneView, item: int) -> NDArray[Any]:
    """The samples of `item` bytes of a buffer's plane, to be written."""
    import numpy as np

    return np.ndarray(
        (plane.rows, plane.row_bytes // item),
        _samples(item),
        buffer=plane.memory,
        strides=(plane.pitch, item),
    )


def store(
    component: NDArray[Any],
    target: NDArray[Any],
    columns: tuple[int, ...],
    start: int,
    *,
    item: int,
    shift: int,
) -> int:
    """Put a component in every column that is its own; returns the bytes stored."""
    import numpy as np

    index = columns[start]
    share = columns.count(index)
    # Of a component that comes several times in a period, this column takes every
    # share-th sample: Y0 and Y1 of YUYV.
    source = component[:, columns[:start].count(index) :: share]
    rows = int(min(source.shape[0], target.shape[0]))
    column = target[:rows, start :: len(columns)]
    width = int(min(source.shape[1], column.shape[1]))
    if shift:
        np.left_shift(source[:rows, :width], shift, out=column[:, :width])
    else:
        column[:, :width] = source[:rows, :width]
    return rows * width * item


def store_pairs(pair: Sequence[NDArray[Any]], plane: PlaneView, *, item: int, shift: int) -> int:
    """Put two components side by side: as numbers of twice the size, some rows at a time.

    Every byte of the target is written once, in order, and none is read: it may be memory that
    is not cached. What is in between stays in the processor's caches. numpy multiplies and adds
    with vector instructions where it shifts and ors number by number.
    """
    import numpy as np

    rows = int(min(pair[0].shape[0], plane.rows))
    width = int(min(pair[0].shape[1], plane.row_bytes // (2 * item)))
    wide = np.dtype("<u2") if item == 1 else np.dtype("<u4")
    high = np.empty((_ROWS_AT_A_TIME, width), wide)
    past = wide.type(1 << 8 * item + shift)
    both = np.ndarray((rows, width), wide, buffer=plane.memory, strides=(plane.pitch, 2 * item))
    for top in range(0, rows, _ROWS_AT_A_TIME):
        bottom = min(top + _ROWS_AT_A_TIME, rows)
        first, second = (component[top:bottom, :width] for component in pair)
        upper = high[: bottom - top]
        np.multiply(second, past, out=upper)
        lower = np.multiply(first, wide.type(1 << shift)) if shift else first
        np.add(upper, lower, out=both[top:bottom])
    return 2 * rows * width * item
