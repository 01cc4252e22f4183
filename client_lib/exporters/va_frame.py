"""VA-API's VADRMPRIMESurfaceDescriptor: what vaExportSurfaceHandle fills.

The struct is that of va/va_drmcommon.h, for VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2, which
is part of VA-API's ABI. With VA_EXPORT_SURFACE_COMPOSED_LAYERS there is one layer, with
VA_EXPORT_SURFACE_SEPARATE_LAYERS one a plane.
"""

from __future__ import annotations

import ctypes
from ctypes import c_int, c_uint32, c_uint64

from heapwire.client_lib.exporters.drm_frame import ObjectOf
from heapwire.client_lib.exporters.exported_frame import (
    ExportedFrame,
    FrameLayer,
    planes_of_layers,
)
from heapwire.protocol import InputError
from heapwire.protocol.values import Extent, FormatModifier, PlaneLayout, fourcc

_MOST = 4

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
        ("objects", c_uint32 * _MOST),
        ("offsets", c_uint32 * _MOST),
        ("pitches", c_uint32 * _MOST),
    )


class _Descriptor(ctypes.Structure):
    __slots__ = ()
    _fields_ = (
        ("fourcc", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("object_count", c_uint32),
        ("objects", _Object * _MOST),
        ("layer_count", c_uint32),
        ("layers", _Layer * _MOST),
    )


VA_FRAME_BYTES = ctypes.sizeof(_Descriptor)
"""What a descriptor takes in memory: 312 bytes."""


def read_va_frame(
    exporter: str, descriptor: bytes | bytearray | memoryview, object_of: ObjectOf
) -> ExportedFrame:
    """The frame that a VADRMPRIMESurfaceDescriptor describes.

    Raises `InputError` for numbers that contradict themselves.
    """
    if len(descriptor) < VA_FRAME_BYTES:
        raise InputError(f"a descriptor of {len(descriptor)} bytes, which has {VA_FRAME_BYTES}")
    read = _Descriptor.from_buffer_copy(descriptor)
    if not 0 < read.object_count <= _MOST or not 0 < read.layer_count <= _MOST:
        counts = f"{read.object_count} objects and {read.layer_count} layers"
        raise InputError(f"a descriptor of {counts}, which are 1 to {_MOST}")
    fault = Extent.fault(read.width, read.height)
    if fault is not None:
        raise InputError(f"the surface: {fault}")
    objects = read.objects[: read.object_count]
    modifiers = {entry.modifier for entry in objects}
    if len(modifiers) > 1:
        raise InputError("the objects of one picture have different modifiers")
    layers = [_layer(entry) for entry in read.layers[: read.layer_count]]
    # VA's own fourccs of RGB are in another order than DRM's: one layer's says all.
    whole = None if len(layers) == 1 else _DRM_OF_VA.get(read.fourcc, read.fourcc)
    fourcc_, planes = planes_of_layers(layers, whole)
    return ExportedFrame(
        exporter=exporter,
        format=FormatModifier(fourcc_, modifiers.pop()),
        extent=Extent(read.width, read.height),
        objects=tuple(object_of(entry.fd, entry.size) for entry in objects),
        planes=planes,
    )


def _layer(layer: _Layer) -> FrameLayer:
    if not 0 < layer.count <= _MOST:
        raise InputError(f"a layer of {layer.count} planes, which are 1 to {_MOST}")
    planes = zip(layer.objects, layer.offsets, layer.pitches, strict=True)
    return FrameLayer(
        layer.format, tuple(PlaneLayout(*plane) for plane in list(planes)[: layer.count])
    )
