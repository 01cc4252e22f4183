"""Runs in the guest: timelines of the kernel's, and what plays with them; prints it as JSON.

    explicit_sync.py PROGRAM

The program is tests/c/sync.c, which has the C client's timelines.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from fractions import Fraction
from pathlib import Path

from limits import PATIENCE

import heapwire.client_lib.buffers.surface_sync as surface_sync
from heapwire.client_lib.compliance import cases_named, result_line, run_cases
from heapwire.client_lib.player import PatternMaterial, Player, PlayOptions
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.discovery import local_platform
from heapwire.kernel.drm import Timelines, open_drm, open_timelines
from heapwire.protocol.values import Extent

NODES = sorted(map(str, Path("/dev/dri").iterdir()))
SIZE = Extent(320, 200)
FRAMES = 20
LATEST = (1 << 64) - 1


def drivers():
    """Which drivers have timelines, by the nodes that they are asked at."""
    found = {}
    for node in NODES:
        if not Path(node).is_char_device():
            continue
        with open_drm(node) as device:
            name = device.driver
        found.setdefault(name, []).append(has_timelines(node))
    return found


def opened() -> Timelines:
    timelines = open_timelines(simulated=False)
    assert timelines is not None
    return timelines


def points():
    """What the kernel makes of points, by the words of what is tried."""
    seen = {}
    with closing(opened()) as ours, closing(opened()) as theirs:
        made = ours.create()
        fd = made.export()
        imported = theirs.imported(fd)
        seen["a new timeline has come to nothing"] = not made.signalled(1)
        made.signal(7)
        seen["what one signals has come for the other"] = imported.signalled(7)
        seen["and all before it"] = imported.signalled(1)
        seen["and nothing behind it"] = not imported.signalled(8)
        made.signal(5)
        seen["an earlier point takes nothing back"] = imported.signalled(7)
        eventfd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        seen["the kernel tells"] = imported.notify(9, eventfd)
        seen["not before"] = not readable(eventfd)
        seen["another process signals"] = os.waitpid(signals(fd, 9), 0)[1] == 0
        seen["and then it does"] = readable(eventfd)
        os.eventfd_read(eventfd)
        imported.notify(9, eventfd)
        seen["at once of what has come"] = readable(eventfd)
        made.signal(LATEST)
        seen["the largest point comes"] = imported.signalled(LATEST)
        os.close(fd)
        made.close()
        seen["a timeline outlives who made it"] = imported.signalled(LATEST)
        os.close(eventfd)
        with Path(os.devnull).open("rb") as file:
            try:
                theirs.imported(file.fileno())
            except OSError as error:
                seen["what is none is refused"] = error.errno
    return seen


def readable(fd: int) -> bool:
    return bool(select.select([fd], [], [], 0)[0])


def signals(fd: int, point: int) -> int:
    """A process that signals a point of a timeline that it was handed."""
    child = os.fork()
    if child == 0:
        try:
            with closing(opened()) as timelines:
                timelines.imported(fd).signal(point)
            os._exit(0)
        finally:
            os._exit(1)
    return child


def played(platform, folder: str, name: str):
    """A test pattern: how it was synchronised, and the checksums of its pictures."""
    with (
        Compositor(platform, size=SIZE, socket=name, record=True) as compositor,
        compositor.running(),
    ):
        player = Player(
            PatternMaterial("full", SIZE, Fraction(30)),
            display=f"{folder}/{name}",
            platform=platform,
            options=PlayOptions(paced=False, fullscreen=True, frames=FRAMES, timeout=PATIENCE),
        )
        result = player.play()
        shown = [frame.crc32 for frame in compositor.frames]
    return {"explicit": result.explicit_sync, "shown": result.frames.shown, "pictures": shown}


def by_the_c_client(platform, folder, program):
    """The steps that the program says, and after each the brightest pixel shown by then."""
    node = next(node for node in NODES if has_timelines(node))
    seen, brightest = [], [0]

    def look(_record, pixels):
        brightest.append(max(brightest[-1], int(pixels()[..., :3].max())))

    with (
        Compositor(platform, size=SIZE, socket="c", on_frame=look) as compositor,
        compositor.running(),
        subprocess.Popen(
            [program, node],
            env={**os.environ, "WAYLAND_DISPLAY": f"{folder}/c"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as client,
    ):
        for word in client.stdout:
            wanted = {"signalled": 0x40, "replaced": 0x80}.get(word.strip(), 0)
            deadline = time.monotonic() + PATIENCE
            while brightest[-1] < wanted and time.monotonic() < deadline:
                time.sleep(0.01)
            seen.append([word.strip(), brightest[-1]])
            client.stdin.write("\n")
            client.stdin.flush()
        errors = client.stderr.read()
    return {"steps": seen, "errors": errors, "status": client.returncode}


def has_timelines(node):
    timelines = open_timelines(simulated=False, nodes=[node])
    if timelines is not None:
        timelines.close()
    return timelines is not None


def main() -> None:
    seen = {"drivers": drivers(), "points": points()}
    platform = local_platform()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        with Compositor(platform, socket="checked") as compositor, compositor.running():
            cases, path = cases_named(["sync"]), f"{folder}/checked"
            ran = run_cases(cases, path, platform, timeout=PATIENCE)
            seen["cases"] = [result_line(result) for result in ran]
        seen["c"] = by_the_c_client(platform, folder, sys.argv[1])
        seen["explicit"] = played(platform, folder, "explicit")
        surface_sync.open_timelines = lambda *, simulated: None
        seen["implicit"] = played(platform, folder, "implicit")
    json.dump(seen, sys.stdout)


main()
