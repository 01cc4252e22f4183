"""`wl_region`: an area that a client describes piece by piece."""

from __future__ import annotations

from heapwire.compositor_plugin.hosts.reference.interface_tables import interface_table
from heapwire.compositor_plugin.hosts.reference.scene import EMPTY, Rect
from heapwire.compositor_plugin.server import NewId, Resource


class WlRegion(Resource):
    """A region of a client's; surfaces copy what it is when it is set."""

    INTERFACE = interface_table("wl_region")
    VERSION = 1

    def __init__(self, new_id: NewId) -> None:
        super().__init__(new_id)
        self.region = EMPTY

    def add(self, x: int, y: int, width: int, height: int) -> None:
        """Add a rectangle."""
        self.region = self.region.plus(Rect(x, y, width, height))

    def subtract(self, x: int, y: int, width: int, height: int) -> None:
        """Take a rectangle away."""
        self.region = self.region.minus(Rect(x, y, width, height))
