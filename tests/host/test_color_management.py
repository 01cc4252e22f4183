"""`wp_color_manager_v1`: of which light a surface's RGB is, and what may not be said of it."""

from __future__ import annotations

import numpy as np
import pytest

from heapwire.compositor_plugin.hosts.reference.colours.wp_color_management_surface_v1 import (
    ColorManagementSurfaceError,
)
from heapwire.compositor_plugin.hosts.reference.colours.wp_color_manager_v1 import (
    ColorManagerError,
)
from heapwire.compositor_plugin.hosts.reference.colours.wp_image_description_creator_params_v1 import (  # noqa: E501
    CreatorParamsError as Error,
)
from heapwire.compositor_plugin.hosts.reference.colours.wp_image_description_sources import (
    ColorManagementSurfaceFeedbackError,
)
from heapwire.compositor_plugin.hosts.reference.colours.wp_image_description_v1 import (
    ImageDescriptionError,
)

MANAGER, SURFACE = "wp_color_manager_v1", "wp_color_management_surface_v1"
CREATOR = "wp_image_description_creator_params_v1"
DESCRIPTION, INFO = "wp_image_description_v1", "wp_image_description_info_v1"
SRGB, PAL, NTSC, BT2020 = 1, 3, 4, 6
BT1886, GAMMA22, SRGB_CURVE, PQ, HLG = 1, 2, 9, 11, 13
PERCEPTUAL = 0
SIZE = 16


@pytest.fixture
def window(client):
    return client.window()


@pytest.fixture
def light(client, window):
    return client.make(client.the(MANAGER), "get_surface", SURFACE, window.surface)


def creator(client, *settings):
    made = client.make(client.the(MANAGER), "create_parametric_creator", CREATOR)
    for name, *values in settings:
        client.request(made, name, *values)
    return made


def description(client, primaries, transfer):
    made = creator(client, ("set_primaries_named", primaries), ("set_tf_named", transfer))
    return client.make(made, "create", DESCRIPTION)


def shown(stage, client, window, rgb):
    client.shm(window.surface, SIZE, SIZE, rgb)
    client.settle(window.surface)
    return stage.pixel(SIZE // 2, SIZE // 2)


def test_what_is_on_offer_is_said_at_once(client):
    assert client.take(client.the(MANAGER)) == [
        ("supported_intent", PERCEPTUAL),
        ("supported_feature", 1),
        *(("supported_tf_named", one) for one in (BT1886, GAMMA22, SRGB_CURVE, PQ, HLG)),
        *(("supported_primaries_named", one) for one in (SRGB, PAL, NTSC, BT2020)),
        ("done",),
    ]


def test_a_description_is_ready_at_once_and_the_same_for_the_same(client):
    first, second = description(client, BT2020, PQ), description(client, BT2020, PQ)
    other = description(client, BT2020, HLG)
    [(name, number)] = client.take(first)
    assert name == "ready"
    assert number != 0
    assert client.take(second) == [("ready", number)]
    assert client.take(other) != [("ready", number)]


# BT.2100: a code of 0.5807 in PQ is 203 cd/m2, and 0.75 in HLG; 0.3 and 0.2 are below it.
@pytest.mark.parametrize(
    ("primaries", "transfer", "rgb", "wanted"),
    [
        (SRGB, BT1886, (40, 90, 200), (40, 90, 200)),
        (SRGB, GAMMA22, (40, 90, 200), (40, 90, 200)),
        (BT2020, SRGB_CURVE, (100, 100, 100), (100, 100, 100)),
        (BT2020, BT1886, (0, 255, 0), (0, 255, 0)),  # outside of what is shown: clipped
        (PAL, BT1886, (0, 255, 0), (0, 255, 34)),  # 0.0118 of the light of blue
        (BT2020, PQ, (148, 148, 148), (255, 255, 255)),
        (BT2020, PQ, (255, 255, 255), (255, 255, 255)),
        (BT2020, PQ, (0, 0, 0), (0, 0, 0)),
        (BT2020, HLG, (191, 191, 191), (255, 255, 255)),
        (BT2020, HLG, (0, 0, 0), (0, 0, 0)),
    ],
)
def test_what_is_described_is_shown_in_the_light_of_the_display(
    stage, client, window, light, primaries, transfer, rgb, wanted
):
    made = description(client, primaries, transfer)
    client.request(light, "set_image_description", made, PERCEPTUAL)
    client.request(made, "destroy")
    found = shown(stage, client, window, rgb)
    assert all(abs(one - other) <= 2 for one, other in zip(found, wanted, strict=True)), found


def test_other_primaries_make_other_colours_and_the_same_greys(stage, client, window, light):
    """A red of BT.2020 that sRGB can show is stronger there: less of the others."""
    client.request(light, "set_image_description", description(client, BT2020, BT1886), PERCEPTUAL)
    red, green, blue = shown(stage, client, window, (180, 120, 120))
    assert red > 180
    assert green < 120
    assert blue < 120


def test_the_light_comes_and_goes_with_a_commit(stage, client, window, light):
    plain = shown(stage, client, window, (120, 120, 120))
    client.request(light, "set_image_description", description(client, BT2020, PQ), PERCEPTUAL)
    assert stage.pixel(SIZE // 2, SIZE // 2) == plain, "not before it is committed"
    bright = shown(stage, client, window, (120, 120, 120))
    assert bright != plain
    client.request(light, "unset_image_description")
    assert shown(stage, client, window, (120, 120, 120)) == plain
    client.request(light, "set_image_description", description(client, BT2020, PQ), PERCEPTUAL)
    assert shown(stage, client, window, (120, 120, 120)) == bright
    client.request(light, "destroy")
    assert shown(stage, client, window, (120, 120, 120)) == plain


def test_the_light_of_the_display_can_be_asked_for(client, window):
    output = client.make(
        client.the(MANAGER),
        "get_output",
        "wp_color_management_output_v1",
        client.the("wl_output"),
    )
    feedback = client.make(
        client.the(MANAGER),
        "get_surface_feedback",
        "wp_color_management_surface_feedback_v1",
        window.surface,
    )
    told = []
    for source, request in (
        (output, "get_image_description"),
        (feedback, "get_preferred"),
        (feedback, "get_preferred_parametric"),
    ):
        made = client.make(source, request, DESCRIPTION)
        assert client.take(made)[0][0] == "ready"
        told.append(client.take(client.make(made, "get_information", INFO)))
    assert told[0] == told[1] == told[2]
    names = [event[0] for event in told[0]]
    assert names[-1] == "done"
    assert {"primaries", "primaries_named", "tf_named", "luminances"} <= set(names)
    assert ("primaries_named", SRGB) in told[0]
    assert client.error is None


COMPLETE = (("set_primaries_named", BT2020), ("set_tf_named", PQ))


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ([], Error.INCOMPLETE_SET),
        (COMPLETE[:1], Error.INCOMPLETE_SET),
        (COMPLETE[1:], Error.INCOMPLETE_SET),
        ([*COMPLETE, ("set_tf_named", HLG)], Error.ALREADY_SET),
        ([*COMPLETE, ("set_primaries_named", BT2020)], Error.ALREADY_SET),
        ([("set_max_cll", 9), ("set_max_cll", 9)], Error.ALREADY_SET),
        ([("set_tf_named", 4)], Error.INVALID_TF),
        ([("set_tf_named", 0)], Error.INVALID_TF),
        ([("set_primaries_named", 10)], Error.INVALID_PRIMARIES_NAMED),
        ([("set_tf_power", 22000)], Error.UNSUPPORTED_FEATURE),
        ([("set_primaries", *[300_000] * 8)], Error.UNSUPPORTED_FEATURE),
        ([("set_luminances", 1, 100, 80)], Error.UNSUPPORTED_FEATURE),
        ([("set_mastering_display_primaries", *[1] * 8)], Error.UNSUPPORTED_FEATURE),
        ([("set_mastering_luminance", 1, 100)], Error.UNSUPPORTED_FEATURE),
        ([*COMPLETE, ("set_max_cll", 400), ("set_max_fall", 401)], Error.INVALID_LUMINANCE),
        ([*COMPLETE, ("set_max_cll", 10_001)], Error.INVALID_LUMINANCE),
        ([*COMPLETE, ("set_max_fall", 0)], Error.INVALID_LUMINANCE),
        ([*COMPLETE, ("set_max_cll", 400), ("set_max_fall", 400)], None),
    ],
)
def test_what_a_creator_does_not_take(client, settings, error):
    made = creator(client, *settings)
    if client.error is None:
        client.make(made, "create", DESCRIPTION)
    client.sync()
    assert client.error is None if error is None else client.ended_by() == (made, error)


@pytest.mark.parametrize(
    ("request_", "interface"),
    [
        ("create_icc_creator", "wp_image_description_creator_icc_v1"),
        ("create_windows_scrgb", DESCRIPTION),
    ],
)
def test_a_feature_that_is_not_on_offer(client, request_, interface):
    client.make(client.the(MANAGER), request_, interface)
    client.sync()
    assert client.ended_by() == (client.the(MANAGER), ColorManagerError.UNSUPPORTED_FEATURE)


def test_a_surface_has_one_object_at_a_time(client, window, light):
    client.request(light, "destroy")
    client.make(client.the(MANAGER), "get_surface", SURFACE, window.surface)
    client.sync()
    assert client.error is None
    client.make(client.the(MANAGER), "get_surface", SURFACE, window.surface)
    client.sync()
    assert client.ended_by() == (client.the(MANAGER), ColorManagerError.SURFACE_EXISTS)


def test_another_intent_is_an_error(client, light):
    client.request(light, "set_image_description", description(client, SRGB, BT1886), 1)
    client.sync()
    assert client.ended_by() == (light, ColorManagementSurfaceError.RENDER_INTENT)


def test_what_a_client_describes_itself_it_is_not_told(client):
    made = description(client, SRGB, BT1886)
    client.make(made, "get_information", INFO)
    client.sync()
    assert client.ended_by() == (made, ImageDescriptionError.NO_INFORMATION)


@pytest.mark.parametrize("request_", ["set_image_description", "unset_image_description", None])
def test_without_its_surface_it_can_only_be_destroyed(client, request_):
    surface = client.surface()
    made = client.make(client.the(MANAGER), "get_surface", SURFACE, surface)
    arguments = (description(client, SRGB, BT1886), 0) if request_ and request_[0] == "s" else ()
    client.request(surface, "destroy")
    client.request(made, request_ or "destroy", *arguments)
    client.sync()
    if request_ is None:
        assert client.error is None
    else:
        assert client.ended_by() == (made, ColorManagementSurfaceError.INERT)


def test_what_is_best_for_a_surface_that_is_gone_cannot_be_asked(client):
    surface = client.surface()
    interface = "wp_color_management_surface_feedback_v1"
    made = client.make(client.the(MANAGER), "get_surface_feedback", interface, surface)
    client.request(surface, "destroy")
    client.make(made, "get_preferred", DESCRIPTION)
    client.sync()
    assert client.ended_by() == (made, ColorManagementSurfaceFeedbackError.INERT)


def test_no_plane_shows_light_that_is_not_the_display_s(stage, client):
    full = client.window(fullscreen=True)
    output = stage.compositor._desktop.outputs[0].mode.extent
    light = client.make(client.the(MANAGER), "get_surface", SURFACE, full.surface)
    for primaries, transfer, scanned_out in (
        (SRGB, BT1886, True),
        (BT2020, PQ, False),
        (SRGB, GAMMA22, True),
    ):
        made = description(client, primaries, transfer)
        client.request(light, "set_image_description", made, PERCEPTUAL)
        client.show(full.surface, client.dmabuf(output.width, output.height))
        client.settle(full.surface)
        assert stage.frames[-1].scanned_out is scanned_out
        [state] = map(stage.compositor._desktop.surface_state, stage.compositor._desktop.surfaces)
        assert state.candidate is scanned_out, "what is planned for it says so, too"
    assert not np.array_equal(stage.images[1], stage.images[0])
