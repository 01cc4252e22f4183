"""`wl_data_source`: data that a client offers."""

from __future__ import annotations

from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.server import Resource


class WlDataSource(Resource):
    """Nobody asks for the data."""

    INTERFACE = interface_table("wl_data_source")
    VERSION = min(3, INTERFACE.version)

    def offer(self, _mime_type: str) -> None:
        """Offer a type."""

    def set_actions(self, _actions: int) -> None:
        """Say what may be done with it."""
