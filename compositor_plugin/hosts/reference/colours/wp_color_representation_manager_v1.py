"""`wp_color_representation_manager_v1`: which colours surfaces may have."""

from __future__ import annotations

from enum import IntEnum

from heapwire.compositor_plugin.hosts.reference import WlSurface, interface_table
from heapwire.compositor_plugin.hosts.reference.colours.wp_color_representation_surface_v1 import (
    COLOURS,
    PREMULTIPLIED,
    WpColorRepresentationSurfaceV1,
)
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError


class ColorRepresentationManagerError(IntEnum):
    """The errors of `wp_color_representation_manager_v1`."""

    SURFACE_EXISTS = 1


class WpColorRepresentationManagerV1(Resource):
    """The bound global."""

    INTERFACE = interface_table("wp_color_representation_manager_v1")
    VERSION = 1

    def __init__(self, new_id: NewId) -> None:
        super().__init__(new_id)
        self.send("supported_alpha_mode", PREMULTIPLIED)
        for coefficients, range_ in COLOURS:
            self.send("supported_coefficients_and_ranges", coefficients, range_)
        self.send("done")

    def get_surface(self, new_id: NewId, surface: WlSurface) -> None:
        """Give a surface colours; it can have one object of them."""
        if surface.colours is not None:
            raise ViolationError(
                self,
                ColorRepresentationManagerError.SURFACE_EXISTS,
                "the surface has an object for its colours already",
            )
        WpColorRepresentationSurfaceV1(new_id, surface)
