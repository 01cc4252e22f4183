"""What `heapwire check` finds of compositors that are not ours is what is known of them.

Of those that CI has, Weston offers version 3 of linux-dmabuf in the guest, and sway version 4 where
its EGL names a device.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from known_deviations import Deviation, differences, known_deviations

GUEST = Path(__file__).parent / "guest" / "foreign.py"
CASES = {"weston": 100, "sway": 200}  # that end well, at least: of 110 and 227


def does_what_it_is_known_to_do(run_guest, name, *arguments):
    """Run the check in a guest, and compare."""
    command = [sys.executable, GUEST, name, *arguments]
    done = run_guest([*map(str, command)], "--udev", env={**os.environ})
    if done.returncode:
        pytest.fail(f"the guest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    told = json.loads(done.stdout.splitlines()[-1])
    known = known_deviations(name, told["version"])
    if known is None:
        pytest.skip(f"list what {name} {told['version']} does in known_deviations.toml")
    seen = [Deviation(one["case"], one["expected"], one["seen"]) for one in told["failed"]]
    assert differences(known, seen) == []
    assert told["totals"]["ok"] >= CASES[name]
    assert told["alive"], told["log"]


@pytest.mark.system("weston", "seatd", "udevadm")
def test_weston_does_what_it_is_known_to_do(run_guest):
    does_what_it_is_known_to_do(run_guest, "weston")


@pytest.mark.system("sway", "cc", "udevadm")
def test_sway_does_what_it_is_known_to_do(run_guest, egl_device):
    does_what_it_is_known_to_do(run_guest, "sway", egl_device)
