"""`wp_image_description_v1`: a light, described; ready as soon as it is made."""

from __future__ import annotations

from enum import IntEnum

from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.hosts.reference.scene import PRIMARIES, Light
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError

_WHITE = (312_700, 329_000)  # D65, times a million
_MIN, _MAX, _REFERENCE = 2000, 80, 80  # cd/m2, of sRGB; the least is times 10,000
_NO_OUTPUT = 3  # wp_image_description_v1.cause


class ImageDescriptionError(IntEnum):
    """The errors of `wp_image_description_v1`."""

    NOT_READY = 0
    NO_INFORMATION = 1


class WpImageDescriptionV1(Resource):
    """What is described, in `light`; None where there was nothing to describe, which fails.

    `told` says whether the client may ask what it is.
    """

    INTERFACE = interface_table("wp_image_description_v1")
    VERSION = 1

    def __init__(self, new_id: NewId, light: Light | None, *, told: bool) -> None:
        super().__init__(new_id)
        self.light = light
        self._told = told
        if light is None:
            self.send("failed", _NO_OUTPUT, "it is gone")
        else:
            # Two of the same light are the same record, and 0 is no number.
            self.send("ready", light.primaries << 16 | light.transfer)

    def get_information(self, new_id: NewId) -> None:
        """Say what is described."""
        if self.light is None:
            text = "it has failed"
            raise ViolationError(self, ImageDescriptionError.NOT_READY, text)
        if not self._told:
            text = "the client has described it itself"
            raise ViolationError(self, ImageDescriptionError.NO_INFORMATION, text)
        WpImageDescriptionInfoV1(new_id, self.light)


class WpImageDescriptionInfoV1(Resource):
    """Everything at once, and then it is gone."""

    INTERFACE = interface_table("wp_image_description_info_v1")
    VERSION = 1

    def __init__(self, new_id: NewId, light: Light) -> None:
        super().__init__(new_id)
        places = [
            round(value * 1_000_000) for place in PRIMARIES[light.primaries] for value in place
        ]
        self.send("primaries", *places, *_WHITE)
        self.send("primaries_named", light.primaries)
        self.send("tf_named", light.transfer)
        self.send("luminances", _MIN, _MAX, _REFERENCE)
        self.send("target_primaries", *places, *_WHITE)
        self.send("target_luminance", _MIN, _MAX)
        self.send("done")
        self.destroy_resource()
