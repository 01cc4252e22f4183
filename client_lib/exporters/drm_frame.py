"""FFmpeg's AVDRMFrameDescriptor: what a frame of AV_PIX_FMT_DRM_PRIME points to.

The structs are those of libavutil/hwcontext_drm.h, which are part of FFmpeg's ABI.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import c_int, c_size_t, c_ssize_t, c_uint32, c_uint64

from heapwire.client_lib.exporters.exported_frame import (
    ExportedFrame,
    ExportedObject,
    FrameLayer,
    planes_of_layers,
)
from heapwire.protocol import InputError
from heapwire.protocol.values import Extent, FormatModifier, PlaneLayout

_MOST = 4  # AV_DRM_MAX_PLANES

ObjectOf = Callable[[int, int], ExportedObject]
"""Makes an object of an fd and a size in bytes: `Exporter.object_of` with what it is bound to."""


class _Object(ctypes.Structure):
    __slots__ = ()
    _fields_ = (("fd", c_int), ("size", c_size_t), ("modifier", c_uint64))


class _Plane(ctypes.Structure):
    __slots__ = ()
    _fields_ = (("object", c_int), ("offset", c_ssize_t), ("pitch", c_ssize_t))


class _Layer(ctypes.Structure):
    __slots__ = ()
    _fields_ = (("format", c_uint32), ("count", c_int), ("planes", _Plane * _MOST))


class _Descriptor(ctypes.Structure):
    __slots__ = ()
    _fields_ = (
        ("object_count", c_int),
        ("objects", _Object * _MOST),
        ("layer_count", c_int),
        ("layers", _Layer * _MOST),
    )


DRM_FRAME_BYTES = ctypes.sizeof(_Descriptor)
"""What a descriptor takes: 528 bytes where pointers have 64 bits."""


def read_drm_frame(
    exporter: str,
    descriptor: bytes | bytearray | memoryview,
    extent: Extent,
    object_of: ObjectOf,
    *,
    whole: int | None = None,
) -> ExportedFrame:
    """The frame that an AVDRMFrameDescriptor describes.

    `descriptor` is the memory that `frame->data[0]` points to. It has no size: `extent` is
    the frame's, coded, in pixels. `whole` is the fourcc of `sw_format`, which only layers
    need. Raises `InputError` for numbers that contradict themselves.
    """
    if len(descriptor) < DRM_FRAME_BYTES:
        raise InputError(f"a descriptor of {len(descriptor)} bytes, which has {DRM_FRAME_BYTES}")
    read = _Descriptor.from_buffer_copy(descriptor)
    if not 0 < read.object_count <= _MOST or not 0 < read.layer_count <= _MOST:
        counts = f"{read.object_count} objects and {read.layer_count} layers"
        raise InputError(f"a descriptor of {counts}, which are 1 to {_MOST}")
    objects = read.objects[: read.object_count]
    modifiers = {entry.modifier for entry in objects}
    if len(modifiers) > 1:
        raise InputError("the objects of one picture have different modifiers")
    layers = [_layer(entry) for entry in read.layers[: read.layer_count]]
    fourcc, planes = planes_of_layers(layers, whole)
    return ExportedFrame(
        exporter=exporter,
        format=FormatModifier(fourcc, modifiers.pop()),
        extent=extent,
        objects=tuple(object_of(entry.fd, entry.size) for entry in objects),
        planes=planes,
    )


def _layer(layer: _Layer) -> FrameLayer:
    if not 0 < layer.count <= _MOST:
        raise InputError(f"a layer of {layer.count} planes, which are 1 to {_MOST}")
    return FrameLayer(
        layer.format,
        tuple(PlaneLayout(p.object, p.offset, p.pitch) for p in layer.planes[: layer.count]),
    )
