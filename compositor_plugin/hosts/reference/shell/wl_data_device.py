"""`wl_data_device`: a clipboard that keeps nothing, because nothing has focus."""

from __future__ import annotations

from heapwire.compositor_plugin.hosts.reference import WlSurface, interface_table
from heapwire.compositor_plugin.hosts.reference.shell.wl_data_source import WlDataSource
from heapwire.compositor_plugin.server import Resource


class WlDataDevice(Resource):
    """What is set here is cancelled: no client ever has the input that it takes."""

    INTERFACE = interface_table("wl_data_device")
    VERSION = min(3, INTERFACE.version)

    def start_drag(
        self,
        source: WlDataSource | None,
        _origin: WlSurface,
        _icon: WlSurface | None,
        _serial: int,
    ) -> None:
        """Nothing can be dragged without a pointer."""
        if source is not None:
            source.send("cancelled")

    def set_selection(self, source: WlDataSource | None, _serial: int) -> None:
        """Without focus nothing can be selected."""
        if source is not None:
            source.send("cancelled")
