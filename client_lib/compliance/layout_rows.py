"""Layouts that a request describes in arrays, and what is wrong with them.

`set_fixed_layout` and `allocate` have the same arguments, and the same errors by the same names.
"""

from __future__ import annotations

import struct

from heapwire.client_lib.compliance.probe import HEIGHT, PITCH, WIDTH, XRGB
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import LINEAR
from heapwire.protocol.wire import halves

HEAP = (0, 254, 0)
"""A source: its kind, major and minor. Nobody has to have announced it."""
SIZE = PITCH * HEIGHT


def packed_object(
    source: tuple[int, int, int] = HEAP, size: int = SIZE, *, padding: int = 0
) -> bytes:
    """An entry of the array objects."""
    return struct.pack("=IIIIQ", *source, padding, size)


def packed_plane(index: int = 0, offset: int = 0, pitch: int = PITCH) -> bytes:
    """An entry of the array planes."""
    return struct.pack("=III", index, offset, pitch)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutRow:
    """A layout, and the error that it raises; it raises none if `error` is empty."""

    name: str
    says: str
    error: str = ""
    width: int = WIDTH
    height: int = HEIGHT
    objects: bytes = packed_object()
    planes: bytes = packed_plane()
    fourcc: int = XRGB
    modifier: int = LINEAR

    @property
    def arguments(self) -> tuple[int | bytes, ...]:
        """Those of the request, from the format on."""
        numbers = (self.fourcc, *halves(self.modifier), self.width, self.height)
        return (*numbers, self.objects, self.planes)


_EMPTY = "An array that is empty raises invalid_array."
_LENGTH = "A length that is no multiple of that of the entries raises invalid_array."
_MANY = "More than 4 objects or 4 planes raise too_many."
_DEVICE = "An entry of objects that names no source raises invalid_device."
_EXTENT = "A width or a height of 0 or above 65536 raises invalid_extent."
_LAYOUT = "A plane that is not in an object, or has no pitch, raises invalid_layout."
_ARRAY, _TOO_MANY, _NO_SOURCE = "invalid_array", "too_many", "invalid_device"
_SIZE, _CONTRADICTION = "invalid_extent", "invalid_layout"

ROWS = (
    LayoutRow(name="no-objects", says=_EMPTY, error=_ARRAY, objects=b""),
    LayoutRow(name="no-planes", says=_EMPTY, error=_ARRAY, planes=b""),
    LayoutRow(name="half-an-object", says=_LENGTH, error=_ARRAY, objects=packed_object()[:12]),
    LayoutRow(name="an-object-and-a-half", says=_LENGTH, error=_ARRAY,
              objects=packed_object() + packed_object()[:-1]),
    LayoutRow(name="half-a-plane", says=_LENGTH, error=_ARRAY, planes=packed_plane() + bytes(4)),
    LayoutRow(name="objects-5", says=_MANY, error=_TOO_MANY, objects=packed_object() * 5),
    LayoutRow(name="planes-5", says=_MANY, error=_TOO_MANY, planes=packed_plane() * 5),
    LayoutRow(name="no-kind", says=_DEVICE, error=_NO_SOURCE,
              objects=packed_object((3, 254, 0))),
    LayoutRow(name="major-4096", says=_DEVICE, error=_NO_SOURCE,
              objects=packed_object((0, 4096, 0))),
    LayoutRow(name="minor-1048576", says=_DEVICE, error=_NO_SOURCE,
              objects=packed_object() + packed_object((0, 254, 1 << 20))),
    LayoutRow(name="width-0", says=_EXTENT, error=_SIZE, width=0),
    LayoutRow(name="height-0", says=_EXTENT, error=_SIZE, height=0),
    LayoutRow(name="width-65537", says=_EXTENT, error=_SIZE, width=65537),
    LayoutRow(name="height-65537", says=_EXTENT, error=_SIZE, height=65537),
    LayoutRow(name="no-such-object", says=_LAYOUT, error=_CONTRADICTION, planes=packed_plane(1)),
    LayoutRow(name="pitch-0", says=_LAYOUT, error=_CONTRADICTION, planes=packed_plane(pitch=0)),
    LayoutRow(name="behind-the-object", says=_LAYOUT, error=_CONTRADICTION,
              planes=packed_plane() + packed_plane(offset=SIZE)),
    LayoutRow(name="object-of-nothing", says=_LAYOUT, error=_CONTRADICTION,
              objects=packed_object(size=0)),
    LayoutRow(name="at-the-limits", says="What is within the limits must be accepted.",
              objects=packed_object((2, 4095, (1 << 20) - 1), 1 << 63) * 4,
              planes=packed_plane(3, (1 << 32) - 1, (1 << 32) - 1) * 4,
              width=65536, height=65536),
    LayoutRow(name="padding", says="The value of the padding is ignored.",
              objects=packed_object(padding=0xFFFFFFFF)),
    LayoutRow(name="unheard-of-source", objects=packed_object((0, 99, 99)),
              says="A source that is not there is no error: it may just have gone."),
    LayoutRow(name="unheard-of-format", fourcc=0x3130_7878, modifier=0x7F00_0000_0000_0001,
              says="What nobody can use is answered, and is no error."),
)  # fmt: skip
