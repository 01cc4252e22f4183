"""The C client's examples on a real kernel: heaps opened by their numbers, cameras, a display.

They are built here as docs/client-c.md says. What the cameras see stands still, so that each
picture on the screen can be compared with one that was captured without any compositor.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from pathlib import Path

import pytest
from patience import PACE

GUEST = Path(__file__).parent / "guest" / "c_client.py"
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PICTURES = 30
CAMERAS = ("dma-contig", "vmalloc")
CONTIGUOUS = "reserved"
SECONDS = round(1200 * PACE)

pytestmark = [
    pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config", "seatd", "udevadm"),
    pytest.mark.system("wayland-scanner", "wayland-protocols.pc", "wayland-client.pc"),
    pytest.mark.timeout(SECONDS + 100),
]


@pytest.fixture(scope="module")
def seen(run_guest, weston_module, c_client):
    """All that the guest saw, in one boot."""
    programs = [c_client(EXAMPLES / f"{name}.c") for name in ("show_one_buffer", "player")]
    command = [sys.executable, GUEST, *programs, weston_module]
    options = ["--udev", f"--timeout={SECONDS}", "--append=vivid.n_devs=2"]
    options += ["--append=vivid.allocators=1,0", "--append=vivid.node_types=0x1,0x1"]
    done = run_guest([*map(str, command)], *options, env={**os.environ})
    if done.returncode:
        pytest.fail(f"the guest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def test_a_buffer_of_the_heap_that_the_tranche_named_is_on_the_screen(seen):
    [frame] = seen["reference"]["show"]["frames"]
    assert frame["sources"] != [None]
    assert frame["crc"] == zlib.crc32(bytes([0xA0]) * 640 * 360 * 3)


def test_in_weston_too_if_it_has_tranches_and_else_it_is_said(seen):
    """Weston 10 on vkms has no feedback (docs/findings.md), so no tranche that names a heap."""
    told = seen["weston"]["show"]
    lacks = "the compositor has no linux-dmabuf feedback (version 3, and 4 is needed)\n"
    assert told in (
        {"shown": True, "status": None, "errors": ""},
        {"shown": False, "status": 1, "errors": lacks},
    )


def test_the_players_own_pictures_are_on_the_screen(seen):
    told = seen["reference"]["drawn"]
    assert (told["status"], told["errors"]) == (0, "")
    assert [one["crc"] for one in told["frames"]] == seen["expected"]["colours"]["drawn"]
    assert all(one["scanned_out"] for one in told["frames"])


def test_weston_puts_them_on_a_plane(seen):
    told = seen["weston"]["drawn"]
    assert (told["status"], told["errors"]) == (0, "")
    assert told["plane_only"] >= PICTURES - 2
    assert told["seen"]


@pytest.mark.parametrize("camera", CAMERAS)
def test_what_a_camera_sees_is_on_the_screen(seen, camera):
    told = seen["reference"][camera]
    assert (told["status"], told["errors"]) == (0, "")
    assert len(told["frames"]) == PICTURES
    assert {one["crc"] for one in told["frames"]} == {seen["expected"]["colours"][camera]}


@pytest.mark.parametrize("camera", CAMERAS)
def test_weston_scans_out_what_the_camera_has_filled(seen, camera):
    told = seen["weston"][camera]
    assert told["shown"]
    assert told["framebuffer"] == {"format": "XR24", "imported": True}


def test_a_camera_that_wants_one_run_of_memory_gets_it(seen):
    frames = seen["reference"]["dma-contig"]["frames"]
    assert {source for one in frames for source in one["sources"]} == {CONTIGUOUS}
