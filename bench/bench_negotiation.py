"""What a negotiation costs, as ratios measured in one run.

The plugin serves in a process of its own; a client on the other end of a socket
alternates `wl_display.sync` with a commit, so that both see the same machine.
"""

from __future__ import annotations

import os
import signal
import socket
import statistics
import time
from collections.abc import Callable

from ratio_table import tell_ratio

from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.client_lib.wayland import Connection
from heapwire.compositor_plugin import (
    HeapPlugin,
    SecurityContext,
    SurfaceState,
)
from heapwire.compositor_plugin.server import OwnDisplay
from heapwire.kernel.description import Platform
from heapwire.protocol.values import LINEAR, Extent, Extents, FormatModifier, Usage, parse_fourcc

ROUNDS = 400
PLATFORM = "raspberry-pi-4"
FORMATS = frozenset(FormatModifier(parse_fourcc(name), LINEAR) for name in ("NV12", "XRGB8888"))


class BareHost:
    """A host that imports two formats and has no surfaces."""

    def surface_state(self, surface: int) -> SurfaceState | None:
        return None

    def importable_formats(self, client: int, surface: int | None) -> frozenset[FormatModifier]:
        return FORMATS

    def dmabuf_feedback(self, feedback: int) -> None:
        return None

    def security_context(self, client: int) -> SecurityContext | None:
        return None


def serve(fd: int) -> None:
    """Serve one client on a socket until the process is ended."""
    display = OwnDisplay()
    plugin = HeapPlugin(display.address, Platform.load(PLATFORM), BareHost())
    display.add_client(fd)
    while not plugin.closed:
        display.dispatch(-1)


def timed(work: Callable[[], object]) -> float:
    """Microseconds that some work takes."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e6


def main() -> None:
    """Measure and print."""
    ours, theirs = socket.socketpair()
    server = os.fork()
    if server == 0:
        ours.close()
        serve(theirs.detach())
        os._exit(0)
    theirs.close()
    try:
        measure(ours.detach())
    finally:
        os.kill(server, signal.SIGKILL)
        os.waitpid(server, 0)


def measure(fd: int) -> None:
    """Alternate the two on one connection."""
    platform = Platform.load(PLATFORM)
    with Connection(fd) as connection:
        negotiation = NegotiationManager(connection).default_negotiation()
        negotiation.set_participant(platform.participant("codec", Usage.DECODE))
        # The Pi's decoder writes 1920x1920 at the most.
        sizes = [
            Extents(coded=Extent(1280 + 16 * (step % 40), 720 + 16 * (step // 40)))
            for step in range(ROUNDS)
        ]
        syncs, fresh, again = [], [], []
        for size in sizes:
            syncs.append(timed(connection.roundtrip))
            negotiation.set_extents(size)
            fresh.append(timed(negotiation.negotiate))
            again.append(timed(negotiation.negotiate))
        sync = statistics.median(syncs)
        print(f"wl_display.sync round trip: median {sync:.0f} us of {ROUNDS}")
        for name, samples in (("a new question", fresh), ("the same question", again)):
            median = statistics.median(samples)
            print(
                f"commit to done, {name}: median {median:.0f} us, {median / sync:.1f} round trips"
            )
            tell_ratio(f"commit to done, {name}", median / sync, "a wl_display.sync")


if __name__ == "__main__":
    main()
