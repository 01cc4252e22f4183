"""The module in a stock Weston that drives a display: vkms, with real heaps."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from heapwire.compositor_plugin.hosts.weston.build import MODULE, build_module, find_libweston

GUEST = Path(__file__).parent / "guest" / "weston_scanout.py"

pytestmark = [
    pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config", "seatd"),
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def seen(run_guest, tmp_path_factory):
    """What a fullscreen player was told, and what Weston says of its planes."""
    module = tmp_path_factory.mktemp("module") / MODULE
    build_module(module, find_libweston())
    command = [sys.executable, str(GUEST), str(module)]
    # udevd, for libinput and Weston's search for cards wait for its events.
    done = run_guest(command, "--udev", "--timeout=600", env={**os.environ})
    if done.returncode:
        pytest.fail(f"the guest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def test_the_heaps_of_the_kernel_are_announced(seen):
    assert {"reserved", "system"} <= set(seen["sources"])


def test_the_plan_is_for_the_display(seen):
    assert seen["plan"]["scanout"]
    assert set(seen["plan"]["sources"]) <= {"reserved", "system"}


def test_the_client_is_told_that_every_buffer_was_scanned_out(seen):
    assert seen["statuses"] == [["SCANOUT", "NONE"]] * 3


def test_weston_itself_says_that_the_frames_were_on_a_plane(seen):
    assert seen["repaints"] >= 25
    assert seen["plane_only"] >= 0.95 * seen["repaints"]


def test_nothing_is_negotiated_again_while_nothing_changes(seen):
    assert seen["unasked"] == []


def test_the_module_found_nothing_to_complain_of(seen):
    assert [line for line in seen["module"] if "error" in line or "not available" in line] == []
