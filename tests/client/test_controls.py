"""Pause, jumps, start, loop and keys, and what is told of each frame."""

from __future__ import annotations

import threading
from dataclasses import replace

import av
import numpy as np
import pytest
from patience import PATIENCE, until

from heapwire.client_lib import Player, PlayOptions
from heapwire.client_lib.player.decoding.decoder import Decoder
from heapwire.client_lib.player.keys import (
    KEY_ESC,
    KEY_F,
    KEY_LEFT,
    KEY_Q,
    KEY_RIGHT,
    KEY_SPACE,
    KEY_UP,
    key_handler,
)
from heapwire.client_lib.player.playback import Controls
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform
from heapwire.protocol.values import Extent

FAST = PlayOptions(paced=False, timeout=PATIENCE)
RATE, COUNT = 5, 40


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Pictures of one grey each, which is their number; a key picture every fifth."""
    path = tmp_path_factory.mktemp("clip") / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.gop_size = 5
        for number in range(COUNT):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane, code in zip(frame.planes, (16 + 5 * number, 128, 128), strict=True):
                plane.update(np.full(plane.buffer_size, code, np.uint8).tobytes())
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def number_of(picture) -> int:
    luma = np.frombuffer(picture.planes[0], np.uint8)[0]
    return round((int(luma) - 16) / 5)


def test_decoding_begins_at_the_very_picture(clip):
    with Decoder(clip) as decoder:
        assert [number_of(one.picture) for one in decoder] == list(range(COUNT))
        for wanted in (0, 7, 20, 3):
            assert decoder.seek(wanted / RATE)
            frames = [frame for frame, _ in zip(decoder, range(3), strict=False)]
            assert [number_of(one.picture) for one in frames] == [wanted, wanted + 1, wanted + 2]
            assert frames[0].position == pytest.approx(wanted / RATE, abs=0.01)


def test_times_go_on_where_decoding_jumps(clip):
    step = 1 / RATE
    with Decoder(clip) as decoder:
        times = [frame.time for frame, _ in zip(decoder, range(3), strict=False)]
        decoder.seek(4.0)
        times += [frame.time for frame, _ in zip(decoder, range(3), strict=False)]
        decoder.seek(0.0)
        times += [frame.time for frame, _ in zip(decoder, range(3), strict=False)]
    # One frame more was taken from each iteration than was looked at.
    steps = np.diff(times)
    assert np.allclose(np.round(steps / step), steps / step, atol=0.01)
    assert (steps > 0).all()
    assert steps.max() < 3 * step


class Stage:
    """A player on a compositor with a keyboard."""

    def __init__(self, path, **options):
        self.shown, self.fates = [], []
        self.platform = Platform.load("raspberry-pi-4")
        self.compositor = Compositor(
            self.platform, size=Extent(320, 200), keyboard=True, on_frame=self._frame
        )
        self.player = Player(
            path,
            display=self.compositor.connect(),
            platform=self.platform,
            options=replace(FAST, **options),
            on_fate=self.fates.append,
        )
        self.result = None

    def _frame(self, record, pixels):
        self.shown.append(round(int(pixels()[24, 32, 0]) * 219 / 255 / 5))

    def run(self):
        with self.compositor, self.compositor.running():
            self.result = self.player.play()
        return self.result

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        until(lambda: self.shown, "a picture")
        return self

    def __exit__(self, *_):
        self.player.stop()
        self.thread.join(PATIENCE)

    def press(self, key):
        self.compositor.press(key)


def test_it_begins_where_it_is_told(clip):
    stage = Stage(clip, start=6.0)
    stage.run()
    assert stage.shown == list(range(30, COUNT))


def test_it_begins_again_and_again(clip):
    stage = Stage(clip, start=7.0, loop=True, frames=12)
    stage.run()
    assert stage.shown == [35, 36, 37, 38, 39, 35, 36, 37, 38, 39, 35, 36]


def test_space_stands_still_and_arrows_jump(clip):
    with Stage(clip, paced=True, loop=True) as stage:
        stage.press(KEY_SPACE)
        until(lambda: stage.player._controls.paused, "the pause")
        stage.press(KEY_RIGHT)  # 10 seconds: past the end of 8, from where it begins again
        stage.press(KEY_LEFT)
        stage.press(KEY_SPACE)
        count = len(stage.shown)
        until(lambda: len(stage.shown) > count, "pictures after the pause")
    assert stage.result.stopped


@pytest.mark.parametrize("key", [KEY_Q, KEY_ESC])
def test_q_ends_it(clip, key):
    with Stage(clip, paced=True) as stage:
        stage.press(key)
        stage.thread.join(PATIENCE)
        assert not stage.thread.is_alive()
    assert stage.result.stopped


def test_f_fills_the_screen_and_gives_it_back(clip):
    with Stage(clip, paced=True, loop=True) as stage:
        stage.press(KEY_F)
        until(lambda: any(one.fate == "scanned out" for one in stage.fates), "the screen")
        stage.press(KEY_F)
        until(lambda: stage.fates[-1].fate == "composited", "a window")


def test_what_keys_mean():
    controls, told = Controls(), []
    pressed = key_handler(
        controls, stop=lambda: told.append("stop"), toggle_fullscreen=lambda: told.append("full")
    )
    for key in (KEY_SPACE, KEY_LEFT, KEY_UP, KEY_F, KEY_Q, 30):
        pressed(key)
    assert (controls.paused, controls.jump, told) == (True, 50.0, ["full", "stop"])


def test_each_frame_is_told_with_its_fate(clip):
    stage = Stage(clip, fullscreen=True, frames=6)
    stage.run()
    assert [one.number for one in stage.fates] == [1, 2, 3, 4, 5, 6]
    assert {one.fate for one in stage.fates} == {"scanned out"}
    assert {one.sources for one in stage.fates} == {("linux,cma",)}
    assert {one.copied for one in stage.fates} == {64 * 48 * 3 // 2}
    assert [one.position for one in stage.fates] == pytest.approx(
        [n / RATE for n in range(6)], abs=0.01
    )
    times = [one.time for one in stage.fates]
    assert times == sorted(times)
    window = Stage(clip, frames=3)
    window.run()
    assert {(one.fate, one.reason) for one in window.fates} == {("composited", "not_a_candidate")}
