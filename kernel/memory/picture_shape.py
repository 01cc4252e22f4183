"""The shape of the picture that an object of memory is for."""

from __future__ import annotations

from typing import Self

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import FORMATS, Layout

_BYTE = 8  # bits


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureShape:
    """Rows of `pitch` bytes with pixels of so many `bits`.

    A heap gives bytes; a display's own driver gives pictures, and remembers their pitch.
    """

    pitch: int
    rows: int
    bits: int

    @classmethod
    def of(cls, fourcc: int, layout: Layout, index: int) -> Self | None:
        """The shape of an object of a layout; None where no plane begins in it.

        An object with several planes, or with pixels that are no whole number of bytes, has
        rows of bytes.
        """
        planes = [number for number, plane in enumerate(layout.planes) if plane.object == index]
        if not planes:
            return None
        pitch = max(layout.planes[number].pitch for number in planes)
        known = FORMATS.get(fourcc)
        bits = _BYTE
        if len(planes) == 1 and known is not None and planes[0] < len(known.planes):
            format_ = known.planes[planes[0]]
            bits = _BYTE * format_.bytes_per_block if format_.block_width == 1 else _BYTE
        if pitch * _BYTE % bits:
            bits = _BYTE
        return cls(pitch=pitch, rows=-(-layout.objects[index].size // pitch), bits=bits)

    @property
    def width(self) -> int:
        """The pixels of a row, what pads it included."""
        return self.pitch * _BYTE // self.bits
