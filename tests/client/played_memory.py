"""Play a clip on a compositor in this process, and print how much memory both have meanwhile.

A program of its own, run with PYTHONMALLOC=malloc: so what Python has is counted with what C has,
by glibc, in bytes. What is resident are pages, of which a leak fills one in ten frames.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import tempfile
from pathlib import Path

from coded_clip import coded_clip
from patience import PATIENCE

from heapwire.client_lib import Player, PlayOptions
from heapwire.client_lib.player import Progress
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform

SIZE = 64, 48  # small: pictures on their way come and go, and hide less
EACH = 10  # frames between two looks


class Mallinfo(ctypes.Structure):
    """glibc's `struct mallinfo2` (malloc.h)."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def main(frames: int, fullscreen: bool) -> None:
    """Play, and print the bytes in use at every `EACH` frames.

    Before each look Python gives back the tuples that it keeps for later, up to 2,000 of a size.
    """
    mallinfo = ctypes.CDLL(None).mallinfo2
    mallinfo.restype = Mallinfo
    used: dict[int, int] = {}

    def progress(now: Progress) -> None:
        if now.counts.shown % EACH == 0:
            gc.collect()
            told = mallinfo()
            used[now.counts.shown] = told.uordblks + told.hblkhd

    platform = Platform.load("raspberry-pi-4")
    compositor = Compositor(platform)
    with tempfile.TemporaryDirectory() as folder, compositor, compositor.running():
        Player(
            coded_clip(Path(folder) / "clip.mp4", "mpeg4", {}, size=SIZE, pictures=frames),
            display=compositor.connect(),
            platform=platform,
            options=PlayOptions(fullscreen=fullscreen, paced=False, timeout=PATIENCE),
            on_progress=progress,
        ).play()
    print(json.dumps(used))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] == "fullscreen")
