"""What stays resident while a video plays on, and where clients give long sets and hang up.

    make bench-memory               2,000 frames
    make bench-memory ARGS=20000    those that docs/security.md has the figures of

A player in this process shows a clip of small pictures on a `heapwire compositor` of its own;
the kernel says what each of the two has resident when so many frames have been shown. Then
clients come to another compositor one after the other, give as many sets of 250 KiB as one may
have, and hang up; and at last as many at a time as may have that together.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import shared_modules
from asked_questions import LONG_SETS, PATIENCE, long_values, made
from coded_clip import coded_clip
from ratio_table import tell_ratio

from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.client_lib.player import Player, PlayOptions, Progress
from heapwire.client_lib.wayland import Connection
from heapwire.compositor_plugin.clients.client_use import ALL_SET_BYTES
from heapwire.kernel.description import Platform

PLATFORM = "raspberry-pi-4"
SIZE, CODEC, OPTIONS = (64, 48), "h264", {"preset": "ultrafast"}
SHARES = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0)  # of the frames, when it is looked at


SETS = 2000
SET_MARKS = (100, 500, 1000, SETS)  # when it is looked at
GIVEN = 28  # sets at a time: of more, all together would have too much
# KiB. What all clients may have of sets, and answers that are kept, whose questions have some.
LIMIT = ALL_SET_BYTES // 1024 + 16384


def main() -> None:
    """Play, look and print; then the same with sets."""
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    marks = [int(share * frames) for share in SHARES]
    with tempfile.TemporaryDirectory(prefix="heapwire-") as name:
        os.environ["XDG_RUNTIME_DIR"] = name
        clip = coded_clip(Path(name) / "clip.mp4", CODEC, OPTIONS, size=SIZE, pictures=frames)
        with compositor() as pid:
            played(clip, pid, marks)
        with compositor() as pid:
            given(pid)


@contextmanager
def compositor() -> Iterator[int]:
    """A compositor of its own; its number."""
    command = [sys.executable, "-m", "heapwire.cli.main", "compositor"]
    with subprocess.Popen(
        [*command, "--platform", PLATFORM, "--socket", "bench-0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # that it is ready
        try:
            yield process.pid
        finally:
            process.terminate()


def given(pid: int) -> None:
    """Give sets and print what is resident, by those who hang up and by those who stay."""
    before = resident(pid)
    print(f"  sets of 250 KiB   compositor KiB\n  {0:15} {before:16}")
    for number in range(LONG_SETS, SETS + 1, LONG_SETS):
        with Connection("bench-0") as connection:
            give(connection)
        if number in SET_MARKS:
            told(f"{number}", before, resident(pid))
    staying = [Connection("bench-0") for _ in range(GIVEN // LONG_SETS)]
    for connection in staying:
        give(connection)
    told(f"{GIVEN} at a time", before, resident(pid))
    for connection in staying:
        connection.close()


def give(connection: Connection) -> None:
    """As many sets as one client may have, each asked about."""
    manager = NegotiationManager(connection)
    for _ in range(LONG_SETS):
        made(manager, long_values()).negotiate(timeout=PATIENCE)


def told(what: str, before: int, now: int) -> None:
    """Print a row, and whether that is more than the bounds allow."""
    verdict = "" if now - before <= LIMIT else f"  ABOVE {before} + {LIMIT} KiB"
    print(f"  {what:>15} {now:16}{verdict}", flush=True)
    figure = f"memory, sets of 250 KiB: {what}"
    tell_ratio(figure, (now - before) / LIMIT, f"the {LIMIT} KiB that the bounds allow", limit=1)


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


if __name__ == "__main__":
    main()
