"""VA-API's VADRMPRIMESurfaceDescriptor: what vaExportSurfaceHandle fills.

The struct is that of va/va_drmcommon.h, for VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2, which
is part of VA-API's ABI. With VA_EXPORT_SURFACE_COMPOSED_LAYERS there is one layer, with
VA_EXPORT_SURFACE_SEPARATE_LAYERS one a plane.
"""

from __future__ import annotations

import ctypes
from ctypes import c_int, c_uint32, c_uint64

from heapwire.client_lib.exporters.descriptor import (
    MOST,
    ObjectOf,
    check_counts,
    described_frame,
    layer_of,
    read_struct,
)
from heapwire.client_lib.exporters.exported_frame import ExportedFrame
from heapwire.protocol import InputError
from heapwire.protocol.values import Extent, PlaneLayout, fourcc

# Of va/va.h: those fourccs of YUV surfaces that drm_fourcc.h spells otherwise.
_DRM_OF_VA = {
    fourcc("I420"): fourcc("YU12"),
    fourcc("422H"): fourcc("YU16"),
    fourcc("444P"): fourcc("YU24"),
    fourcc("YUY2"): fourcc("YUYV"),
}


class _Object(ctypes.Structure):
    __slots__ = ()
    _fields_ = (("fd", c_int), ("size", c_uint32), ("modifier", c_uint64))


class _Layer(ctypes.Structure):
    __slots__ = ()
    _fields_ = (
        ("format", c_uint32),
        ("count", c_uint32),
        ("objects", c_uint32 * MOST),
        ("offsets", c_uint32 * MOST),
        ("pitches", c_uint32 * MOST),
    )


class _Descriptor(ctypes.Structure):
    __slots__ = ()
    _fields_ = (
        ("fourcc", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("object_count", c_uint32),
        ("objects", _Object * MOST),
        ("layer_count", c_uint32),
        ("layers", _Layer * MOST),
    )


VA_FRAME_BYTES = ctypes.sizeof(_Descriptor)
"""What a descriptor takes in memory: 312 bytes."""


def read_va_frame(
    exporter: str, descriptor: bytes | bytearray | memoryview, object_of: ObjectOf
) -> ExportedFrame:
    """The frame that a VADRMPRIMESurfaceDescriptor describes.

    Raises `InputError` for numbers that contradict themselves.
    """
    read = read_struct(_Descriptor, descriptor)
    check_counts(read.object_count, read.layer_count)
    fault = Extent.fault(read.width, read.height)
    if fault is not None:
        raise InputError(f"the surface: {fault}")
    objects = [(one.fd, one.size, one.modifier) for one in read.objects[: read.object_count]]
    layers = [
        layer_of(
            layer.format,
            layer.count,
            map(PlaneLayout, layer.objects, layer.offsets, layer.pitches),
        )
        for layer in read.layers[: read.layer_count]
    ]
    # VA's own fourccs of RGB are in another order than DRM's: one layer's says all.
    whole = None if len(layers) == 1 else _DRM_OF_VA.get(read.fourcc, read.fourcc)
    extent = Extent(read.width, read.height)
    return described_frame(exporter, extent, objects, layers, whole, object_of)
