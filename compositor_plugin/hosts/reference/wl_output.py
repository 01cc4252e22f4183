"""`wl_output`: describes an output to a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference.interface_tables import interface_table
from heapwire.compositor_plugin.server import NewId, Resource

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.scene import Desktop, Output

_CURRENT_AND_PREFERRED = 3
_DOTS_PER_MILLIMETRE = 96 / 25.4  # the density that CSS calls 1x


class WlOutput(Resource):
    """One client's view of an output."""

    INTERFACE = interface_table("wl_output")
    VERSION = min(4, INTERFACE.version)

    def __init__(self, new_id: NewId, output: Output, desktop: Desktop) -> None:
        super().__init__(new_id)
        self.output = output
        output.resources.add(self)
        mode = output.mode
        width, height = mode.extent.width, mode.extent.height
        physical = (round(width / _DOTS_PER_MILLIMETRE), round(height / _DOTS_PER_MILLIMETRE))
        self.send(
            "geometry", output.rect.x, output.rect.y, *physical, 0, "heapwire", output.name, 0
        )
        self.send("mode", _CURRENT_AND_PREFERRED, width, height, mode.refresh)
        if self.has_event("scale"):
            self.send("scale", mode.scale)
        if self.has_event("name"):
            self.send("name", output.name)
            self.send("description", f"simulated output {output.name}")
        if self.has_event("done"):
            self.send("done")
        desktop.output_bound(self)

    def on_destroy(self) -> None:
        """The client's object is gone."""
        self.output.resources.discard(self)
