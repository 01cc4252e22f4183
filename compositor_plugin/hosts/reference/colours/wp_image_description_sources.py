"""What tells of the display's own light: for an output, and as best for a surface."""

from __future__ import annotations

from enum import IntEnum

from heapwire.compositor_plugin.hosts.reference import WlSurface, interface_table
from heapwire.compositor_plugin.hosts.reference.colours.wp_image_description_v1 import (
    WpImageDescriptionV1,
)
from heapwire.compositor_plugin.hosts.reference.scene import DISPLAYED, Output
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError


class ColorManagementSurfaceFeedbackError(IntEnum):
    """The errors of `wp_color_management_surface_feedback_v1`."""

    INERT = 0
    UNSUPPORTED_FEATURE = 1


class WpColorManagementOutputV1(Resource):
    """The light of an output, which never changes, and goes with the output."""

    INTERFACE = interface_table("wp_color_management_output_v1")
    VERSION = 1

    def __init__(self, new_id: NewId, output: Output) -> None:
        super().__init__(new_id)
        self._output = output

    def get_image_description(self, new_id: NewId) -> None:
        """Describe it."""
        WpImageDescriptionV1(new_id, None if self._output.gone else DISPLAYED, told=True)


class WpColorManagementSurfaceFeedbackV1(Resource):
    """The light that costs no conversion, which never changes."""

    INTERFACE = interface_table("wp_color_management_surface_feedback_v1")
    VERSION = 1

    def __init__(self, new_id: NewId, surface: WlSurface) -> None:
        super().__init__(new_id)
        self._surface = surface

    def get_preferred(self, new_id: NewId) -> None:
        """Describe it."""
        if not self._surface.alive:
            text = "the surface has been destroyed"
            raise ViolationError(self, ColorManagementSurfaceFeedbackError.INERT, text)
        WpImageDescriptionV1(new_id, DISPLAYED, told=True)

    def get_preferred_parametric(self, new_id: NewId) -> None:
        """Describe it; it is parametric in any case."""
        self.get_preferred(new_id)
