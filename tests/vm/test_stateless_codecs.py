"""Decoders of GStreamer's for drivers that parse nothing: what they were told, and what is shown.

The driver is visl, which decodes nothing and paints what it was told. That is compared with what
FFmpeg reads in the same stream, whose filter `trace_headers` says each field of each header.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from coded_clip import coded_clip, coded_headers
from patience import PACE

GUEST = Path(__file__).parent / "guest" / "stateless_codecs.py"
SIZE, PICTURES = (320, 240), 12
LEVELS = 2  # of 255
SECONDS = round(1500 * PACE)
# By codec: FFmpeg's encoder and its options. Entry points in the slices of HEVC make GStreamer 1.22
# crash (v4l2codecs, in the mode in which it is told slices, which is visl's), so there are none.
ENCODERS = {
    "h264": ("libx264", {"bf": "2", "preset": "fast"}),
    "hevc": ("libx265", {"preset": "fast", "x265-params": "log-level=none:wpp=0"}),
    "vp8": ("libvpx", {"auto-alt-ref": "0"}),
    "vp9": ("libvpx-vp9", {"auto-alt-ref": "0"}),
    "mpeg2": ("mpeg2video", {}),
}
# What V4L2 calls them where the driver parses nothing (videodev2.h).
CODED = {"h264": "S264", "hevc": "S265", "vp8": "VP8F", "vp9": "VP9F", "mpeg2": "MG2S"}

pytestmark = [
    pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config", "seatd", "udevadm"),
    pytest.mark.system("wayland-scanner", "wayland-protocols.pc", "wayland-client.pc"),
    pytest.mark.system("gstreamer-video-1.0.pc", "gstreamer-allocators-1.0.pc"),
    pytest.mark.system("gst-inspect-1.0", "v4l2src.gst", "h264parse.gst"),
    pytest.mark.timeout(SECONDS + 100),
]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    return {
        codec: coded_clip(folder / f"{codec}.mkv", *how, size=SIZE, pictures=PICTURES)
        for codec, how in ENCODERS.items()
    }


@pytest.fixture(scope="module")
def seen(run_guest, visl_tells, weston_module, gstreamer_folder, clips):
    """All that the guest saw, in one boot."""
    command = [sys.executable, GUEST, gstreamer_folder, weston_module, *clips.values()]
    options = ["--udev", f"--timeout={SECONDS}", *(f"--append={one}" for one in visl_tells)]
    done = run_guest([*map(str, command)], *options, env={**os.environ})
    if done.returncode:
        pytest.fail(f"the guest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("codec", ENCODERS)
def test_each_picture_comes_out(seen, codec):
    told = seen[codec]
    assert told["pictures"] == len(told["told"]) == PICTURES
    assert {tuple(one["coded"]) for one in told["told"]} == {(CODED[codec], "320x240")}


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_the_driver_is_told_the_order_in_which_pictures_are_shown(seen, clips, codec):
    name = {"h264": "pic_order_cnt_lsb", "hevc": "slice_pic_order_cnt_lsb"}[codec]
    # A picture that everything begins with has none in HEVC: it is 0.
    orders = [one.get(name, 0) for one in coded_headers(clips[codec])]
    assert [one["order"] for one in seen[codec]["told"]] == orders
    assert orders != sorted(orders), "some are decoded before others that are shown first"


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_what_a_picture_refers_to_came_before_it(seen, codec):
    frames = seen[codec]["told"]
    assert not any(frames[0]["dpb"])
    stamps = [one["stamp"] for one in frames]
    for number, frame in enumerate(frames):
        # The first stamp is 0, and so is what stands for none.
        assert set(frame["dpb"]) - {0} <= set(stamps[:number])
    assert any(frames[-1]["dpb"])


@pytest.mark.parametrize("parser", ["gstreamer", "heapwire"])
def test_the_driver_of_vp8_is_told_which_picture_each_reference_is(seen, clips, parser):
    """Golden and the alternate one stay what they were, unless a frame replaces them."""
    told = seen["vp8"]["told"] if parser == "gstreamer" else seen["vp8"]["player"]["told"]
    last = golden = alternate = 0
    for fields, frame in zip(coded_headers(clips["vp8"]), told, strict=True):
        named = {"last_ref_ts": last, "golden_ref_ts": golden, "alt_ref_ts": alternate}
        if fields["frame_type"] == 0:
            last = golden = alternate = frame["stamp"]
            continue
        assert frame["references"] == named
        from_golden = (0, last, alternate)[fields.get("copy_buffer_to_golden", 0)]
        from_alternate = (0, last, golden)[fields.get("copy_buffer_to_alternate", 0)]
        golden, alternate = from_golden or golden, from_alternate or alternate
        if fields["refresh_golden_frame"]:
            golden = frame["stamp"]
        if fields["refresh_alternate_frame"]:
            alternate = frame["stamp"]
        if fields["refresh_last_frame"]:
            last = frame["stamp"]


def test_the_player_has_it_decode_into_negotiated_buffers(seen):
    told = seen["vp8"]["player"]
    assert (told["shown"], told["screens"]) == (PICTURES, PICTURES)
    assert (told["copied"], told["damaged"], told["faults"]) == (0, 0, [])
    assert {tuple(one["coded"]) for one in told["told"]} == {("VP8F", "320x240")}
    # Stamps count from 1, in microseconds.
    assert [one["stamp"] for one in told["told"]] == [1000 * n for n in range(1, PICTURES + 1)]


@pytest.mark.parametrize("codec", ENCODERS)
@pytest.mark.parametrize("compositor", ["reference", "weston"])
def test_what_is_decoded_is_shown_as_it_is(seen, codec, compositor):
    told = seen[codec][compositor]
    assert told["ended"] == "eos\n", told
    stats = told["stats"]
    assert (stats["copies"], stats["copied-bytes"]) == (0, 0)
    # All were, though the last may be waiting for the one before when this is asked.
    assert stats["imported"] == PICTURES
    assert stats["shown"] > 0


@pytest.mark.parametrize("codec", ENCODERS)
def test_the_screen_has_the_pictures_that_were_decoded(seen, codec):
    numbers = [number for number, _ in seen[codec]["reference"]["seen"]]
    assert numbers == sorted(numbers)
    assert numbers[-1] == PICTURES - 1
    assert max(unlike for _, unlike in seen[codec]["reference"]["seen"]) <= LEVELS
