"""What a compositor is told of the colours of a surface: `wp_color_representation_v1`."""

from __future__ import annotations

from collections.abc import Mapping

from pywayland.protocol.color_representation_v1 import WpColorRepresentationManagerV1

from heapwire.client_lib.wayland import CData, Connection, listen
from heapwire.protocol.values import Colour, ColourEncoding, ColourRange

# wp_color_representation_surface_v1.coefficients and .range
_COEFFICIENTS: Mapping[ColourEncoding, int] = {
    ColourEncoding.BT709: 2,
    ColourEncoding.BT601: 4,
    ColourEncoding.BT2020: 6,
}
_RANGES: Mapping[ColourRange, int] = {ColourRange.FULL: 1, ColourRange.LIMITED: 2}

USUAL: Colour = (ColourEncoding.BT601, ColourRange.LIMITED)
"""What compositors that cannot be told of colours take YCbCr for."""


class SurfaceColours:
    """The colours of one surface, as far as the compositor can be told of them."""

    def __init__(self, connection: Connection, surface: CData) -> None:
        self._surface = surface
        self._supported: set[tuple[int, int]] = set()
        self._told: tuple[int, int] | None = None
        self._manager: CData = None
        self._object: CData = None
        if WpColorRepresentationManagerV1.name in connection.globals():
            self._manager, _ = connection.bind(WpColorRepresentationManagerV1, maximum=1)
            listen(
                self._manager,
                connection.handler_failed,
                {"supported_coefficients_and_ranges": lambda *pair: self._supported.add(pair)},
            )

    def tell(self, colour: Colour | None) -> bool:
        """Say which YCbCr the next commit has, None for RGB; whether that could be said.

        What it is taken for where nothing can be said counts as said.
        """
        wanted = None
        if colour is not None:
            wanted = _COEFFICIENTS.get(colour[0], 0), _RANGES.get(colour[1], 0)
            if wanted not in self._supported:
                wanted = None
        if wanted != self._told:
            self._told = wanted
            if wanted is None:
                self._forget()
            else:
                if self._object is None:
                    self._object = self._manager.get_surface(self._surface)
                self._object.set_coefficients_and_range(*wanted)
        # One that has the protocol may take it for anything: Weston 15 does for BT.709.
        return wanted is not None or colour is None or (self._manager is None and colour == USUAL)

    def close(self) -> None:
        """Destroy its objects; the surface comes after."""
        self._forget()
        if self._manager is not None:
            self._manager.destroy()
            self._manager = None

    def _forget(self) -> None:
        if self._object is not None:
            self._object.destroy()
            self._object = None
