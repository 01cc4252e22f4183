"""What a compositor is told of the light of a surface: `wp_color_manager_v1`.

Primaries and transfer are those of ITU-T H.273, as streams and decoders number them.
"""

from __future__ import annotations

from collections.abc import Mapping

from pywayland.protocol.color_management_v1 import WpColorManagerV1

from heapwire.client_lib.wayland import CData, Connection, listen
from heapwire.protocol.late_tuples import NamedTuple

# wp_color_manager_v1.primaries and .transfer_function; H.273 tables 2 and 3.
_PRIMARIES: Mapping[int, int] = {
    1: 1,  # BT.709: srgb
    4: 2,  # BT.470 M: pal_m
    5: 3,  # BT.470 B, G: pal
    6: 4,  # SMPTE 170M: ntsc
    7: 4,  # SMPTE 240M, which has the same
    8: 5,  # generic film
    9: 6,  # BT.2020
    11: 8,  # SMPTE RP 431: dci_p3
    12: 9,  # SMPTE EG 432: display_p3
}
_TRANSFERS: Mapping[int, int] = {
    1: 1,  # BT.709, as it is shown: bt1886
    4: 2,  # BT.470 M: gamma22
    5: 3,  # BT.470 B, G: gamma28
    7: 4,  # SMPTE 240M: st240
    16: 11,  # SMPTE ST 2084: st2084_pq
    18: 13,  # ARIB STD-B67: hlg
}
_PARAMETRIC, _SET_TF_POWER = 1, 3  # wp_color_manager_v1.feature
# BT.1886 of a display whose black is none (its annex 1), in ten thousandths: Weston 15 knows
# powers, and not that name.
_BT1886, _POWER = 1, 24_000
_PERCEPTUAL = 0  # wp_color_manager_v1.render_intent


class Light(NamedTuple):
    """Of which light RGB is, by the numbers of H.273: 9 and 16 are BT.2020 and PQ."""

    primaries: int
    transfer: int


class SurfaceLight:
    """The light of one surface, as far as the compositor can be told of it.

    `said` is what it was last asked to tell, None for the usual.
    """

    def __init__(self, connection: Connection, surface: CData, timeout: float) -> None:
        self._connection = connection
        self._surface = surface
        self._timeout = timeout
        self._offered: dict[str, set[int]] = {
            "supported_feature": set(),
            "supported_tf_named": set(),
            "supported_primaries_named": set(),
        }
        self.said: Light | None = None
        self._told = True
        self._manager: CData = None
        self._object: CData = None
        if WpColorManagerV1.name in connection.globals():
            self._manager, _ = connection.bind(WpColorManagerV1, maximum=1)
            handlers = {name: known.add for name, known in self._offered.items()}
            listen(self._manager, connection.handler_failed, handlers)

    def tell(self, light: Light | None) -> bool:
        """Say of which light the next commits are, None for the usual; whether that could be said.

        Waits for the compositor to know it where it is another than before. Raises
        `NoAnswerError` if that takes longer than the timeout, and what a dispatch raises.
        """
        if light != self.said:
            description = None if light is None else self._description(light)
            self.said, self._told = light, light is None or description is not None
            if description is None:
                self._forget()
            else:
                if self._object is None:
                    self._object = self._manager.get_surface(self._surface)
                self._object.set_image_description(description, _PERCEPTUAL)
                description.destroy()
        return self._told

    def close(self) -> None:
        """Destroy its objects; the surface comes after."""
        self._forget()
        if self._manager is not None:
            self._manager.destroy()
            self._manager = None

    def _description(self, light: Light) -> CData:
        """The compositor's description of a light; None where it has none."""
        primaries, transfer = _PRIMARIES.get(light.primaries), _TRANSFERS.get(light.transfer)
        features = self._offered["supported_feature"]
        is_named = transfer in self._offered["supported_tf_named"]
        is_power = not is_named and transfer == _BT1886 and _SET_TF_POWER in features
        if (
            self._manager is None
            or _PARAMETRIC not in features
            or primaries not in self._offered["supported_primaries_named"]
            or not (is_named or is_power)
        ):
            return None
        creator: CData = self._manager.create_parametric_creator()
        creator.set_primaries_named(primaries)
        if is_named:
            creator.set_tf_named(transfer)
        else:
            creator.set_tf_power(_POWER)
        description: CData = creator.create()
        creator._destroy()  # the request was its destructor, which pywayland does not know
        answers: list[bool] = []
        listen(
            description,
            self._connection.handler_failed,
            {
                "ready": lambda _identity: answers.append(True),
                "failed": lambda _cause, _message: answers.append(False),
            },
        )
        self._connection.wait(
            lambda: bool(answers), timeout=self._timeout, what="answer to an image description"
        )
        if answers[0]:
            return description
        description.destroy()
        return None

    def _forget(self) -> None:
        if self._object is not None:
            self._object.destroy()
            self._object = None
