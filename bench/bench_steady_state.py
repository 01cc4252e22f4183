"""What goes on for each frame while a video plays on.

The plugin is called when something changes, and the aim is not at all. A player shows frames on
the reference compositor, and calls are counted once the first of them have settled.

What the CPU has decoded it writes into the buffer: the aim is that NV12 takes it at most twice as
long as `memcpy` takes for as many bytes. Both are done in turn, with pictures of 1080p, in
processor time: the least of many.
"""

from __future__ import annotations

import functools
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from ratio_table import tell_ratio

from heapwire.cli.demo import write_clip
from heapwire.client_lib.buffers import PlaneView
from heapwire.client_lib.player import Player, PlayOptions, Progress
from heapwire.client_lib.player.pictures.frame_writer import write_picture
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform
from heapwire.protocol.values import FORMATS, parse_fourcc

FRAMES = 90
SETTLED = 30  # frames until every buffer of the pool has been on the screen
WIDTH, HEIGHT = 1920, 1080
POOL = 8  # pictures and buffers in turn, so that none is left in a cache
TURNS = 80
COPIES = 2.0  # memcpys that a picture may take
CALLS = ("surface_changed", "buffer_shown", "host_state", "answer_soon")


def main() -> None:
    """Count and measure."""
    count_calls()
    measure_copies()


def count_calls() -> None:
    """Play, count the calls to the plugin and print them."""
    platform = Platform.load("raspberry-pi-4")
    counts: Counter[str] = Counter()
    before: Counter[str] = Counter()

    def settle(progress: Progress) -> None:
        if progress.counts.shown <= SETTLED:
            before.update(counts - before)

    with tempfile.TemporaryDirectory() as folder:
        clip = write_clip(Path(folder) / "clip.mkv", frames=FRAMES)
        with Compositor(platform) as compositor:
            state = compositor.plugin._state
            owners = (compositor.plugin, compositor.plugin, state, state.answers)
            for owner, name in zip(owners, CALLS, strict=True):
                _count(owner, name, counts)
            with compositor.running():
                player = Player(
                    clip,
                    display=compositor.connect(),
                    platform=platform,
                    options=PlayOptions(fullscreen=True, paced=False),
                    on_progress=settle,
                )
                result = player.play()
    steady = result.frames.shown - SETTLED
    calls = sum((counts - before).values())
    print(
        f"calls to the plugin in {steady} displayed frames: {calls} ({calls / steady:.2f} a frame)"
    )
    tell_ratio("calls of the plugin, when nothing changes any more", calls / steady, "a frame")
    for name in CALLS:
        print(f"    {name}: {before[name]} at the start, {counts[name] - before[name]} after that")


def measure_copies() -> None:
    """Write pictures as NV12, copy as many bytes in between, and print how long both took."""
    code = parse_fourcc("NV12")
    sizes = [(plane.rows(HEIGHT), plane.row_bytes(WIDTH)) for plane in FORMATS[code].planes]
    size = sum(rows * row_bytes for rows, row_bytes in sizes)
    buffers = [[_plane(*one) for one in sizes] for _ in range(POOL)]
    sources, targets = ([np.ones(size, np.uint8) for _ in range(POOL)] for _ in range(2))
    for name, kind in (("4:2:0", "yuv420p"), ("NV12", "nv12")):
        pictures = [_picture(kind) for _ in range(POOL)]
        copied, written = [], []
        for turn in range(TURNS):
            one = turn % POOL
            copied.append(_seconds(np.copyto, targets[one], sources[one]))
            written.append(_seconds(write_picture, pictures[one], code, buffers[one]))
        least, most = 1000 * min(copied), 1000 * min(written)
        print(f"a picture of {name} written as NV12: {most:.2f} ms, memcpy {least:.2f} ms")
        tell_ratio(f"a picture of {name}, written as NV12", most / least, "memcpy", limit=COPIES)


def _plane(rows: int, row_bytes: int) -> PlaneView:
    memory = memoryview(bytearray(rows * row_bytes))
    return PlaneView(memory, row_bytes, rows, row_bytes)


def _picture(kind: str) -> av.VideoFrame:
    picture = av.VideoFrame(WIDTH, HEIGHT, kind)
    for plane in picture.planes:
        plane.update(bytes(plane.buffer_size))
    return picture


def _seconds(step: Callable[..., object], *arguments: object) -> float:
    """The processor time that something takes."""
    began = time.process_time()
    step(*arguments)
    return time.process_time() - began


def _count(owner: object, name: str, counts: Counter[str]) -> None:
    method: Callable[..., object] = getattr(owner, name)

    @functools.wraps(method)
    def counted(*arguments: object, **named: object) -> object:
        counts[name] += 1
        return method(*arguments, **named)

    setattr(owner, name, counted)


if __name__ == "__main__":
    main()
