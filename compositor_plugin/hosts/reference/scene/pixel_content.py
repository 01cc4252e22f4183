"""The content of a buffer that is one pixel, which is no memory of anybody's."""

from __future__ import annotations

import numpy as np

from heapwire.compositor_plugin.hosts.reference.scene.pixels import Image
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import Colour, Extent, parse_fourcc

_ARGB = parse_fourcc("ARGB8888")
_ONE_PIXEL = Extent(1, 1)


@dataclass(frozen=True, slots=True)
class PixelContent:
    """One colour, premultiplied, with 8 bits each of red, green, blue and alpha."""

    rgba: tuple[int, int, int, int]

    @property
    def extent(self) -> Extent:
        """One pixel; a viewport makes a surface of it."""
        return _ONE_PIXEL

    @property
    def fourcc(self) -> int:
        """The format that the pixel would have in memory."""
        return _ARGB

    @property
    def has_alpha(self) -> bool:
        """Whether anything is seen through it."""
        return self.rgba[3] < 255

    def image(self, colour: Colour | None = None) -> Image:
        """The pixel, which is RGB."""
        return np.array([[self.rgba]], np.uint8)
