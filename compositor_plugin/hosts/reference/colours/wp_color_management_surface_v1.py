"""`wp_color_management_surface_v1`: the light of one surface."""

from __future__ import annotations

from enum import IntEnum

from heapwire.compositor_plugin.hosts.reference import WlSurface, interface_table
from heapwire.compositor_plugin.hosts.reference.colours.wp_image_description_v1 import (
    WpImageDescriptionV1,
)
from heapwire.compositor_plugin.hosts.reference.scene import Light
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError

PERCEPTUAL = 0
"""render_intent.perceptual: the only one that there is."""


class ColorManagementSurfaceError(IntEnum):
    """The errors of `wp_color_management_surface_v1`."""

    RENDER_INTENT = 0
    IMAGE_DESCRIPTION = 1
    INERT = 2


class WpColorManagementSurfaceV1(Resource):
    """What it sets is part of the surface's pending state."""

    INTERFACE = interface_table("wp_color_management_surface_v1")
    VERSION = 1

    def __init__(self, new_id: NewId, surface: WlSurface) -> None:
        super().__init__(new_id)
        self._surface: WlSurface | None = surface
        surface.light = self

    def set_image_description(self, description: WpImageDescriptionV1, intent: int) -> None:
        """Say of which light the surface is."""
        surface = self._checked_surface()
        if description.light is None:
            text = "the description is not ready, and never will be"
            raise ViolationError(self, ColorManagementSurfaceError.IMAGE_DESCRIPTION, text)
        if intent != PERCEPTUAL:
            text = f"the intent {intent} is not on offer"
            raise ViolationError(self, ColorManagementSurfaceError.RENDER_INTENT, text)
        _set(surface, description.light)

    def unset_image_description(self) -> None:
        """Say nothing of it any more."""
        _set(self._checked_surface(), None)

    def surface_gone(self) -> None:
        """The surface was destroyed; only `destroy` is allowed from here on."""
        self._surface = None

    def on_destroy(self) -> None:
        """The surface says nothing of its light, from its next commit on."""
        surface, self._surface = self._surface, None
        if surface is not None:
            surface.light = None
            _set(surface, None)

    def _checked_surface(self) -> WlSurface:
        if self._surface is None:
            text = "the surface has been destroyed"
            raise ViolationError(self, ColorManagementSurfaceError.INERT, text)
        return self._surface


def _set(surface: WlSurface, light: Light | None) -> None:
    surface.pending.presenting = surface.pending.presenting._replace(light=light)
