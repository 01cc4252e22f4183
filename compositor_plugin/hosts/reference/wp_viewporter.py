"""`wp_viewporter`: crops and scales surfaces."""

from __future__ import annotations

from enum import IntEnum

from heapwire.compositor_plugin.hosts.reference.interface_tables import interface_table
from heapwire.compositor_plugin.hosts.reference.wl_surface import WlSurface
from heapwire.compositor_plugin.hosts.reference.wp_viewport import WpViewport
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError


class ViewporterError(IntEnum):
    """The errors of `wp_viewporter`."""

    VIEWPORT_EXISTS = 0


class WpViewporter(Resource):
    """The bound global."""

    INTERFACE = interface_table("wp_viewporter")
    VERSION = 1

    def get_viewport(self, new_id: NewId, surface: WlSurface) -> None:
        """Give a surface a viewport; it can have one."""
        if surface.viewport is not None:
            raise ViolationError(
                self, ViewporterError.VIEWPORT_EXISTS, "the surface has a viewport already"
            )
        WpViewport(new_id, surface)
