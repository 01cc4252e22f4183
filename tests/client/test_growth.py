"""Playing leaves nothing behind from frame to frame, here or in the compositor."""

from __future__ import annotations

import gc

import pytest
from patience import PATIENCE

from heapwire.client_lib import Connection, Player, PlayOptions
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform

ROUNDS = 150
WARM = 80  # frames after which both have all that they keep: the compositor, records of a second
# Python keeps a few more or less from one moment to the next; a single object that is left
# of each round would be twice as many.
SOME = ROUNDS // 2
HALF = ROUNDS // 2 - 1


@pytest.fixture
def uncollected():
    """What refers to itself stays: nothing that comes with each frame may."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_requests_that_are_answered_leave_nothing(fake, uncollected):
    with Connection(fake.socket.detach()) as connection:
        connection.roundtrip(timeout=PATIENCE)
        fake.requests.clear()
        before = len(gc.get_objects())
        for _ in range(ROUNDS):
            connection.roundtrip(timeout=PATIENCE)
            fake.requests.clear()
        assert len(gc.get_objects()) - before < SOME


@pytest.mark.parametrize("fullscreen", [True, False])
def test_frames_that_are_shown_leave_nothing(no_fd_leak, clips, uncollected, fullscreen):
    objects = {}

    def progress(now):
        # While the player waits for the compositor: whoever has a list of all objects while
        # another thread fills a tuple makes that fail (CPython's PySequence_Tuple).
        objects[now.counts.decoded] = compositor.call(lambda: len(gc.get_objects()))

    platform = Platform.load("raspberry-pi-4")
    compositor = Compositor(platform)
    with compositor, compositor.running():
        Player(
            clips["bikes.mp4"],
            display=compositor.connect(),
            platform=platform,
            options=PlayOptions(
                frames=WARM + ROUNDS, fullscreen=fullscreen, paced=False, timeout=PATIENCE
            ),
            on_progress=progress,
        ).play()
    # What is loaded when it is first needed, say by a frame that is late, comes once; what each
    # frame leaves comes in both halves. With the last frame the decoder's own things go.
    first, middle, last = WARM, WARM + HALF, WARM + 2 * HALF
    grown = (objects[middle] - objects[first], objects[last] - objects[middle])
    assert min(grown) < HALF // 2, grown
