"""`wp_single_pixel_buffer_manager_v1`: buffers of one colour, for backgrounds and bars."""

from __future__ import annotations

from heapwire.compositor_plugin.hosts.reference.dmabuf import WlBuffer
from heapwire.compositor_plugin.hosts.reference.interface_tables import interface_table
from heapwire.compositor_plugin.hosts.reference.scene import PixelContent
from heapwire.compositor_plugin.server import NewId, Resource

_DROPPED_BITS = 24  # of 32 for each channel


class WpSinglePixelBufferManagerV1(Resource):
    """The bound global."""

    INTERFACE = interface_table("wp_single_pixel_buffer_manager_v1")
    VERSION = 1

    def create_u32_rgba_buffer(
        self, new_id: NewId, red: int, green: int, blue: int, alpha: int
    ) -> None:
        """Make a buffer of a colour that is premultiplied, as all buffers are."""
        red, green, blue, alpha = (
            channel >> _DROPPED_BITS for channel in (red, green, blue, alpha)
        )
        WlBuffer(new_id, PixelContent((red, green, blue, alpha)))
