"""`wl_compositor`: makes surfaces and regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference.tables import table
from heapwire.compositor_plugin.hosts.reference.wl_region import WlRegion
from heapwire.compositor_plugin.hosts.reference.wl_surface import WlSurface
from heapwire.compositor_plugin.server import NewId, Resource

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.scene import Space


class WlCompositor(Resource):
    """The bound global."""

    INTERFACE = table("wl_compositor")
    VERSION = min(6, INTERFACE.version)

    def __init__(self, new_id: NewId, space: Space) -> None:
        super().__init__(new_id)
        self._space = space

    def create_surface(self, new_id: NewId) -> None:
        """Make a surface."""
        WlSurface(new_id, self._space)

    def create_region(self, new_id: NewId) -> None:
        """Make a region."""
        WlRegion(new_id)
