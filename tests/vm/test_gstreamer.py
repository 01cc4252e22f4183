"""heapwiresink on a real kernel: a camera fills what the display reads, and nobody copies it.

What vivid's cameras see stands still, so that the pictures on the screen can be compared with one
that was captured without any compositor.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from patience import PACE

GUEST = Path(__file__).parent / "guest" / "gstreamer.py"
CAMERAS = ("dma-contig", "vmalloc")
CONTIGUOUS = "reserved"
SECONDS = round(1200 * PACE)

pytestmark = [
    pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config", "seatd", "udevadm"),
    pytest.mark.system("wayland-scanner", "wayland-protocols.pc", "wayland-client.pc"),
    pytest.mark.system("gstreamer-video-1.0.pc", "gstreamer-allocators-1.0.pc"),
    pytest.mark.system("gst-inspect-1.0", "v4l2src.gst"),
    pytest.mark.timeout(SECONDS + 100),
]


@pytest.fixture(scope="module")
def seen(run_guest, weston_module, gstreamer_folder):
    """All that the guest saw, in one boot."""
    command = [sys.executable, GUEST, gstreamer_folder, weston_module]
    options = ["--udev", f"--timeout={SECONDS}", "--append=vivid.n_devs=2"]
    options += ["--append=vivid.allocators=1,0", "--append=vivid.node_types=0x1,0x1"]
    done = run_guest([*map(str, command)], *options, env={**os.environ})
    if done.returncode:
        pytest.fail(f"the guest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("camera", CAMERAS)
def test_what_a_camera_fills_is_on_the_screen_and_nothing_was_copied(seen, camera):
    told = seen["reference"][camera]
    assert told["shown"], told
    assert (told["stats"]["copies"], told["stats"]["copied-bytes"]) == (0, 0)
    assert {one["crc"] for one in told["frames"]} == {seen["expected"]["colours"][camera]}
    assert all(one["scanned_out"] for one in told["frames"])


@pytest.mark.parametrize("camera", CAMERAS)
def test_weston_scans_out_what_a_camera_has_filled(seen, camera):
    told = seen["weston"][camera]
    assert told["shown"], told
    assert told["framebuffer"] == {"format": "XR24", "imported": True}
    assert (told["stats"]["copies"], told["stats"]["copied-bytes"]) == (0, 0)


def test_a_camera_that_wants_one_run_of_memory_gets_it(seen):
    frames = seen["reference"]["dma-contig"]["frames"]
    assert {source for one in frames for source in one["sources"]} == {CONTIGUOUS}


def test_a_cameras_own_buffers_are_imported_as_they_are(seen):
    """Those of the camera whose memory the display can scan out."""
    told = seen["reference"]["exported"]
    assert told["shown"], told
    assert told["stats"]["imported"] > 0
    assert told["stats"]["copies"] == 0
