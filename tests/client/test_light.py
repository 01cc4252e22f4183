"""Primaries and transfer: what a stream names, the compositor is told, and shows."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from fake_compositor import FakeCompositor
from patience import PATIENCE
from playing_compositor import PlayingCompositor
from test_colours import coloured, shown_by
from test_player import FAST, platform as platform, play

from heapwire.client_lib import Connection, NoAnswerError, Window
from heapwire.client_lib.buffers import Light
from heapwire.client_lib.player.pictures import picture_light
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.colours import (
    wp_image_description_creator_params_v1 as creator_params,
)
from heapwire.compositor_plugin.hosts.reference.colours.wp_color_manager_v1 import (
    WpColorManagerV1,
)
from heapwire.kernel.description import Platform
from heapwire.protocol.values import parse_fourcc

BT709, PAL, BT2020, P3 = 1, 5, 9, 12  # H.273, primaries
USUAL, PQ, HLG = 1, 16, 18  # and transfers
# The protocol's numbers.
SRGB_HERE, PAL_HERE, BT2020_HERE, BT1886_HERE, PQ_HERE, HLG_HERE = 1, 3, 6, 1, 11, 13
GREY = (152, 152, 152)  # in PQ, a little more than 203 cd/m2: white
BOARD = "raspberry-pi-4"


def clip(tmp_path, primaries, transfer, *, rgb=GREY, matrix="bt2020"):
    named = {"color_primaries": primaries, "color_trc": transfer}
    return coloured(tmp_path / "a.mkv", matrix, False, 10, rgb=rgb, **named)


@pytest.mark.parametrize(
    ("primaries", "transfer", "light"),
    [
        (2, 2, None),
        (BT709, 2, None),
        (2, 13, None),
        (BT709, 14, None),
        (2, PQ, (BT2020, PQ)),
        (2, HLG, (BT2020, HLG)),
        (BT709, PQ, (BT709, PQ)),
        (BT2020, 14, (BT2020, USUAL)),
        (BT2020, 2, (BT2020, USUAL)),
        (PAL, 6, (PAL, USUAL)),
        (P3, 16, (P3, PQ)),
    ],
)
def test_what_a_stream_names_is_its_light(primaries, transfer, light):
    picture = SimpleNamespace(color_primaries=primaries, color_trc=transfer)
    assert picture_light(picture) == light


@pytest.mark.parametrize("code", [None, "XRGB8888"])
def test_a_bright_picture_is_shown_in_the_light_of_the_display(no_fd_leak, tmp_path, code):
    """As YCbCr, and made into RGB, which is of the same light."""
    formats = {} if code is None else {"formats": (parse_fourcc(code),)}
    path = clip(tmp_path, BT2020, PQ)
    fates, images, shot, result = shown_by(
        Platform.load(BOARD), path, fullscreen=True, decoder="cpu", **formats
    )
    assert (images[0] >= 253).all(), images[0][9, 9]
    assert (shot >= 253).all()
    assert result.faults == ()
    assert fates == {False}, "no plane makes that of it"
    assert set(result.reasons) == {"transform"}


@pytest.mark.parametrize("extension", [True, False], ids=["its plans", "the player's"])
@pytest.mark.parametrize(("primaries", "transfer"), [(BT2020, HLG), (PAL, USUAL), (BT709, USUAL)])
def test_the_first_plan_follows_the_light(no_fd_leak, tmp_path, primaries, transfer, extension):
    """Nothing is promised that the first picture takes back, whoever makes the plans."""
    planned = []

    def note(progress):
        planned.append(progress.plan.scanout)

    usual = (primaries, transfer) == (BT709, USUAL)
    fates, _, _, result = shown_by(
        Platform.load("intel-alder-lake-p"),
        clip(tmp_path, primaries, transfer, matrix="bt709"),
        {"extension": extension},
        on_progress=note,
        fullscreen=True,
        decoder="cpu",
    )
    assert fates == {usual}
    assert set(planned) == {usual}
    assert result.negotiations == 1


@pytest.mark.parametrize(("primaries", "transfer"), [(BT709, USUAL), (2, 2)])
def test_a_usual_picture_is_scanned_out_as_before(tmp_path, primaries, transfer):
    path = clip(tmp_path, primaries, transfer, matrix="bt709")
    fates, images, _, result = shown_by(
        Platform.load("intel-alder-lake-p"), path, fullscreen=True, decoder="cpu"
    )
    assert fates == {True}
    assert (np.abs(images[0].astype(int) - GREY) <= 2).all()
    assert result.faults == ()


@pytest.mark.parametrize("fake", [PlayingCompositor], indirect=True)
@pytest.mark.parametrize(
    ("primaries", "transfer", "word"),
    [(BT709, USUAL, None), (BT2020, PQ, "PQ"), (2, HLG, "HLG"), (BT2020, USUAL, "primaries 9")],
)
def test_a_compositor_that_cannot_be_told_is_noted(
    fake: FakeCompositor, tmp_path, platform, primaries, transfer, word
):
    path = clip(tmp_path, primaries, transfer, matrix="bt601")
    result = play(fake, path, platform, FAST)
    assert len(result.faults) == (word is not None)
    assert all(word in note for note in result.faults)


class Stage:
    """A window on the reference compositor, and what is said of its surface."""

    def __init__(self, compositor, connection, window):
        self.compositor, self.connection, self.window = compositor, connection, window

    def told(self, light):
        """What `describe` gives, and what the compositor has heard."""
        answer = self.window.describe(light)
        self.connection.roundtrip(timeout=PATIENCE)
        surfaces = self.compositor._desktop.surfaces
        heard = self.compositor.call(
            lambda: [one.pending.presenting.light for one in surfaces.values()]
        )
        return answer, *heard


@pytest.fixture
def stage(no_fd_leak):
    compositor = Compositor(Platform.load(BOARD))
    with (
        compositor,
        compositor.running(),
        Connection(compositor.connect()) as connection,
        Window(connection, title="w", timeout=PATIENCE) as window,
    ):
        yield Stage(compositor, connection, window)


def test_each_light_is_told_once_and_taken_back(stage):
    assert stage.told(None) == (True, None)
    assert stage.told(Light(BT2020, PQ)) == (True, (BT2020_HERE, PQ_HERE))
    assert stage.told(Light(BT2020, PQ)) == (True, (BT2020_HERE, PQ_HERE))
    assert stage.told(Light(PAL, USUAL)) == (True, (PAL_HERE, BT1886_HERE))
    assert stage.told(Light(BT709, HLG)) == (True, (SRGB_HERE, HLG_HERE))
    assert stage.told(None) == (True, None)


def test_a_name_that_is_not_on_offer_is_not_said(stage):
    assert stage.told(Light(BT2020, PQ))[0]
    assert stage.told(Light(P3, USUAL)) == (False, None)
    assert stage.told(Light(P3, USUAL)) == (False, None), "asked again it is no other"
    assert stage.told(Light(BT2020, 77)) == (False, None)


def test_a_compositor_without_names_is_told_nothing(monkeypatch, stage):
    monkeypatch.setattr(
        stage.window._light,
        "_offered",
        {
            name: set()
            for name in ("supported_feature", "supported_tf_named", "supported_primaries_named")
        },
    )
    assert stage.told(Light(BT2020, PQ)) == (False, None)


def test_a_description_that_fails_is_not_used(stage, monkeypatch):
    made = creator_params.WpImageDescriptionV1
    monkeypatch.setattr(
        creator_params,
        "WpImageDescriptionV1",
        lambda new_id, _light, told: made(new_id, None, told=told),
    )
    assert stage.told(Light(BT2020, PQ)) == (False, None)
    assert stage.told(None) == (True, None)


def test_one_that_was_not_answered_is_asked_again(stage, monkeypatch):
    with monkeypatch.context() as impatient:
        impatient.setattr(stage.window._light, "_timeout", 0.0)
        for _ in range(2):
            with pytest.raises(NoAnswerError, match="image description"):
                stage.window.describe(Light(BT2020, PQ))
    assert stage.told(Light(BT2020, PQ)) == (True, (BT2020_HERE, PQ_HERE))


def test_only_what_changes_is_asked(stage, monkeypatch):
    asked = []
    real = WpColorManagerV1.create_parametric_creator
    monkeypatch.setattr(
        WpColorManagerV1,
        "create_parametric_creator",
        lambda self, new_id: (asked.append(1), real(self, new_id))[1],
    )
    for light in [Light(BT2020, PQ)] * 3 + [Light(BT2020, HLG)] * 3 + [None] * 3:
        stage.told(light)
    assert len(asked) == 2
