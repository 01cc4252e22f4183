"""Times of pictures from stamps that are odd, equal or missing."""

from __future__ import annotations

import pytest

from heapwire.client_lib.player.decoding.timeline import Timeline


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ((7.0, 7.5, 9.0), (0.0, 0.5, 2.0)),
        ((None, None, None), (0.0, 1.0, 2.0)),
        ((7.0, None, 9.0), (0.0, 1.0, 2.0)),
        ((7.0, 7.0, 8.0), (0.0, 0.0, 1.0)),  # two at a time are two at a time
        ((7.0, 9.0, 3.0, 4.0), (0.0, 2.0, 3.0, 4.0)),  # joined: goes on from where it was
        ((None, 7.0, 8.0), (0.0, 1.0, 2.0)),
        ((7.0, 66.0, 67.0), (0.0, 59.0, 60.0)),  # nothing moved for a minute
        ((7.0, 68.0, 69.0), (0.0, 1.0, 2.0)),  # for longer than that nothing stands still
        ((7.0, 3607.0, 3608.0, 8.0), (0.0, 1.0, 2.0, 3.0)),
    ],
)
def test_when_pictures_are_due(stamps, times):
    timeline = Timeline(1.0)
    assert not timeline.begun
    assert tuple(timeline.at(stamp) for stamp in stamps) == times
    assert timeline.begun


@pytest.mark.parametrize(
    ("step", "most", "stamp", "due"),
    [(0.04, 10.0, 9.0, 9.0), (0.04, 10.0, 11.0, 0.04), (20.0, 10.0, 199.0, 199.0)],
)
def test_how_far_ahead_is_too_far_depends_on_the_file(step, most, stamp, due):
    timeline = Timeline(step, most)
    timeline.at(0.0)
    assert timeline.at(stamp) == pytest.approx(due)
