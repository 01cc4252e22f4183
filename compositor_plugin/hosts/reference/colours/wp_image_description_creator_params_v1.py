"""`wp_image_description_creator_params_v1`: a light, put together from what is known of it."""

from __future__ import annotations

from enum import IntEnum
from typing import NoReturn

from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.hosts.reference.colours.wp_image_description_v1 import (
    WpImageDescriptionV1,
)
from heapwire.compositor_plugin.hosts.reference.scene import PRIMARIES, TRANSFERS, Light
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError


class CreatorParamsError(IntEnum):
    """The errors of `wp_image_description_creator_params_v1`."""

    INCOMPLETE_SET = 0
    ALREADY_SET = 1
    UNSUPPORTED_FEATURE = 2
    INVALID_TF = 3
    INVALID_PRIMARIES_NAMED = 4
    INVALID_LUMINANCE = 5


class WpImageDescriptionCreatorParamsV1(Resource):
    """What is set of it so far."""

    INTERFACE = interface_table("wp_image_description_creator_params_v1")
    VERSION = 1

    def __init__(self, new_id: NewId) -> None:
        super().__init__(new_id)
        self._set: dict[str, int] = {}

    def create(self, new_id: NewId) -> None:
        """Describe what was set; this object is used up."""
        primaries, transfer = self._set.get("primaries"), self._set.get("transfer")
        if primaries is None or transfer is None:
            self._refuse(CreatorParamsError.INCOMPLETE_SET, "primaries and a transfer are needed")
        brightest = self._set.get("brightest", TRANSFERS[transfer])
        mean = self._set.get("mean", brightest)
        if not (0 < mean <= brightest <= TRANSFERS[transfer]):
            text = f"{mean} on average, {brightest} at most, and the transfer has none beyond"
            self._refuse(CreatorParamsError.INVALID_LUMINANCE, text + f" {TRANSFERS[transfer]}")
        WpImageDescriptionV1(new_id, Light(primaries, transfer), told=False)
        self.destroy_resource()

    def set_tf_named(self, transfer: int) -> None:
        """Say which transfer it has."""
        if transfer not in TRANSFERS:
            text = f"the transfer {transfer} is not on offer"
            self._refuse(CreatorParamsError.INVALID_TF, text)
        self._set_once("transfer", transfer)

    def set_primaries_named(self, primaries: int) -> None:
        """Say which primaries it has."""
        if primaries not in PRIMARIES:
            text = f"the primaries {primaries} are not on offer"
            self._refuse(CreatorParamsError.INVALID_PRIMARIES_NAMED, text)
        self._set_once("primaries", primaries)

    def set_max_cll(self, brightest: int) -> None:
        """Say how bright it becomes, which is clipped in any case."""
        self._set_once("brightest", brightest)

    def set_max_fall(self, mean: int) -> None:
        """Say how bright it becomes on average."""
        self._set_once("mean", mean)

    def set_tf_power(self, _exponent: int) -> None:
        """Names only."""
        self._unsupported("a transfer without a name")

    def set_primaries(self, *_places: int) -> None:
        """Names only."""
        self._unsupported("primaries without a name")

    def set_luminances(self, _least: int, _most: int, _reference: int) -> None:
        """Each transfer has its own."""
        self._unsupported("other luminances than those of the transfer")

    def set_mastering_display_primaries(self, *_places: int) -> None:
        """Nothing is made of them."""
        self._unsupported("the primaries of another display")

    def set_mastering_luminance(self, _least: int, _most: int) -> None:
        """Nothing is made of it."""
        self._unsupported("the luminance of another display")

    def _set_once(self, what: str, value: int) -> None:
        if what in self._set:
            self._refuse(CreatorParamsError.ALREADY_SET, f"{what} came before")
        self._set[what] = value

    def _unsupported(self, what: str) -> NoReturn:
        self._refuse(CreatorParamsError.UNSUPPORTED_FEATURE, f"{what}: that is not on offer")

    def _refuse(self, error: CreatorParamsError, text: str) -> NoReturn:
        raise ViolationError(self, error, text)
