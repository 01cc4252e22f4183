"""In the guest: a stock Weston on vkms with the module, and a player that negotiates.

    weston_scanout.py MODULE

Prints one JSON object: the heaps that were announced, the plan, what became of each frame
as the client was told, the unasked batches, and what Weston's own drm-backend log says of
the planes.
"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack

from weston import PATIENCE, Weston, seat

from heapwire.client_lib.buffer import Buffer, allocate
from heapwire.client_lib.connection import Connection
from heapwire.client_lib.heap_manager import HeapManager
from heapwire.client_lib.interfaces import listen
from heapwire.client_lib.linux_dmabuf import LinuxDmabuf
from heapwire.client_lib.window import Window
from heapwire.kernel.platform import Platform
from heapwire.protocol.model.constraint_set import ConstraintSet, FormatModifier
from heapwire.protocol.model.extents import Extent, Extents
from heapwire.protocol.model.format import parse_fourcc
from heapwire.protocol.model.modifier import LINEAR
from heapwire.protocol.model.participant import Participant, Usage
from heapwire.protocol.wire.batch import TrancheFlags

SIZE = Extent(1024, 768)  # the mode that vkms prefers
BUFFERS = 3
FRAMES = 30
PLAYER = Participant(
    name="player",
    usage=Usage.CPU_WRITE,
    sets=(ConstraintSet(formats=(FormatModifier(parse_fourcc("XRGB8888"), LINEAR),)),),
)


def present(connection: Connection, window: Window, buffer: Buffer) -> None:
    """Attach a buffer, and wait for the frame callback."""
    done: list[int] = []
    callback = window.surface.frame()
    listen(callback, connection.handler_failed, {"done": done.append})
    window.surface.attach(buffer.proxy, 0, 0)
    window.surface.damage(0, 0, SIZE.width, SIZE.height)
    window.surface.commit()
    connection.wait(lambda: bool(done), timeout=PATIENCE, what="frame")


def play(weston: Weston, stack: ExitStack) -> dict[str, object]:
    platform = Platform.local()
    connection = stack.enter_context(weston.connect())
    manager = HeapManager(connection, timeout=PATIENCE)
    window = stack.enter_context(
        Window(connection, title="player", fullscreen=True, timeout=PATIENCE)
    )
    negotiation = manager.surface_negotiation(window.surface)
    negotiation.set_participant(PLAYER)
    negotiation.set_extents(Extents(coded=SIZE))
    batch = negotiation.negotiate(timeout=PATIENCE)
    offer = batch.offers[0]
    dmabuf = LinuxDmabuf(connection, timeout=PATIENCE)
    buffers = []
    for _ in range(BUFFERS):
        buffer = stack.enter_context(allocate(offer.plan, platform.memory))
        dmabuf.import_buffer(buffer, SIZE).wait(timeout=PATIENCE)
        buffer.tag(negotiation, batch, offer)
        buffers.append(buffer)
    unasked = []
    negotiation.on_batch = unasked.append
    with weston.watched() as repaints:
        for frame in range(FRAMES):
            present(connection, window, buffers[frame % BUFFERS])
        connection.roundtrip(timeout=PATIENCE)
    return {
        "sources": sorted(source.name for source in manager.sources.values()),
        "plan": {
            "scanout": offer.plan.scanout,
            "sources": [manager.source_name(entry.source) for entry in offer.plan.layout.objects],
        },
        "statuses": [
            [buffer.status.status.name, buffer.status.reason.name] if buffer.status else None
            for buffer in buffers
        ],
        "unasked": [
            any(tranche.flags & TrancheFlags.SCANOUT for tranche in one.tranches) for one in unasked
        ],
        "repaints": len(repaints),
        "plane_only": repaints.plane_only,
        "module": weston.module_log,
    }


def main() -> None:
    with ExitStack() as stack:
        stack.enter_context(seat())
        weston = stack.enter_context(Weston("vm-0", shell="kiosk", module=sys.argv[1]))
        seen = play(weston, stack)
        print(json.dumps(seen))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
