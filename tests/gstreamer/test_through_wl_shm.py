"""heapwiresink where a compositor has no heapwire, or not even linux-dmabuf: through wl_shm."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pictures import CAPS, GREEN, PROGRAMS, SIZE, balls, counted, expect_copies, solid

from heapwire.compositor_plugin.hosts.reference.dmabuf import ZwpLinuxDmabufV1

pytestmark = pytest.mark.system(*PROGRAMS)

LACKS = {
    "heapwire": "xx_dmabuf_negotiation_manager_v1",
    "linux-dmabuf": "zwp_linux_dmabuf_v1 of version 3",
}


@pytest.fixture(params=LACKS)
def poor(machine, request, monkeypatch):
    """A compositor that lacks one of these, and what it lacks as the element calls it."""
    if request.param == "linux-dmabuf":
        monkeypatch.setattr(ZwpLinuxDmabufV1, "VERSION", 2)
    with machine(extension=False) as stage:
        yield stage, LACKS[request.param]


def test_the_pictures_are_shown_and_what_is_lost_is_said(poor, tmp_path) -> None:
    stage, lacks = poor
    number = 12
    expected = balls(tmp_path, number)
    pipeline = f"{counted(number)} ! heapwiresink name=sink fullscreen=true max-lateness=-1"
    with stage.playing(pipeline) as playing:
        said = playing.hear("warning sink: ")
        playing.hear("eos")
        playing.until(lambda: stage.crcs()[-1:] == expected[-1:], "the last one")
        stats = playing.stats()
        assert playing.end() == 0
    assert said.startswith(f"shown through wl_shm (the compositor has no {lacks}): ")
    assert [line for line in playing.heard if line.startswith("warning")] == [
        f"warning sink: {said}"
    ]
    shown = iter(expected)
    assert all(one.crc32 in shown for one in stage.frames()), "each is one of them, in their order"
    assert not any(one.scanned_out for one in stage.frames())
    assert (stats["shared"], stats["source"], stats["copies"]) == ("true", "wl_shm", "0")


def test_pictures_in_other_memory_are_copied_and_counted(poor, tmp_path) -> None:
    stage, _ = poor
    expect_copies(stage, tmp_path)


def test_other_sizes_and_states_are_as_with_plans(poor) -> None:
    stage, _ = poor
    words = (
        f"videotestsrc pattern=green ! capsfilter name=filter caps={CAPS} ! heapwiresink name=sink"
    )
    small = replace(SIZE, width=320)
    with stage.playing(words) as playing:
        playing.until(lambda: solid(GREEN) in stage.crcs(), "the picture")
        playing.tell(f"set filter caps {CAPS.replace('640', '320')}")
        playing.until(lambda: solid(GREEN, small) in stage.crcs(), "the picture")
        for state in ("paused", "ready", "null"):
            playing.tell(f"state {state}")
            playing.stats()
            begun = len(stage.frames())
            playing.tell("state playing")
            playing.until(lambda begun=begun: len(stage.frames()) > begun, f"one after {state}")
        assert playing.end() == 0


def test_a_format_that_wl_shm_does_not_read_is_an_error_that_says_what_to_do(machine) -> None:
    """A compositor that imports it from others' dma-bufs offers it all the same."""
    with machine(extension=False) as stage:
        picture = "videotestsrc ! video/x-raw,format=NV12,width=320,height=240"
        with stage.playing(f"{picture} ! heapwiresink name=sink") as playing:
            assert "NV12: convert it to RGB, with a videoconvert" in playing.hear("error sink:")
        with stage.playing(f"{picture} ! videoconvert ! heapwiresink name=sink") as playing:
            playing.until(stage.frames, "a picture")
            assert playing.end() == 0
