"""FFmpeg's AVDRMFrameDescriptor: what a frame of AV_PIX_FMT_DRM_PRIME points to.

The structs are those of libavutil/hwcontext_drm.h, which are part of FFmpeg's ABI.
"""

from __future__ import annotations

import ctypes
from ctypes import c_int, c_size_t, c_ssize_t, c_uint32, c_uint64

from heapwire.client_lib.exporters.descriptor import (
    MOST,
    ObjectOf,
    check_counts,
    described_frame,
    layer_of,
    read_struct,
)
from heapwire.client_lib.exporters.exported_frame import ExportedFrame
from heapwire.protocol.values import Extent, PlaneLayout


class _Object(ctypes.Structure):
    __slots__ = ()
    _fields_ = (("fd", c_int), ("size", c_size_t), ("modifier", c_uint64))


class _Plane(ctypes.Structure):
    __slots__ = ()
    _fields_ = (("object", c_int), ("offset", c_ssize_t), ("pitch", c_ssize_t))


class _Layer(ctypes.Structure):
    __slots__ = ()
    _fields_ = (("format", c_uint32), ("count", c_int), ("planes", _Plane * MOST))


class _Descriptor(ctypes.Structure):
    __slots__ = ()
    _fields_ = (
        ("object_count", c_int),
        ("objects", _Object * MOST),
        ("layer_count", c_int),
        ("layers", _Layer * MOST),
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
    read = read_struct(_Descriptor, descriptor)
    check_counts(read.object_count, read.layer_count)
    objects = [(one.fd, one.size, one.modifier) for one in read.objects[: read.object_count]]
    layers = [
        layer_of(
            layer.format,
            layer.count,
            (PlaneLayout(plane.object, plane.offset, plane.pitch) for plane in layer.planes),
        )
        for layer in read.layers[: read.layer_count]
    ]
    return described_frame(exporter, extent, objects, layers, whole, object_of)
