"""libcamera on a real kernel: through it a USB camera fills negotiated buffers, and is seen.

The camera is emulated, so that its pictures are known to the byte; uvcvideo drives it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PACE

GUEST = Path(__file__).parent / "guest"
SECONDS = round(900 * PACE)
CONTIGUOUS = "reserved"
LEVELS = 2  # of 255, of YCbCr that is shown in RGB

pytestmark = [
    pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config", "seatd", "udevadm"),
    pytest.mark.system("g++", "libcamera.pc", "gst-inspect-1.0", "libcamerasrc.gst"),
    pytest.mark.system("gstreamer-video-1.0.pc", "gstreamer-allocators-1.0.pc"),
    pytest.mark.system("wayland-scanner", "wayland-protocols.pc", "wayland-client.pc"),
    pytest.mark.timeout(SECONDS + 100),
]


def compiled(*words, of, to):
    asked = ["pkg-config", "--cflags", "--libs", of]
    flags = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    subprocess.run([*map(str, words), *flags, "-o", str(to)], check=True)


@pytest.fixture(scope="module")
def seen(run_guest, weston_module, gstreamer_folder, tmp_path_factory):
    """All that the guest saw, in one boot."""
    program = tmp_path_factory.mktemp("libcamera") / "libcamera_camera"
    compiled("g++", "-std=c++17", GUEST / "libcamera_camera.cpp", of="libcamera", to=program)
    command = [sys.executable, GUEST / "libcamera.py", program, weston_module, gstreamer_folder]
    # As large as the display, which cannot scale.
    settings = {**os.environ, "CAMERA_SIZE": "640x480"}
    done = run_guest([*map(str, command)], "--udev", f"--timeout={SECONDS}", env=settings)
    if done.returncode:
        pytest.fail(f"the guest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def test_its_pictures_are_on_the_screen_as_the_camera_sent_them(seen):
    told = seen["reference"]
    numbers = [number for number, _ in told["seen"]]
    assert all(whole for _, whole in told["seen"])
    assert len(numbers) == len(set(numbers)) == told["shown"] == 8
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("where", ["reference", "weston"])
def test_they_are_in_the_memory_that_the_display_needs_and_nobody_copies_them(seen, where):
    """On a busy machine some are missed, as a live camera's are."""
    told = seen[where]
    assert (told["copied"], told["damaged"]) == (0, 0)
    assert set(told["sources"]) == {CONTIGUOUS}
    assert told["scanned_out"] > 0


def test_weston_has_the_cameras_picture_on_its_plane(seen):
    """The display's own checksum is that of what the camera sends, in the camera's buffer."""
    told = seen["weston"]
    assert told["on_screen"], told
    assert told["framebuffer"] == {"format": "RG16", "imported": True}


def test_libcameras_own_buffers_are_imported_by_the_sink_as_they_are(seen):
    """GStreamer's element for it takes nobody's buffers but those that libcamera exports."""
    told = seen["gstreamer"]
    assert told["stats"]["imported"] > 0
    assert (told["stats"]["copies"], told["stats"]["copied-bytes"]) == (0, 0)
    assert len(told["unlike"]) >= 10, told
    assert max(told["unlike"]) <= LEVELS
