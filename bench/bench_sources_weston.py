"""Measure what listening to feedback costs the frames of a headless Weston that has linux-dmabuf.

One Weston has the module and one has not, and both the same linux-dmabuf. A client shows frames,
without feedback objects and with two hundred of them; with the module each of these is extended.
No frame makes them say anything. `make bench-sources_weston` runs it.

What is told is to be the same on a busy machine. So a turn is a few frames, short enough that many
are left alone by others, all are measured in turn, there and back, and the least tenth of the turns
counts. Where a process has its memory is worth some hundredths of a frame, so that is done with
several pairs of Westons, of which the middle one is told.

What a feedback object costs that nobody extends is measured too: the module follows it as well.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import shared_modules
from bench_weston import SIZE
from ratio_table import tell_ratio
from stock_weston import DMABUF_DEVICES, PLATFORM, Weston, build_dmabuf
from windows import Client

from heapwire.client_lib import ExtendedFeedback, LinuxDmabuf
from heapwire.compositor_plugin.hosts.weston import MODULE, build_module, find_libweston
from heapwire.protocol import MachineError
from heapwire.protocol.wire import DmabufFeedback

OBJECTS = 200
MOST = 1.05  # times a frame without the module: nothing that can be measured
PAIRS = 3  # of Westons
FRAMES = 8  # in a turn: about a millisecond
TURNS = 60
MADE = 9  # turns with feedback objects


class Shower:
    """A client with a window, and with feedback objects if wanted."""

    def __init__(self, weston: Weston, objects: int) -> None:
        self.weston = weston
        self.connection = weston.connect()
        self.client = Client(self.connection, extension=False)
        self.buffers = [self.client.shm_buffer(SIZE) for _ in range(2)]
        dmabuf = LinuxDmabuf(self.connection)
        told: list[DmabufFeedback] = []
        surface = self.client.window.surface
        self.kept = [ExtendedFeedback(dmabuf, surface, told.append) for _ in range(objects)]
        self.connection.wait(lambda: len(told) >= objects, timeout=60, what="feedback")
        self.frames(60)  # the fade at start-up is over then

    def frames(self, count: int = FRAMES) -> float:
        """Weston's CPU time for a frame, in seconds."""
        before = used(self.weston)
        for frame in range(count):
            self.client.show(self.buffers[frame % 2], SIZE)
        self.connection.roundtrip(timeout=60)  # what comes after the last frame is its own
        return (used(self.weston) - before) / count


def used(weston: Weston) -> float:
    """Seconds of processor time so far, by the clock of its process."""
    return time.clock_gettime((~weston.process.pid << 3) | 2)


def least_tenth(times: list[float]) -> float:
    """That of the turns which others on the machine have disturbed least."""
    return statistics.quantiles(times, n=10)[0]


def frame_seconds(westons: list[Weston]) -> list[float]:
    """A frame of each without feedback objects, and then of each with them."""
    showers = [Shower(weston, objects) for objects in (0, OBJECTS) for weston in westons]
    turns: list[list[float]] = [[] for _ in showers]
    for turn in range(TURNS):
        there = list(zip(showers, turns, strict=True))
        for shower, times in there if turn % 2 else reversed(there):
            times.append(shower.frames())
    for shower in showers:
        shower.connection.close()
    return [least_tenth(times) for times in turns]


def object_seconds(weston: Weston) -> float:
    """Weston's CPU time for a feedback object of its own."""
    with weston.connect() as connection:
        dmabuf = LinuxDmabuf(connection)
        connection.roundtrip(timeout=60)
        before = used(weston)
        kept = [dmabuf.feedback(None) for _ in range(OBJECTS)]
        connection.roundtrip(timeout=60)
        return (used(weston) - before) / len(kept)


def main() -> None:
    """Print microseconds a frame, and ratios."""
    with tempfile.TemporaryDirectory(prefix="heapwire-") as name:
        try:
            module, dmabuf = Path(name) / MODULE, build_dmabuf(Path(name))
            build_module(module, find_libweston())
        except MachineError as error:
            print(f"weston: not measured: {error}")
            return
        environment = {"HEAPWIRE_PLATFORM": PLATFORM, **DMABUF_DEVICES}
        options = {"environment": environment, "ini": None, "shell": "desktop", "wrapper": ()}
        found: list[list[float]] = []
        made: list[list[float]] = []
        for _ in range(PAIRS):
            westons = [Weston(dmabuf, **options), Weston(Path(f"{module},{dmabuf}"), **options)]
            for weston in westons:
                weston.wait_for_socket()
            found.append(frame_seconds(westons))
            made += [[object_seconds(weston) for weston in westons] for _ in range(MADE)]
            for weston in westons:
                weston.clean_up()
    bare = statistics.median(pair[0] for pair in found)
    print(f"a frame of a Weston with linux-dmabuf alone: {bare * 1e6:.0f} us of processor time")
    for position, what in (
        (1, "with the module"),
        (2, f"with {OBJECTS} feedback objects, without the module"),
        (3, f"with the module, and {OBJECTS} feedback objects that it extends"),
    ):
        ratios = sorted(pair[position] / pair[0] for pair in found)
        ratio = statistics.median(ratios)
        rest = f"{ratios[0]:.3f} to {ratios[-1]:.3f} in {PAIRS} pairs"
        print(f"  {what}: {ratio:.3f} times that, {rest}")
        limit = None if position == 2 else MOST
        tell_ratio(f"a frame of Weston, {what}", ratio, "one with linux-dmabuf alone", limit=limit)
    plain, followed = (statistics.median(turn[which] for turn in made) for which in (0, 1))
    print(f"a feedback object of its own: {plain * 1e6:.0f} us, and {followed * 1e6:.0f} with it")
    tell_ratio("a feedback object of Weston's own, with the module", followed / plain, "without it")


if __name__ == "__main__":
    main()
