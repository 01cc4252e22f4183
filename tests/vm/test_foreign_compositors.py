"""What `heapwire check` finds of compositors that are not ours is what is known of them.

Of those that CI has, Weston alone offers linux-dmabuf in the guest.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from known_deviations import Deviation, differences, known_deviations

GUEST = Path(__file__).parent / "guest" / "foreign.py"
CASES = 100  # of linux-dmabuf's version 3 and the surfaces; there are 110


@pytest.mark.system("weston", "seatd", "udevadm")
def test_weston_does_what_it_is_known_to_do(run_guest):
    done = run_guest([sys.executable, str(GUEST)], "--udev", env={**os.environ})
    if done.returncode:
        pytest.fail(f"the guest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    told = json.loads(done.stdout.splitlines()[-1])
    known = known_deviations("weston", told["version"])
    if known is None:
        pytest.skip(f"list what Weston {told['version']} does in known_deviations.toml")
    seen = [Deviation(one["case"], one["expected"], one["seen"]) for one in told["failed"]]
    assert differences(known, seen) == []
    assert told["totals"]["ok"] >= CASES
    assert told["alive"], told["log"]
