"""What stays resident while a video plays on, in the player and in the compositor.

    bench_memory.py [FRAMES]      2,000 by default; docs/security.md has the figures of 20,000

A player in this process shows a clip of small pictures on a `heapwire compositor` of its own;
the kernel says what each of the two has resident when so many frames have been shown.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import numpy as np

from heapwire.client_lib.player import Player, PlayOptions, Progress
from heapwire.kernel.description import Platform

PLATFORM = "raspberry-pi-4"
WIDTH, HEIGHT = 64, 48
SHARES = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0)  # of the frames, when it is looked at


def main() -> None:
    """Play, look and print."""
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    marks = [int(share * frames) for share in SHARES]
    with tempfile.TemporaryDirectory(prefix="heapwire-") as name:
        os.environ["XDG_RUNTIME_DIR"] = name
        clip = written(Path(name) / "clip.mp4", frames)
        command = [sys.executable, "-m", "heapwire.cli.main", "compositor"]
        with subprocess.Popen(
            [*command, "--platform", PLATFORM, "--socket", "bench-0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as compositor:
            assert compositor.stdout is not None
            compositor.stdout.readline()  # that it is ready
            try:
                played(clip, compositor.pid, marks)
            finally:
                compositor.terminate()


def played(clip: Path, compositor: int, marks: list[int]) -> None:
    """Play a clip and print what is resident at the marks."""
    print("  frames shown   player KiB   compositor KiB")

    def look(progress: Progress) -> None:
        if marks and progress.counts.shown >= marks[0]:
            row = f"{marks.pop(0):14} {resident('self'):12} {resident(compositor):16}"
            print(row, flush=True)

    options = PlayOptions(fullscreen=True, paced=False)
    platform = Platform.load(PLATFORM)
    Player(clip, display="bench-0", platform=platform, options=options, on_progress=look).play()


def resident(process: int | str) -> int:
    """KiB of memory, as the kernel counts it."""
    status = Path(f"/proc/{process}/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0])


def written(path: Path, frames: int) -> Path:
    """Encode pictures that move."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("h264", rate=60, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        for number in range(frames):
            picture[:] = number % 256
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


if __name__ == "__main__":
    main()
