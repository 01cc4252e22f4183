"""When frames are due, on a clock that the test turns."""

from __future__ import annotations

import pytest

import heapwire.client_lib.player.media_clock
from heapwire.client_lib.player.media_clock import MOST_LATE, STARVED, MediaClock

STEP = 0.04


@pytest.fixture
def now(monkeypatch):
    """A list of one: the time."""
    time = [100.0]
    monkeypatch.setattr(heapwire.client_lib.player.media_clock.time, "monotonic", lambda: time[0])
    return time


@pytest.fixture
def clock(now):
    clock = MediaClock()
    clock.committed(0.0)
    return clock


def test_nothing_is_due_before_the_first_frame():
    clock = MediaClock()
    assert clock.due(5.0) is None
    assert not clock.too_late(5.0, STEP)


def test_frames_are_due_by_their_time(clock):
    assert clock.due(0.5) == pytest.approx(100.5)


def test_presentation_corrects_it_once_and_gives_the_refresh(clock):
    clock.presented(0.0, 100.03, 0.01)
    assert clock.due(0.5) == pytest.approx(100.03 + 0.5 - 0.01)
    clock.presented(0.04, 107.0, 0.02)
    assert clock.due(0.5) == pytest.approx(100.03 + 0.5 - 0.02)


def test_presentation_without_a_time_corrects_nothing(clock):
    clock.presented(0.0, 0.0, 0.0)
    assert clock.due(0.5) == pytest.approx(100.5)


def test_a_frame_is_late_when_its_successor_is_due(clock, now):
    now[0] = 100.04 + STEP * 0.9
    assert not clock.too_late(0.04, STEP)
    now[0] = 100.04 + STEP * 1.1
    assert clock.too_late(0.04, STEP)


def test_a_starved_screen_gets_a_late_frame(clock, now):
    now[0] = 100.0 + STARVED + 0.01
    assert not clock.too_late(0.04, STEP)


def test_far_behind_the_clock_gives_in(clock, now):
    now[0] = 100.04 + MOST_LATE + 0.5
    assert not clock.too_late(0.04, STEP)
    assert clock.due(0.04) == pytest.approx(now[0])
    assert clock.due(0.08) == pytest.approx(now[0] + STEP)
