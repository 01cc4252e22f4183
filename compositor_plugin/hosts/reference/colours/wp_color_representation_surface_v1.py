"""`wp_color_representation_surface_v1`: the colours of one surface."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from heapwire.compositor_plugin.hosts.reference import WlSurface, interface_table
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError
from heapwire.protocol.values import FORMATS, Colour, ColourEncoding, ColourRange

PREMULTIPLIED = 0
"""alpha_mode.premultiplied_electrical: the only one that is drawn."""

_IDENTITY, _FULL, _LIMITED = 1, 1, 2
_COEFFICIENTS = {2: ColourEncoding.BT709, 4: ColourEncoding.BT601, 6: ColourEncoding.BT2020}
_RANGES = {_FULL: ColourRange.FULL, _LIMITED: ColourRange.LIMITED}
COLOURS: Mapping[tuple[int, int], Colour] = {
    (_IDENTITY, _FULL): (ColourEncoding.RGB, ColourRange.FULL),
    **{
        (coefficients, range_): (encoding, meant)
        for coefficients, encoding in _COEFFICIENTS.items()
        for range_, meant in _RANGES.items()
    },
}
"""What is drawn, by the protocol's numbers of coefficients and range."""

_LOCATIONS = range(1, 7)  # chroma_location


class ColorRepresentationSurfaceError(IntEnum):
    """The errors of `wp_color_representation_surface_v1`."""

    ALPHA_MODE = 1
    COEFFICIENTS = 2
    PIXEL_FORMAT = 3
    INERT = 4
    CHROMA_LOCATION = 5


class WpColorRepresentationSurfaceV1(Resource):
    """What it sets is part of the surface's pending state."""

    INTERFACE = interface_table("wp_color_representation_surface_v1")
    VERSION = 1

    def __init__(self, new_id: NewId, surface: WlSurface) -> None:
        super().__init__(new_id)
        self._surface: WlSurface | None = surface
        surface.colours = self

    def set_alpha_mode(self, mode: int) -> None:
        """Say how alpha and colour go together."""
        self._checked_surface()
        if mode != PREMULTIPLIED:
            text = f"the alpha mode {mode} is not on offer"
            raise ViolationError(self, ColorRepresentationSurfaceError.ALPHA_MODE, text)

    def set_coefficients_and_range(self, coefficients: int, range_: int) -> None:
        """Say how RGB is made of what is in the buffer."""
        surface = self._checked_surface()
        colour = COLOURS.get((coefficients, range_))
        if colour is None:
            text = f"the coefficients {coefficients} with the range {range_} are not on offer"
            raise ViolationError(self, ColorRepresentationSurfaceError.COEFFICIENTS, text)
        surface.pending.presenting = surface.pending.presenting._replace(colour=colour)

    def set_chroma_location(self, location: int) -> None:
        """Say where samples of chroma are; what is drawn takes the nearest in any case."""
        self._checked_surface()
        if location not in _LOCATIONS:
            text = f"{location} is no chroma location"
            raise ViolationError(self, ColorRepresentationSurfaceError.CHROMA_LOCATION, text)

    def check(self, fourcc: int, colour: Colour) -> None:
        """The surface is committed with a buffer of a format, which has to go with its colour."""
        known = FORMATS.get(fourcc)
        if known is not None and known.is_yuv == (colour[0] is ColourEncoding.RGB):
            text = f"{colour[0].name} does not go with the format {known.name}"
            raise ViolationError(self, ColorRepresentationSurfaceError.PIXEL_FORMAT, text)

    def surface_gone(self) -> None:
        """The surface was destroyed; only `destroy` is allowed from here on."""
        self._surface = None

    def on_destroy(self) -> None:
        """The surface says nothing of its colours, from its next commit on."""
        surface, self._surface = self._surface, None
        if surface is not None:
            surface.colours = None
            surface.pending.presenting = surface.pending.presenting._replace(colour=None)

    def _checked_surface(self) -> WlSurface:
        if self._surface is None:
            text = "the surface has been destroyed"
            raise ViolationError(self, ColorRepresentationSurfaceError.INERT, text)
        return self._surface
