"""`heapwire demo`, `compositor`, `play` and `feedback`: processes that meet on a socket."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import av
import numpy as np
import pytest
from json_schema import faults
from patience import PATIENCE

from heapwire.cli.demo import write_clip
from heapwire.client_lib.negotiation import Negotiation
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.wp_presentation_feedback import (
    WpPresentationFeedback,
)
from heapwire.kernel.description import Platform
from heapwire.protocol.values import FormatModifier

COMMAND = (sys.executable, "-m", "heapwire.cli.main")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mkv", frames=12)


@contextmanager
def compositor(folder, *arguments):
    """The compositor as a process; gives the environment for its clients."""
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder)}
    process = subprocess.Popen(
        [*COMMAND, "compositor", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    )
    try:
        word, name = process.stdout.readline().split()
        assert word == "socket"
        yield {**environment, "WAYLAND_DISPLAY": name}
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors


def run(environment, *arguments):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_clip_plays_where_the_display_has_no_room_for_it(tmp_path, clip):
    """Three of its pictures fit in the area and four do not: no buffer is planned and refused."""
    text = (Path(__file__).parent / "cases" / "small-pool.toml").read_text()
    machine = tmp_path / "machine.toml"
    machine.write_text(text.replace("50 MiB", "4900 KiB"))
    with compositor(tmp_path, "--platform", machine) as environment:
        done = run(environment, "play", clip, "--fullscreen", "--unpaced", "--json")
    assert done.returncode == 0, done.stderr
    account = json.loads(done.stdout)
    assert account["frames"]["shown"] == 12
    [entry] = account["plan"]["objects"]
    assert entry["source"]["name"] == "system"


def test_the_demo_scans_out_from_the_heap_that_the_platform_demands(tmp_path):
    shot = tmp_path / "shot.png"
    done = run(os.environ, "demo", "--frames", 20, "--output", shot, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    schema = json.loads(run(os.environ, "demo", "--schema").stdout)
    assert list(faults(document, schema, schema)) == []
    frames = document["frames"]
    assert frames["decoded"] == 20 == frames["shown"] + frames["dropped"]
    assert frames["scanned_out"] == frames["shown"] > 0
    plan = document["plan"]
    assert [one["source"]["name"] for one in plan["objects"]] == ["linux,cma"]
    verdicts = {one["name"]: one for one in document["sources"]}
    assert verdicts["linux,cma"]["chosen"]
    assert "contiguous" in verdicts["system"]["reason"]
    recorded = document["compositor_frames"]
    assert {frame["scanned_out"] for frame in recorded} == {True}
    picture = next(av.open(str(shot)).decode(video=0)).to_ndarray(format="rgb24")
    assert picture.shape == (720, 1280, 3)
    assert np.ptp(picture) > 200  # the clip, not an empty screen


def test_a_pattern_plays_without_a_file(tmp_path):
    lines = tmp_path / "frames.json"
    with compositor(tmp_path, "--size", "320x200") as environment:
        options = ("--size", "320x200", "--format", "XRGB8888", "--fullscreen", "--unpaced")
        options = (*options, "--frames", 5, "--json", "--stats-file", lines)
        done = run(environment, "play", "--picture", *options, "--platform", "raspberry-pi-4")
    assert (done.returncode, done.stderr) == (0, "")
    account = json.loads(done.stdout)
    assert (account["frames"]["shown"], account["through"]) == (5, "linux-dmabuf")
    assert account["plan"]["fourcc"] == "XRGB8888"
    frames = [json.loads(line) for line in lines.read_text().splitlines()]
    assert {frame["copied"] for frame in frames} == {account["bytes_copied_per_frame"]}
    assert account["explicit_sync"] is True
    assert {frame["explicit_sync"] for frame in frames} == {True}
    assert {frame["jitter"] for frame in frames} == {None}  # nothing is due


def test_what_is_told_is_as_the_schema_says(tmp_path, heapwire):
    whole = heapwire("play", "--schema").document
    lines = tmp_path / "frames.json"
    with compositor(tmp_path, "--size", "320x200") as environment:
        options = ("--size", "320x200", "--rate", 60, "--frames", 8, "--json")
        options = (*options, "--platform", "raspberry-pi-4", "--stats-file", lines)
        done = run(environment, "play", "--picture", *options)
        other = run(environment, "play", "--picture", *options[:-2], "--format", "XRGB8888")
    for printed in (done.stdout, other.stdout):
        assert list(faults(json.loads(printed), whole["$defs"]["played"], whole)) == []
    frames = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [list(faults(one, whole["$defs"]["frame"], whole)) for one in frames] == [[]] * 8


def test_why_there_is_no_plan_is_as_the_schema_says(tmp_path, heapwire):
    whole = heapwire("play", "--schema").document
    with compositor(tmp_path, "--platform", "raspberry-pi-4") as environment:
        options = ("--size", "320x200", "--format", "NV24", "--json", "--require-dmabuf")
        done = run(environment, "play", "--picture", *options, "--platform", "raspberry-pi-4")
    assert list(faults(json.loads(done.stdout), whole["$defs"]["conflict"], whole)) == []


def test_how_it_is_synchronised_is_said(tmp_path):
    with compositor(tmp_path, "--size", "320x200") as environment:
        options = ("--size", "320x200", "--unpaced", "--frames", 3, "--platform", "raspberry-pi-4")
        done = run(environment, "--verbose", "play", "--picture", *options, "--stats")
    assert done.returncode == 0, done.stderr
    assert "by the CPU; explicit sync" in done.stdout
    assert "explicit sync: linux-drm-syncobj" in done.stderr
    assert "bytes copied, explicit sync, in " in done.stderr


def test_frames_of_which_none_was_shown_are_a_failure(heapwire, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "blind")
    monkeypatch.setattr(WpPresentationFeedback, "present", lambda self, *_, **__: self.discard())
    options = ("--platform", "raspberry-pi-4", "--size", "320x200", "--frames", 3, "--unpaced")
    with Compositor(Platform.load("raspberry-pi-4"), socket="blind") as blind, blind.running():
        done = heapwire("play", "--picture", *options, "--json")
    assert done.status == 1
    assert "none of the 3 frames was on the screen" in done.err
    frames = done.document["frames"]
    assert (frames["decoded"], frames["shown"], frames["dropped"]) == (3, 0, 3)


def test_a_plan_of_which_nothing_is_shown_is_passed_over(heapwire, tmp_path, monkeypatch):
    """The compositor believes that it can scan out what its display then does not show."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "picky")
    present = WpPresentationFeedback.present
    plans, shown = [], []
    use_plan = Negotiation.use_plan

    def used(self, batch, offer):
        plans.append(offer.plan)
        use_plan(self, batch, offer)

    def picky(self, *arguments, **more):
        if len(plans) == 1:
            self.discard()
        else:
            shown.append(self)
            present(self, *arguments, **more)

    monkeypatch.setattr(Negotiation, "use_plan", used)
    monkeypatch.setattr(WpPresentationFeedback, "present", picky)
    options = ("--platform", "raspberry-pi-4", "--frames", 24, "--unpaced", "--fullscreen")
    with Compositor(Platform.load("raspberry-pi-4"), socket="picky") as host, host.running():
        done = heapwire("play", "--picture", "full", *options, "--json")
    assert done.status == 0, done.err
    first, second = plans
    assert first.layout != second.layout or first.fourcc != second.fourcc
    frames = done.document["frames"]
    assert frames["shown"] == len(shown) > 0
    [note] = [note for note in done.document["faults"] if "discarded" in note]
    assert f"frames of {FormatModifier(first.fourcc, first.modifier)}, and showed none" in note


def test_without_memory_to_negotiate_about_it_says_what_is_lost(tmp_path):
    bare = tmp_path / "bare.toml"
    bare.write_text('name = "bare"\n')
    with compositor(tmp_path, "--platform", bare) as environment:
        options = ("--platform", bare, "--frames", 3, "--unpaced")
        done = run(environment, "play", "--picture", "full", *options)
        assert done.returncode == 0, done.stderr
        assert "shown through wl_shm (there is no source of memory" in done.stdout
        assert "plan:" not in done.stdout
        account = json.loads(run(environment, "play", "--picture", *options, "--json").stdout)
        assert (account["through"], account["plan"], account["sources"]) == ("wl_shm", None, [])
        assert account["bytes_copied_per_frame"] >= 1280 * 720 * 4
        done = run(environment, "play", "--picture", *options, "--require-dmabuf")
        assert done.returncode == 1
        assert "no source of memory" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ((), 2, "name a video file, or --picture"),
        (("a.mkv", "--picture"), 2, "not both"),
        (("--picture", "--decoder", "cpu"), 2, "a pattern is not decoded"),
        (("a.mkv", "--rate", "30"), 2, "a file has its own"),
        (("--picture", "testcard"), 2, "bars"),
    ],
)
def test_what_is_to_be_shown_is_one_thing(heapwire, arguments, status, told):
    outcome = heapwire("play", *arguments)
    assert outcome.status == status
    assert told in outcome.err


def test_without_a_camera_it_says_so(heapwire):
    outcome = heapwire("camera", "--platform", "raspberry-pi-4")
    assert outcome.status == 1
    assert "raspberry-pi-4 has no camera" in outcome.err


def test_a_file_whose_name_is_not_utf_8_plays(tmp_path, clip):
    copy = os.fsencode(tmp_path) + b"/\xff\xfe.mkv"
    os.link(clip, copy)
    with compositor(tmp_path) as environment:
        done = run(environment, "play", os.fsdecode(copy), "--frames", 3, "--unpaced", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["frames"]["shown"] == 3


def test_what_is_piped_in_plays(tmp_path, clip):
    with compositor(tmp_path) as environment, clip.open("rb") as file:
        done = subprocess.run(
            [*COMMAND, "play", "-", "--unpaced", "--json"],
            stdin=file,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["frames"]["shown"] == 12


def test_a_pipe_that_would_have_to_be_read_from_its_end_says_so(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", frames=12)  # whose index stands behind the pictures
    with compositor(tmp_path) as environment:
        done = subprocess.run(
            [*COMMAND, "play", "-"],
            input=clip.read_bytes(),
            env=environment,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 1
    [line] = done.stderr.decode().splitlines()
    assert line.endswith(
        "; a pipe is read once, from the beginning, and most MP4 and MOV files say"
        " at their end where their pictures are: save it, and play the file"
    )


def test_a_clip_is_played_and_recorded(tmp_path, clip):
    record, capture = tmp_path / "record.json", tmp_path / "capture.json"
    heard = tmp_path / "heard.json"
    platform = ("--platform", "exynos4-mfc-v5")
    with compositor(tmp_path, *platform, "--record", record, "--capture", capture) as environment:
        options = ("--fullscreen", "--unpaced", "--json", "--capture", heard)
        done = run(environment, "play", clip, *platform, *options)
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        assert document["frames"]["scanned_out"] == 12
        objects, planes = document["plan"]["objects"], document["plan"]["planes"]
        banks = [objects[plane["object"]]["source"]["name"] for plane in planes]
        assert banks == ["mfc-right", "mfc-left"]
        text = run(environment, "feedback").stdout
        assert "mfc-right (heap" in text
    frames = json.loads(record.read_text())["frames"]
    assert [frame["scanned_out"] for frame in frames] == [True] * 12
    assert len({frame["crc32"] for frame in frames}) == 12
    again = run(os.environ, "replay", capture, heard)
    assert again.returncode == 0, again.stdout
    assert again.stdout.count("the same answer") >= 2
    told = json.loads(heard.read_text())
    plane = next(event for event in told["events"] if event[0] == "plan_plane")
    plane[2] = 4096
    heard.write_text(json.dumps(told))
    changed = run(os.environ, "replay", heard)
    assert changed.returncode == 1
    assert "4096" in changed.stdout


def test_a_window_is_composited_with_a_reason(tmp_path, clip):
    platform = ("--platform", "raspberry-pi-4")
    with compositor(tmp_path, *platform) as environment:
        done = run(environment, "play", clip, *platform, "--frames", 5, "--unpaced", "--json")
    document = json.loads(done.stdout)
    assert document["frames"]["composited"] == 5
    assert document["reasons"] == {"not_a_candidate": 5}


def test_a_missing_bank_ends_playing_with_plane_and_constraint(tmp_path, clip):
    text = resources.files("heapwire.kernel").joinpath("platforms/exynos4-mfc-v5.toml").read_text()
    before, _, rest = text.partition('[[memory]]\nname = "mfc-left"')
    path = tmp_path / "one-bank.toml"
    path.write_text(before + rest[rest.index("[[") :])
    with compositor(tmp_path, "--platform", path) as environment:
        done = run(environment, "play", clip, "--platform", path, "--fullscreen", "--json")
    assert done.returncode == 1
    assert "plane 1" in done.stderr
    conflict = json.loads(done.stdout)["conflict"]
    assert ("permitted-sources", 1) in {(one["constraint"], one["plane"]) for one in conflict}


def test_without_a_compositor_the_status_is_3(tmp_path, clip):
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "nobody"}
    for command in (("play", clip), ("feedback",)):
        done = run(environment, *command)
        assert done.returncode == 3
        assert "nobody" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_file_that_is_no_video_is_named(tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(bytes(1000))
    with compositor(tmp_path) as environment:
        done = run(environment, "play", broken)
    assert done.returncode == 1
    assert str(broken) in done.stderr
    assert "Traceback" not in done.stderr


def test_no_partial_screenshot_is_left(tmp_path):
    shot = tmp_path / "missing" / "shot.png"
    done = run(os.environ, "demo", "--frames", 3, "--output", shot)
    assert done.returncode == 2
    assert f"there is no directory {shot.parent}" in done.stderr
    assert list(tmp_path.iterdir()) == []
