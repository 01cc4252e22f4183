"""heapwiresink on the reference compositor: what is on the screen, and what was copied for it."""

from __future__ import annotations

import pytest
from pictures import (
    BALL,
    BLUE,
    CAPS,
    COPIED,
    GREEN,
    PROGRAMS,
    SIZE,
    balls,
    counted,
    expect_copies,
    solid,
)

from heapwire.protocol.values import Extent

KEY_F = 33  # linux/input-event-codes.h

pytestmark = pytest.mark.system(*PROGRAMS)


def test_what_upstream_writes_is_on_the_screen_and_nothing_is_copied(stage, tmp_path) -> None:
    number = 12
    expected = balls(tmp_path, number)
    # Pictures that are late are shown late, so that the last one is.
    late = "max-lateness=-1"
    pipeline = f"{counted(number)} ! heapwiresink name=sink fullscreen=true {late}"
    with stage.playing(pipeline) as playing:
        playing.hear("eos")
        playing.until(lambda: stage.crcs()[-1:] == expected[-1:], "the last one")
        stats = playing.stats()
        assert playing.end() == 0
    frames = stage.frames()
    shown = iter(expected)
    assert all(one.crc32 in shown for one in frames), "each is one of them, in their order"
    assert {one.sources for one in frames} == {("linux,cma",)}
    assert all(one.scanned_out for one in frames)
    assert (stats["copies"], stats["copied-bytes"], stats["source"]) == ("0", "0", "linux,cma")


def test_pictures_in_other_memory_are_copied_and_counted(stage, tmp_path) -> None:
    expect_copies(stage, tmp_path)


@pytest.mark.parametrize("pixels", ["NV12", "I420", "RGB16", "BGRx"])
def test_rows_are_where_the_plan_has_them(stage, pixels) -> None:
    """The same picture by both ways: upstream writes by the plan's pitches, or the sink does."""
    picture = f"videotestsrc pattern=smpte75 ! video/x-raw,format={pixels},width=333,height=251"
    with stage.playing(f"{picture} ! heapwiresink name=sink") as playing:
        playing.until(stage.frames, "a picture")
        assert playing.stats()["copies"] == "0"
        assert playing.end() == 0
    written, begun = stage.frames()[0].crc32, len(stage.frames())
    with stage.playing(f"{picture} ! {COPIED}heapwiresink name=sink") as playing:
        playing.until(lambda: written in stage.crcs(begun), "the picture")
        assert playing.stats()["copies"] != "0"


def test_the_plan_changes_with_the_window_while_it_plays(stage) -> None:
    def are_now(scanned_out, *sources):
        last = stage.frames()[-1:]
        return [(one.scanned_out, one.sources) for one in last] == [(scanned_out, sources)]

    with stage.playing(f"{BALL} ! heapwiresink name=sink") as playing:
        playing.until(lambda: are_now(False, "system"), "a window")
        playing.tell("set sink fullscreen true")
        playing.until(lambda: are_now(True, "linux,cma"), "the whole screen")
        stage.compositor.press(KEY_F)
        # The buffers of the display's heap are as good for a window, so they stay.
        playing.until(lambda: are_now(False, "linux,cma"), "a window again")
        stats = playing.stats()
        assert playing.end() == 0
    assert stats["copies"] == "0"
    assert int(stats["plans"]) >= 2


def test_other_caps_in_mid_stream_are_another_pool(stage) -> None:
    small = Extent(320, 240)
    with stage.playing(
        f"videotestsrc pattern=green ! capsfilter name=filter caps={CAPS} ! heapwiresink name=sink"
    ) as playing:
        playing.until(lambda: solid(GREEN) in stage.crcs(), "the picture")
        caps = CAPS.replace("640", "320").replace("480", "240")
        playing.tell(f"set filter caps {caps}")
        playing.until(lambda: solid(GREEN, small) in stage.crcs(), "the picture")
        assert playing.stats()["copies"] == "0"
        assert playing.end() == 0
    assert {one.extent for one in stage.frames()} == {SIZE, small}


def test_it_flushes_and_begins_again(stage) -> None:
    with stage.playing(
        f"videotestsrc name=source pattern=green ! {CAPS} ! queue ! heapwiresink name=sink"
    ) as playing:
        playing.until(lambda: solid(GREEN) in stage.crcs(), "the picture")
        for state in ("paused", "ready", "null"):
            playing.tell(f"state {state}")
            begun = len(stage.frames())
            playing.tell("state playing")
            playing.until(
                lambda begun=begun: len(stage.frames()) > begun, f"a picture after {state}"
            )
        playing.tell("seek")
        begun = len(stage.frames())
        playing.tell("set source pattern blue")
        playing.until(lambda: solid(BLUE) in stage.crcs(begun), "the picture")
        assert playing.stats()["copies"] == "0"
        assert playing.end() == 0


# A copy needs a second buffer while the first is on the screen, but a third only by chance.
@pytest.mark.parametrize(
    ("between", "number"),
    [("", 1), ("", 3), ("queue ! ", 1), ("queue ! ", 3), (COPIED, 1), (COPIED, 2)],
    ids=["pool-1", "pool-3", "queue-1", "queue-3", "copy-1", "copy-2"],
)
@pytest.mark.parametrize("wish", ["state paused", "step"])
def test_to_pause_while_a_buffer_is_made_ends_nothing(
    stage, hold_back, between, number, wish
) -> None:
    """Neither what fills the buffer, nor the wish to pause or to step, which waits for nobody."""
    held = hold_back(number)
    with stage.playing(f"{BALL} ! {between}heapwiresink name=sink") as playing:
        playing.until(held.asked.is_set, "a buffer is asked for")
        playing.tell(wish)
        playing.tell("state playing")
        playing.stats()  # it has come that far, though the compositor says nothing
        held.answer.set()
        begun = len(stage.frames())
        playing.until(lambda: len(stage.frames()) > begun + 3, "pictures")
        assert (playing.stats()["copies"] == "0") == (between != COPIED)
        assert playing.end() == 0


@pytest.mark.parametrize("between", ["", "queue ! ", COPIED], ids=["pool", "queue", "copy"])
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("wish", ["state ready", "seek"])
def test_to_stop_while_a_buffer_is_made_is_no_error(
    stage, hold_back, between, number, wish
) -> None:
    """Whoever fills the buffers stops too, and waits for the compositor no longer."""
    held = hold_back(number)
    with stage.playing(f"{BALL} ! {between}heapwiresink name=sink") as playing:
        playing.until(held.asked.is_set, "a buffer is asked for")
        playing.tell(wish)
        playing.stats()  # it has stopped, though the compositor says nothing
        held.answer.set()
        begun = len(stage.frames())
        playing.tell("state playing")
        playing.until(lambda: len(stage.frames()) > begun + 3, "pictures")
        assert playing.end() == 0
    assert [line for line in playing.heard if line.startswith("error")] == []


def test_nobody_begins_to_wait_for_a_sink_that_has_stopped(stage, hold_back) -> None:
    """GStreamer stops the sink first; the source may want its next buffer after that."""
    with stage.playing(f"{BALL} ! heapwiresink name=sink") as playing:
        playing.until(stage.frames, "a picture")
        playing.tell("hold")
        playing.hear("held up")
        held = hold_back(1)
        playing.tell("go")
        playing.until(held.asked.is_set, "another buffer is asked for")
        playing.tell("state ready")
        playing.stats()
        assert playing.end() == 0


def test_a_compositor_that_hangs_up_is_an_error_that_names_it(stage) -> None:
    with stage.playing(f"{BALL} ! heapwiresink name=sink") as playing:
        playing.until(stage.frames, "a picture")
        stage.hang_up()
        assert "the compositor is gone" in playing.hear("error sink:")
        assert playing.process.wait() == 1


def test_where_there_is_no_compositor_it_is_said_where(stage) -> None:
    with stage.playing(f"{BALL} ! heapwiresink name=sink display=nowhere") as playing:
        assert playing.hear("error sink:").startswith("there is no compositor at nowhere: ")


@pytest.mark.parametrize("between", ["", COPIED])
def test_memory_that_cannot_be_had_is_said_with_its_device(stage, between, monkeypatch) -> None:
    """The heaps of the simulated machine are not on this one."""
    monkeypatch.delenv("HEAPWIRE_SIMULATED")
    with stage.playing(
        f"{BALL} ! {between}heapwiresink name=sink",
    ) as playing:
        assert "cannot be opened" in playing.hear("error sink:")
