"""`wp_viewport`: which part of a buffer is shown, and how large."""

from __future__ import annotations

from heapwire.compositor_plugin.hosts.reference.interface_tables import interface_table
from heapwire.compositor_plugin.hosts.reference.scene import Crop, ViewportError
from heapwire.compositor_plugin.hosts.reference.wl_surface import WlSurface
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError


class WpViewport(Resource):
    """The viewport of one surface; what it sets is part of the surface's pending state."""

    INTERFACE = interface_table("wp_viewport")
    VERSION = 1

    def __init__(self, new_id: NewId, surface: WlSurface) -> None:
        super().__init__(new_id)
        self._surface: WlSurface | None = surface
        surface.viewport = self

    def set_source(self, x: float, y: float, width: float, height: float) -> None:
        """Crop; four times -1 unsets it."""
        surface = self._checked_surface()
        crop: Crop | None = Crop(x, y, width, height)
        if crop == (-1, -1, -1, -1):
            crop = None
        elif x < 0 or y < 0 or width <= 0 or height <= 0:
            raise ViolationError(
                self, ViewportError.BAD_VALUE, f"{width:g}x{height:g} at {x:g},{y:g} is no source"
            )
        surface.pending.presenting = surface.pending.presenting._replace(crop=crop)

    def set_destination(self, width: int, height: int) -> None:
        """Scale; -1 twice unsets it."""
        surface = self._checked_surface()
        destination: tuple[int, int] | None = (width, height)
        if destination == (-1, -1):
            destination = None
        elif width <= 0 or height <= 0:
            raise ViolationError(self, ViewportError.BAD_VALUE, f"{width}x{height} is no size")
        surface.pending.presenting = surface.pending.presenting._replace(destination=destination)

    def surface_gone(self) -> None:
        """The surface was destroyed; only `destroy` is allowed from here on."""
        self._surface = None

    def on_destroy(self) -> None:
        """The surface is shown whole and unscaled, from its next commit on."""
        surface, self._surface = self._surface, None
        if surface is not None:
            surface.viewport = None
            surface.pending.presenting = surface.pending.presenting._replace(
                crop=None, destination=None
            )

    def _checked_surface(self) -> WlSurface:
        if self._surface is None:
            raise ViolationError(self, ViewportError.NO_SURFACE, "the surface has been destroyed")
        return self._surface
