"""The module in a stock Weston that drives a display: vkms, with real heaps."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from heapwire.compositor_plugin.hosts.weston.build import MODULE, build_module, find_libweston

sys.path.append(str(Path(__file__).parents[1] / "host_weston"))  # for headers.py

from headers import has_field, headers_without

GUEST = Path(__file__).parent / "guest" / "weston_scanout.py"

pytestmark = [
    pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config", "seatd", "udevadm"),
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def played(run_guest, tmp_path_factory):
    """What a fullscreen player was told, and what Weston says of its planes; twice.

    The second time by a module that was built without the flags of scanout.
    """
    folder = tmp_path_factory.mktemp("module")
    modules = [folder / MODULE, folder / f"blind-{MODULE}"]
    build_module(modules[0], find_libweston())
    build_module(modules[1], headers_without(folder / "include", "psf_flags"))
    command = [sys.executable, str(GUEST), *map(str, modules)]
    # udevd, for libinput and Weston's search for cards wait for its events.
    done = run_guest(command, "--udev", "--timeout=600", env={**os.environ})
    if done.returncode:
        pytest.fail(f"the guest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()[-2:]]


@pytest.fixture
def seen(played):
    return played[0]


@pytest.fixture
def seen_blindly(played):
    return played[1]


def test_the_heaps_of_the_kernel_are_announced(seen):
    assert {"reserved", "system"} <= set(seen["sources"])


def test_the_plan_is_for_the_display(seen):
    assert seen["plan"]["scanout"]
    assert set(seen["plan"]["sources"]) <= {"reserved", "system"}


def test_the_client_is_told_that_every_buffer_was_scanned_out(seen):
    told = ["SCANOUT", "NONE"] if has_field(find_libweston(), "psf_flags") else None
    assert seen["statuses"] == [told] * 3


def test_where_weston_does_not_tell_the_client_is_told_nothing(seen_blindly):
    assert seen_blindly["plan"]["scanout"]
    assert seen_blindly["statuses"] == [None] * 3


def test_presentation_feedback_tells_the_client_in_any_case(played):
    for one in played:
        assert one["zero_copy"] >= 25


def test_weston_itself_says_that_the_frames_were_on_a_plane(played):
    for one in played:
        assert one["repaints"] >= 25
        assert one["plane_only"] >= 0.95 * one["repaints"]


def test_nothing_is_negotiated_again_while_nothing_changes(played):
    assert [one["unasked"] for one in played] == [[], []]


def test_the_module_found_nothing_to_complain_of(played):
    lines = [line for one in played for line in one["module"]]
    assert len(lines) == 2
    assert [line for line in lines if "error" in line or "not available" in line] == []
