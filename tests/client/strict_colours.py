"""A fake compositor that takes of colours what the protocols' text permits, and nothing else.

It announces what Weston 15 does: wp_color_representation_v1 (libweston/color-representation.c), and
with colour management wp_color_manager_v1 (libweston/color-lcms/color-lcms.c), which knows neither
BT.1886 nor HLG by name. Whatever the text forbids is an assertion that fails, by the name of the
error that a compositor raises.
"""

from __future__ import annotations

import fake_compositor
from playing_compositor import PlayingCompositor
from pywayland.protocol.color_management_v1 import (
    WpColorManagementSurfaceV1,
    WpColorManagerV1,
    WpImageDescriptionCreatorParamsV1,
    WpImageDescriptionV1,
)
from pywayland.protocol.color_representation_v1 import (
    WpColorRepresentationManagerV1,
    WpColorRepresentationSurfaceV1,
)

from heapwire.protocol.values import FORMATS

fake_compositor.TABLES.update(
    {
        one.name: fake_compositor._table(one)
        for one in (
            WpColorManagerV1,
            WpColorManagementSurfaceV1,
            WpImageDescriptionCreatorParamsV1,
            WpImageDescriptionV1,
            WpColorRepresentationManagerV1,
            WpColorRepresentationSurfaceV1,
        )
    }
)

IDENTITY, BT709, BT601, BT2020 = 1, 2, 4, 6
FULL, LIMITED = 1, 2
PARAMETRIC, SET_TF_POWER = 1, 3
GAMMA22, GAMMA28, EXT_LINEAR, PQ = 2, 3, 5, 11
MOST_EXPONENT = 100_000  # ten, in ten thousandths


class StrictColours(PlayingCompositor):
    """`told` is what was committed with each frame: coefficients and range, and the light."""

    globals = (
        *PlayingCompositor.globals,
        ("wp_color_representation_manager_v1", 1),
        ("wp_color_manager_v1", 1),
    )
    colours = (
        (IDENTITY, FULL),
        *((matrix, range_) for matrix in (BT601, BT709, BT2020) for range_ in (LIMITED, FULL)),
    )
    features = (0, PARAMETRIC, 2, SET_TF_POWER, 4, 5, 6)
    intents = (0, 3, 1, 4)
    transfers = (GAMMA22, GAMMA28, PQ, EXT_LINEAR)
    primaries = tuple(range(1, 11))

    def __init__(self) -> None:
        self.told: list[tuple[object, object]] = []
        self.colour: tuple[int, int] | None = None
        self.light: dict[str, int] | None = None
        self.of_surface: dict[str, int] = {}  # the object that a surface has, by its interface
        self.made: dict[int, dict[str, int]] = {}  # what creators were given
        self.ready: dict[int, dict[str, int]] = {}  # descriptions
        super().__init__()

    def on_wl_registry_bind(
        self, _id: int, _number: int, interface: str, version: int, new: int
    ) -> None:
        super().on_wl_registry_bind(_id, _number, interface, version, new)
        if interface == "wp_color_representation_manager_v1":
            self.event(new, "supported_alpha_mode", 0)
            for pair in self.colours:
                self.event(new, "supported_coefficients_and_ranges", *pair)
            self.event(new, "done")
        elif interface == "wp_color_manager_v1":
            for name, values in (
                ("supported_feature", self.features),
                ("supported_intent", self.intents),
                ("supported_primaries_named", self.primaries),
                ("supported_tf_named", self.transfers),
            ):
                for value in values:
                    self.event(new, name, value)
            self.event(new, "done")

    # wp_color_representation_v1

    def on_wp_color_representation_manager_v1_get_surface(
        self, _id: int, new: int, _surface: int
    ) -> None:
        self._one_for_a_surface("representation", new)

    def on_wp_color_representation_surface_v1_destroy(self, id_: int) -> None:
        assert self.of_surface.pop("representation") == id_
        self.colour = None

    def on_wp_color_representation_surface_v1_set_coefficients_and_range(
        self, _id: int, coefficients: int, range_: int
    ) -> None:
        self._surface_is_there()
        assert (coefficients, range_) in self.colours, "coefficients"
        self.colour = coefficients, range_

    # wp_color_management_v1

    def on_wp_color_manager_v1_get_surface(self, _id: int, new: int, _surface: int) -> None:
        self._one_for_a_surface("management", new)

    def on_wp_color_management_surface_v1_destroy(self, id_: int) -> None:
        assert self.of_surface.pop("management") == id_
        self.light = None

    def on_wp_color_manager_v1_create_parametric_creator(self, _id: int, new: int) -> None:
        assert PARAMETRIC in self.features, "unsupported_feature"
        self.made[new] = {}

    def on_wp_image_description_creator_params_v1_set_tf_named(self, id_: int, name: int) -> None:
        assert name in self.transfers, "invalid_tf"
        self._once(id_, "transfer", name)

    def on_wp_image_description_creator_params_v1_set_tf_power(self, id_: int, power: int) -> None:
        assert SET_TF_POWER in self.features, "unsupported_feature"
        assert 10_000 <= power <= MOST_EXPONENT, "invalid_tf"
        self._once(id_, "transfer", -power)

    def on_wp_image_description_creator_params_v1_set_primaries_named(
        self, id_: int, name: int
    ) -> None:
        assert name in self.primaries, "invalid_primaries_named"
        self._once(id_, "primaries", name)

    def on_wp_image_description_creator_params_v1_create(self, id_: int, new: int) -> None:
        made = self.made.pop(id_)
        assert set(made) == {"transfer", "primaries"}, "incomplete_set"
        self.delete(id_)
        self.event(new, "ready", 1 + len(self.ready))
        self.ready[new] = made

    def on_wp_image_description_v1_destroy(self, id_: int) -> None:
        del self.ready[id_]

    def on_wp_color_management_surface_v1_set_image_description(
        self, _id: int, description: int, intent: int
    ) -> None:
        self._surface_is_there()
        assert description in self.ready, "image_description"
        assert intent in self.intents, "render_intent"
        self.light = self.ready[description]

    # What both are committed with.

    def on_wl_surface_commit(self, id_: int) -> None:
        pending = self._pending.buffer
        if pending is not None:
            is_yuv = FORMATS[self._buffers[pending].fourcc].is_yuv
            assert self.colour is None or is_yuv == (self.colour[0] != IDENTITY), "pixel_format"
            light = self.light and (self.light["primaries"], self.light["transfer"])
            self.told.append((self.colour, light))
        super().on_wl_surface_commit(id_)

    def _one_for_a_surface(self, kind: str, new: int) -> None:
        assert kind not in self.of_surface, "surface_exists"
        self.of_surface[kind] = new

    def _surface_is_there(self) -> None:
        assert "wl_surface" in self.objects.values(), "inert"

    def _once(self, id_: int, name: str, value: int) -> None:
        assert name not in self.made[id_], "already_set"
        self.made[id_][name] = value


class WithoutBt601(StrictColours):
    """One that could be told of BT.601, but that has no such name."""

    colours = ((IDENTITY, FULL), (BT709, LIMITED))


class Plain(StrictColours):
    """Weston without colour management: it can be told of YCbCr alone."""

    globals = StrictColours.globals[:-1]
