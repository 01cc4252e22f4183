"""Cameras: one of USB, emulated by guest/camera.py and driven by uvcvideo; and the kernel's vivid.

`heapwire camera` and its player show them on the reference compositor and on Weston.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from patience import PACE

SYSTEM = "/devices/virtual/dma_heap/system"
COST = Path(__file__).parent / "guest" / "camera_cost.py"
PLAY = Path(__file__).parent / "guest" / "camera_play.py"
SECONDS = round(1800 * PACE)
# vivid's test pattern, which begins with bars of three quarters of the light
# (drivers/media/common/v4l2-tpg/v4l2-tpg-core.c, TPG_PAT_75_COLORBAR).
BARS = [[191 * (code >> part & 1) for part in (1, 2, 0)] for code in range(7, -1, -1)]
# The control interfaces of the two functions of one USB device.
INTERFACES = ("1-1:1.0", "1-1:1.2")


@pytest.fixture(scope="module")
def seen(observe):
    return observe(["cameras", "camera_frames", "complaints"])


def nearest_lists(seen):
    return {
        name: device["nearest"]
        for name, device in seen["cameras"]["devices"].items()
        if device["label"] == "emulated camera"
    }


def test_two_functions_of_one_usb_device_are_both_there(seen):
    """Each with a node for frames and one for metadata."""
    lists = nearest_lists(seen)
    assert len(lists) == 4
    owners = [nearest["device"].rpartition("/")[2] for nearest in lists.values()]
    assert sorted(owners) == sorted(INTERFACES * 2)


def test_camera_lists_the_system_heap_at_its_interface(seen):
    for nearest in nearest_lists(seen).values():
        assert nearest["sources"] == [SYSTEM]
        assert nearest["preferred"] == SYSTEM


def test_heap_links_back_to_each_function(seen):
    links = seen["cameras"]["heaps"]["system"]["devices"]
    for interface in INTERFACES:
        assert links[f"usb:{interface}"].endswith(f"/usb1/1-1/{interface}")


def test_list_is_there_before_the_nodes_are_announced(seen):
    events = seen["cameras"]["events"]
    assert [event[0] for event in events] == ["change", "add", "add"] * 2
    assert [events[0], events[3]] == [["change", f"usb:{name}", "1"] for name in INTERFACES]


def test_unplugged_camera_leaves_no_link(seen):
    before = seen["cameras"]["heaps"]["system"]["devices"]
    after = seen["cameras"]["unplugged"]["system"]["devices"]
    assert set(before) - set(after) == {f"usb:{name}" for name in INTERFACES}


@pytest.mark.parametrize("heap", ["system", "reserved"])
@pytest.mark.parametrize("code", ["YUYV", "RGBP"])
def test_frames_arrive_whole_in_a_heaps_buffers(seen, heap, code):
    frames = seen["camera_frames"][f"{heap} {code}"]
    numbers = [number for number, _ in frames]
    assert len(set(numbers)) == 4
    assert numbers == sorted(numbers)
    assert all(whole for _, whole in frames)


def test_kernel_has_no_complaints(seen):
    assert seen["complaints"] == []


@pytest.fixture(scope="module")
def played(run_guest, weston_module):
    """What the player shows of cameras, in one boot; vivid's driver wants contiguous memory."""
    options = ["--udev", "--append=vivid.n_devs=2", "--append=vivid.allocators=1,0"]
    options += ["--append=vivid.node_types=0x1,0x1"]
    command = [sys.executable, str(PLAY), str(weston_module)]
    settings = {**os.environ, "CAMERA_SIZE": "640x480"}  # which fills the display
    done = run_guest(command, *options, f"--timeout={SECONDS}", env=settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def cost(run_guest):
    """What a frame of 1080p costs on a stock Weston, negotiated and through wl_shm."""
    options = ["--udev", "--append=vivid.allocators=1", "--append=vivid.node_types=0x1"]
    command = [sys.executable, str(COST)]
    done = run_guest(command, *options, f"--timeout={SECONDS}", env={**os.environ})
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


WESTON = [
    pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config", "seatd", "udevadm"),
    pytest.mark.timeout(SECONDS + 100),
]


def assert_bars(told):
    """Each picture that was seen has vivid's bars, and some were."""
    assert told["seen"]
    for seen in told["seen"]:
        off = [abs(a - b) for bar, own in zip(seen, BARS, strict=True)
               for a, b in zip(bar, own, strict=True)]  # fmt: skip
        assert max(off) <= 2, seen


def assert_on_the_plane(told, format_):
    """The display shows what the camera sent, by its own checksum, and that buffer itself."""
    assert told["on_screen"], told
    assert told["framebuffer"] == {"format": format_, "imported": True}


def assert_shown(told, where):
    """None was copied, and the pixels are the camera's.

    Pictures that were passed over for newer ones are a live camera's way on a busy machine.
    """
    assert told["shown"] > 0
    assert told["scanned_out"] > 0
    assert told["copied"] == 0
    if where == "exporters_weston":
        assert_on_the_plane(told, "XR24")
    else:
        assert_bars(told)


class TestPlayed:
    """What a person sees of a camera; one boot for all."""

    pytestmark = WESTON

    def test_a_usb_cameras_pictures_are_on_the_screen_as_they_were_sent(self, played):
        numbers = [number for number, _ in played["usb"]["seen"]]
        assert all(whole for _, whole in played["usb"]["seen"])
        assert len(numbers) == len(set(numbers)) == played["usb"]["shown"] == 8
        assert numbers == sorted(numbers)
        assert played["usb"]["copied"] == 0

    @pytest.mark.parametrize("way", ["imported", "exported", "mapped"])
    def test_vivids_bars_have_their_colours_on_each_way(self, played, way):
        told = played["vivid"][way]
        assert told["shown"] == 8
        assert (told["copied"] == 0) == (way != "mapped")
        assert_bars(told)

    @pytest.mark.parametrize(("camera", "format_"), [("vivid", "XR24"), ("usb", "RG16")])
    @pytest.mark.parametrize("weston", ["module", "stock"])
    def test_on_weston_the_display_shows_what_the_camera_sent(
        self, played, weston, camera, format_
    ):
        """By its own checksum, with the buffer itself on its plane: nothing is copied."""
        told = played[weston][camera]
        assert "error" not in told, told
        assert_on_the_plane(told, format_)
        assert told["frames"]["scanned_out"] > 0
        assert told["bytes_copied_per_frame"] == 0

    @pytest.mark.parametrize("where", ["exporters", "exporters_weston"])
    def test_a_cameras_own_buffers_are_shown_where_the_display_can_scan_them_out(
        self, played, where
    ):
        """The reference compositor has asked the display's driver about each of them."""
        told = played[where]["dma-contig"]
        assert (told["accepted"], told["way"]) == (True, "exported"), told["message"]
        assert_shown(told["played"], where)

    @pytest.mark.parametrize("where", ["exporters", "exporters_weston"])
    def test_where_it_cannot_the_reason_is_told_and_the_stream_goes_on_in_negotiated_ones(
        self, played, where
    ):
        told = played[where]["vmalloc"]
        assert (told["accepted"], told["way"]) == (False, "imported")
        assert "needs memory that is contiguous" in told["message"]
        assert told["instead"] == ["reserved"]
        assert_shown(told["played"], where)

    def test_a_frame_of_1080p_costs_less_where_it_is_not_copied(self, cost, record):
        """Of processor time, in one run: docs/performance.md has what else that is."""
        record("a frame of a camera of 1080p", [f"{name}: {one}" for name, one in cost.items()])
        assert all(one["shown"] > 0 for one in cost.values())
        assert (cost["zero copy"]["copied"], cost["zero copy"]["through_shm"]) == (0, False)
        assert cost["wl_shm"]["copied"] >= 1920 * 1080 * 4
        assert cost["wl_shm"]["through_shm"]
        spent = {name: one["player_ms"] + one["weston_ms"] for name, one in cost.items()}
        assert spent["zero copy"] <= spent["wl_shm"] / 3
