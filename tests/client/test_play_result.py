"""What the ledger makes of frames whose status comes late, or never."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from heapwire.client_lib import BufferStatus
from heapwire.client_lib.player.play_result import MOST_WAITING, FrameFate, FrameLedger
from heapwire.protocol.wire.bindings import BufferStatusReason, BufferStatusResult


@pytest.fixture
def ledger():
    return FrameLedger()


def present(ledger, *, zero_copy=False):
    buffer = SimpleNamespace(status=None)
    ledger.committed()
    ledger.presented(buffer, zero_copy=zero_copy)
    ledger.settle()
    return buffer


def test_a_status_that_comes_after_the_frame_is_counted(ledger):
    buffer = present(ledger)
    present(ledger)
    reason = BufferStatusReason.NO_PLANE
    composited = BufferStatusResult.COMPOSITED
    buffer.status = BufferStatus(result=composited, reason=reason)
    ledger.settle()
    assert ledger.counts.composited == 1
    assert ledger.reasons == {"no_plane": 1}


def test_without_a_status_a_frame_without_a_copy_was_scanned_out(ledger):
    present(ledger, zero_copy=True)
    assert ledger.counts.scanned_out == 1
    assert ledger.reasons == {}


def test_a_frame_is_given_up_when_one_more_than_may_wait_is_on_the_screen(ledger):
    for _ in range(MOST_WAITING):
        present(ledger)
    assert ledger.reasons == {}
    present(ledger)
    assert ledger.reasons == {"unknown": 1}
    assert ledger.counts.shown == MOST_WAITING + 1


def test_frames_of_a_compositor_that_tells_nothing_are_given_up_and_do_not_pile_up(ledger):
    for _ in range(MOST_WAITING + 100):
        present(ledger)
    assert ledger.reasons == {"unknown": 100}
    ledger.settle(finally_=True)
    assert ledger.reasons == {"unknown": MOST_WAITING + 100}
    assert ledger.counts.shown == MOST_WAITING + 100


def test_jitter_is_how_much_later_a_frame_was_than_the_one_that_was_shown_before():
    told = []
    ledger = FrameLedger(on_fate=told.append)
    for number, late in enumerate((0.25, 0.5, None, 0.125, "dropped", 0.0625, 0.0625)):
        frame = FrameFate(number=number, position=0.0, late=None if late == "dropped" else late)
        ledger.committed()
        if late == "dropped":
            ledger.discarded(frame)
        else:
            ledger.presented(SimpleNamespace(status=None), zero_copy=True, frame=frame)
        ledger.settle()
    assert [frame.jitter for frame in told] == [None, 0.25, None, None, None, -0.0625, 0.0]
