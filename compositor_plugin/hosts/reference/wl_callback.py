"""`wl_callback`: answers once."""

from __future__ import annotations

from heapwire.compositor_plugin.hosts.reference.interface_tables import interface_table
from heapwire.compositor_plugin.server import Resource


class WlCallback(Resource):
    """A frame callback."""

    INTERFACE = interface_table("wl_callback")
    VERSION = 1

    def done(self, milliseconds: int) -> None:
        """Answer, which ends the object."""
        self.send("done", milliseconds & 0xFFFFFFFF)
        self.destroy_resource()
