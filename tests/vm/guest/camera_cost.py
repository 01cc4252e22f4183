"""In the guest: what a frame of a camera costs on a stock Weston, by each way to the screen.

Shows vivid's 1080p stream in a window that fills the screen: in negotiated buffers, and copied
through wl_shm. Prints for each, per frame that was shown: processor time of the player and of
Weston, bytes that the player copied, and the time from dequeuing a frame to the screen.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
from pathlib import Path

from limits import PATIENCE
from observe import node_named
from played import played
from step_limit import step_limit
from weston import Weston, seat

from heapwire.client_lib import CameraMaterial, Player, PlayOptions
from heapwire.kernel.discovery import local_platform
from heapwire.protocol.values import Extent, parse_fourcc

FRAMES, SETTLED = 32, 8  # shown in all, and before it is measured
SIZE = Extent(1920, 1080)
TICK = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid):
    """User and system time of a process, with all its threads (proc(5), /proc/pid/stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def own_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def cost(weston, platform, *, negotiated):
    fates, spent = [], []

    def told(fate):
        fates.append(fate)
        if len(fates) % SETTLED == 0:
            spent.append((len(fates), own_seconds(), processor_seconds(weston.process.pid)))

    material = CameraMaterial(
        platform,
        node_named("vivid-000-vid-cap"),
        extent=SIZE,
        formats=[parse_fourcc("XRGB8888")],
    )
    result = Player(
        material,
        display=weston.socket,
        # Without a platform there is nothing to negotiate about, and wl_shm is what is left.
        platform=platform if negotiated else None,
        options=PlayOptions(frames=FRAMES, fullscreen=True, timeout=PATIENCE),
        on_fate=told,
    ).play()
    frames, *seconds = (last - first for first, last in zip(spent[0], spent[-1], strict=True))
    player, compositor = (1000 * one / frames for one in seconds)
    latencies = [one.latency for one in fates[SETTLED:] if one.latency is not None]
    return {
        **played(result),
        "through_shm": result.shared,
        "player_ms": round(player, 2),
        "weston_ms": round(compositor, 2),
        "latency_ms": round(1000 * statistics.median(latencies), 1) if latencies else None,
    }


def main():
    told = {}
    platform = local_platform()
    with seat(), Weston("vm-cost", shell="kiosk", size=SIZE) as weston:
        for name, negotiated in (("zero copy", True), ("wl_shm", False)):
            with step_limit(name):
                told[name] = cost(weston, platform, negotiated=negotiated)
            print(name, told[name], file=sys.stderr, flush=True)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
