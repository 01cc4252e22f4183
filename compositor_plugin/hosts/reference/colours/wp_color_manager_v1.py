"""`wp_color_manager_v1`: surfaces may say of which light their RGB is, by name."""

from __future__ import annotations

from enum import IntEnum

from heapwire.compositor_plugin.hosts.reference import WlOutput, WlSurface, interface_table
from heapwire.compositor_plugin.hosts.reference.colours.wp_color_management_surface_v1 import (
    PERCEPTUAL,
    WpColorManagementSurfaceV1,
)
from heapwire.compositor_plugin.hosts.reference.colours.wp_image_description_creator_params_v1 import (  # noqa: E501
    WpImageDescriptionCreatorParamsV1,
)
from heapwire.compositor_plugin.hosts.reference.colours.wp_image_description_sources import (
    WpColorManagementOutputV1,
    WpColorManagementSurfaceFeedbackV1,
)
from heapwire.compositor_plugin.hosts.reference.scene import PRIMARIES, TRANSFERS
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError

_PARAMETRIC = 1  # feature


class ColorManagerError(IntEnum):
    """The errors of `wp_color_manager_v1`."""

    UNSUPPORTED_FEATURE = 0
    SURFACE_EXISTS = 1


class WpColorManagerV1(Resource):
    """The bound global."""

    INTERFACE = interface_table("wp_color_manager_v1")
    VERSION = 1

    def __init__(self, new_id: NewId) -> None:
        super().__init__(new_id)
        self.send("supported_intent", PERCEPTUAL)
        self.send("supported_feature", _PARAMETRIC)
        for transfer in TRANSFERS:
            self.send("supported_tf_named", transfer)
        for primaries in PRIMARIES:
            self.send("supported_primaries_named", primaries)
        self.send("done")

    def get_output(self, new_id: NewId, output: WlOutput) -> None:
        """Tell of the light of an output."""
        WpColorManagementOutputV1(new_id, output.output)

    def get_surface(self, new_id: NewId, surface: WlSurface) -> None:
        """Let a surface say of which light it is; it can have one object for that."""
        if surface.light is not None:
            text = "the surface has an object for its light already"
            raise ViolationError(self, ColorManagerError.SURFACE_EXISTS, text)
        WpColorManagementSurfaceV1(new_id, surface)

    def get_surface_feedback(self, new_id: NewId, surface: WlSurface) -> None:
        """Tell which light a surface had best be of."""
        WpColorManagementSurfaceFeedbackV1(new_id, surface)

    def create_icc_creator(self, _new_id: NewId) -> None:
        """There are no profiles here."""
        self._unsupported("profiles of the ICC")

    def create_parametric_creator(self, new_id: NewId) -> None:
        """Describe a light by its names."""
        WpImageDescriptionCreatorParamsV1(new_id)

    def create_windows_scrgb(self, _new_id: NewId) -> None:
        """There is nothing here of more than 16 bits, or below black."""
        self._unsupported("scRGB")

    def _unsupported(self, what: str) -> None:
        text = f"{what} are not on offer"
        raise ViolationError(self, ColorManagerError.UNSUPPORTED_FEATURE, text)
