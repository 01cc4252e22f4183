"""A buffer with all of its layout, as it travels.

One request asks about such a buffer, which exists, and another has one allocated.
"""

from __future__ import annotations

from heapwire.protocol.errors import PeerError
from heapwire.protocol.values import (
    Extent,
    FixedBuffer,
    FormatModifier,
    Layout,
    LayoutKind,
)
from heapwire.protocol.wire.array import (
    decode_objects,
    decode_planes,
    encode_objects,
    encode_planes,
)
from heapwire.protocol.wire.bindings import AllocationManagerError, NegotiationError
from heapwire.protocol.wire.limits import EXTENT
from heapwire.protocol.wire.misuse import LimitError, MisuseError

BufferErrors = type[NegotiationError] | type[AllocationManagerError]
"""The errors of the interface whose request it is."""


def encode_buffer(buffer: FixedBuffer) -> tuple[int | bytes, ...]:
    """The arguments of the request."""
    pair, layout = buffer.format, buffer.layout
    return (
        *(pair.fourcc, pair.modifier >> 32, pair.modifier & 0xFFFFFFFF),
        *(layout.extent.width, layout.extent.height),
        *(encode_objects(layout.objects), encode_planes(layout.planes)),
    )


def decode_buffer(
    errors: BufferErrors,
    fourcc: int,
    modifier_hi: int,
    modifier_lo: int,
    width: int,
    height: int,
    objects: bytes,
    planes: bytes,
) -> FixedBuffer:
    """The buffer that the arguments describe; raises `MisuseError` if they cannot."""
    for name, array, entry in (("objects", objects, 24), ("planes", planes, 12)):
        if not array or len(array) % entry:
            raise MisuseError(errors.INVALID_ARRAY, f"{name} has {len(array)} bytes")
        if len(array) // entry > 4:
            raise LimitError(errors.TOO_MANY, f"more than 4 {name}")
    if not (1 <= width <= EXTENT and 1 <= height <= EXTENT):
        raise MisuseError(errors.INVALID_EXTENT, f"a size of {width}x{height}")
    try:
        decoded_objects = decode_objects(objects)
    except PeerError as error:
        raise MisuseError(errors.INVALID_DEVICE, str(error)) from None
    decoded_planes = decode_planes(planes)
    for number, plane in enumerate(decoded_planes):
        if plane.object >= len(decoded_objects):
            raise MisuseError(errors.INVALID_LAYOUT, f"plane {number}: no such object")
        if plane.pitch == 0:
            raise MisuseError(errors.INVALID_LAYOUT, f"plane {number}: a pitch of 0")
        if plane.offset >= decoded_objects[plane.object].size:
            raise MisuseError(errors.INVALID_LAYOUT, f"plane {number} begins behind its object")
    layout = Layout(
        kind=LayoutKind.FIXED,
        extent=Extent(width, height),
        objects=decoded_objects,
        planes=decoded_planes,
    )
    return FixedBuffer(FormatModifier(fourcc, modifier_hi << 32 | modifier_lo), layout)
