"""Playing leaves nothing behind from frame to frame, here or in the compositor."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import subprocess
import sys
from pathlib import Path

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
FRAMES = 600
WARM_MEMORY = 150
LOOKED = 150  # frames of which that counts in which both had least
BYTES_A_FRAME = 250


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


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc counts since 2.33")
@pytest.mark.parametrize("shown", ["fullscreen", "window"])
def test_frames_that_are_shown_take_no_memory(shown) -> None:
    """Python's or C's, of the player or the compositor: both are in one process of their own.

    Frames took 600 bytes and 340 once. What is left, some 60 at first, are stores that fill.
    """
    program = Path(__file__).with_name("played_memory.py")
    folders = [str(program.parents[1] / "common")]
    said = subprocess.run(
        [sys.executable, program, str(FRAMES), shown],
        env={**os.environ, "PYTHONMALLOC": "malloc", "PYTHONPATH": os.pathsep.join(folders)},
        capture_output=True,
        text=True,
        check=True,
    )
    used = {int(frames): size for frames, size in json.loads(said.stdout).items()}
    before, after = (
        min(used[frames] for frames in used if first <= frames < first + LOOKED)
        for first in (WARM_MEMORY, FRAMES - LOOKED)
    )
    assert (after - before) / (FRAMES - LOOKED - WARM_MEMORY) < BYTES_A_FRAME, used
