"""`wl_data_device_manager`: the clipboard, which toolkits want to be there."""

from __future__ import annotations

from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.hosts.reference.shell.wl_data_device import WlDataDevice
from heapwire.compositor_plugin.hosts.reference.shell.wl_data_source import WlDataSource
from heapwire.compositor_plugin.hosts.reference.shell.wl_seat import WlSeat
from heapwire.compositor_plugin.server import NewId, Resource


class WlDataDeviceManager(Resource):
    """The bound global."""

    INTERFACE = interface_table("wl_data_device_manager")
    VERSION = min(3, INTERFACE.version)

    def create_data_source(self, new_id: NewId) -> None:
        """Make a source of data."""
        WlDataSource(new_id)

    def get_data_device(self, new_id: NewId, _seat: WlSeat) -> None:
        """Make a seat's end of it."""
        WlDataDevice(new_id)
