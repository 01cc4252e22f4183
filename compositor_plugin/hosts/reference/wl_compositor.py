"""`wl_compositor`: makes surfaces and regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference.interface_tables import interface_table
from heapwire.compositor_plugin.hosts.reference.wl_region import WlRegion
from heapwire.compositor_plugin.hosts.reference.wl_surface import WlSurface
from heapwire.compositor_plugin.server import NewId, Resource

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.scene import Desktop


class WlCompositor(Resource):
    """The bound global."""

    INTERFACE = interface_table("wl_compositor")
    VERSION = min(6, INTERFACE.version)

    def __init__(self, new_id: NewId, desktop: Desktop) -> None:
        super().__init__(new_id)
        self._desktop = desktop

    def create_surface(self, new_id: NewId) -> None:
        """Make a surface."""
        WlSurface(new_id, self._desktop)

    def create_region(self, new_id: NewId) -> None:
        """Make a region."""
        WlRegion(new_id)
