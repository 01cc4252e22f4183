"""Measure what listening to feedback costs the frames of a headless Weston that has linux-dmabuf.

One Weston has the module and one has not, and both the same linux-dmabuf. A client shows frames,
without feedback objects and with two hundred of them; with the module each of these is extended.
No frame makes them say anything. All are measured in turn, so that the ratios stand on a busy
machine too. So is what a feedback object costs that nobody extends: the module follows it all the
same. `make bench-sources_weston` runs it.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import shared_modules
from bench_weston import SIZE, cpu_seconds
from ratio_table import tell_ratio
from stock_weston import DMABUF_DEVICES, PLATFORM, Weston, build_dmabuf
from windows import Client

from heapwire.client_lib import ExtendedFeedback, LinuxDmabuf
from heapwire.compositor_plugin.hosts.weston import MODULE, build_module, find_libweston
from heapwire.protocol import MachineError
from heapwire.protocol.wire import DmabufFeedback

OBJECTS = 200
MOST = 1.05  # times a frame without the module: nothing that can be measured
FRAMES = 150
TURNS = 9


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
        before = cpu_seconds(self.weston.process.pid)
        for frame in range(count):
            self.client.show(self.buffers[frame % 2], SIZE)
        return (cpu_seconds(self.weston.process.pid) - before) / count


def object_seconds(weston: Weston) -> float:
    """Weston's CPU time for a feedback object of its own."""
    with weston.connect() as connection:
        dmabuf = LinuxDmabuf(connection)
        connection.roundtrip(timeout=60)
        before = cpu_seconds(weston.process.pid)
        kept = [dmabuf.feedback(None) for _ in range(OBJECTS)]
        connection.roundtrip(timeout=60)
        return (cpu_seconds(weston.process.pid) - before) / len(kept)


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
        westons = [Weston(dmabuf, **options), Weston(Path(f"{module},{dmabuf}"), **options)]
        for weston in westons:
            weston.wait_for_socket()
        showers = [Shower(weston, objects) for objects in (0, OBJECTS) for weston in westons]
        turns = [[shower.frames() for shower in showers] for _ in range(TURNS)]
        for shower in showers:
            shower.connection.close()
        made = [[object_seconds(weston) for weston in westons] for _ in range(TURNS)]
        for weston in westons:
            weston.clean_up()
    bare = statistics.median(turn[0] for turn in turns)
    print(f"a frame of a Weston with linux-dmabuf alone: {bare * 1e6:.0f} us of processor time")
    for position, what in (
        (1, "with the module"),
        (2, f"with {OBJECTS} feedback objects, without the module"),
        (3, f"with the module, and {OBJECTS} feedback objects that it extends"),
    ):
        ratio = statistics.median(turn[position] / turn[0] for turn in turns)
        least = min(turn[position] for turn in turns) / min(turn[0] for turn in turns)
        print(f"  {what}: {ratio:.2f} times that (median of {TURNS} turns), {least:.2f} the least")
        # By the turns that others disturbed least, a frame without feedback costs what it did.
        limit = None if position == 2 else MOST
        tell_ratio(f"a frame of Weston, {what}", least, "one with linux-dmabuf alone", limit=limit)
    plain, followed = (statistics.median(turn[which] for turn in made) for which in (0, 1))
    print(f"a feedback object of its own: {plain * 1e6:.0f} us, and {followed * 1e6:.0f} with it")
    tell_ratio("a feedback object of Weston's own, with the module", followed / plain, "without it")


if __name__ == "__main__":
    main()
