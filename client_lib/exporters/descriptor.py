"""Descriptors of pictures as structs in memory: what FFmpeg's and VA-API's have in common.

Both tell objects with a modifier each, and layers of planes in them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from heapwire.client_lib.exporters.exported_frame import (
    ExportedFrame,
    ExportedObject,
    FrameLayer,
    planes_of_layers,
)
from heapwire.protocol import InputError
from heapwire.protocol.values import Extent, FormatModifier, PlaneLayout

MOST = 4
"""Objects, layers, and planes of a layer that either has room for."""

ObjectOf = Callable[[int, int], ExportedObject]
"""Makes an object of an fd and a size in bytes: `Exporter.object_of` with what it is bound to."""

DescribedObject = tuple[int, int, int]
"""An object as it is told: fd, size in bytes, modifier."""

_Struct = TypeVar("_Struct", bound=ctypes.Structure)


def read_struct(struct: type[_Struct], raw: bytes | bytearray | memoryview) -> _Struct:
    """A copy of a descriptor; `InputError` where the memory ends before it does."""
    size = ctypes.sizeof(struct)
    if len(raw) < size:
        raise InputError(f"a descriptor of {len(raw)} bytes, which has {size}")
    return struct.from_buffer_copy(raw)


def check_counts(objects: int, layers: int) -> None:
    """Raise `InputError` for numbers of objects and layers that there is no room for."""
    if not 0 < objects <= MOST or not 0 < layers <= MOST:
        raise InputError(
            f"a descriptor of {objects} objects and {layers} layers, which are 1 to {MOST}"
        )


def layer_of(fourcc: int, count: int, planes: Iterable[PlaneLayout]) -> FrameLayer:
    """A layer with the first `count` of its planes; `InputError` where there cannot be so many."""
    if not 0 < count <= MOST:
        raise InputError(f"a layer of {count} planes, which are 1 to {MOST}")
    return FrameLayer(fourcc, tuple(planes)[:count])


def described_frame(
    exporter: str,
    extent: Extent,
    objects: Sequence[DescribedObject],
    layers: Sequence[FrameLayer],
    whole: int | None,
    object_of: ObjectOf,
) -> ExportedFrame:
    """The frame of what was read; `whole` is its fourcc, which only layers need.

    Raises `InputError` for what contradicts itself.
    """
    modifiers = {modifier for _, _, modifier in objects}
    if len(modifiers) > 1:
        raise InputError("the objects of one picture have different modifiers")
    fourcc, planes = planes_of_layers(layers, whole)
    return ExportedFrame(
        exporter=exporter,
        format=FormatModifier(fourcc, modifiers.pop()),
        extent=extent,
        objects=tuple(object_of(fd, size) for fd, size, _ in objects),
        planes=planes,
    )
