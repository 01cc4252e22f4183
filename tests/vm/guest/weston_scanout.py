"""In the guest: a client that draws with the CPU, told of each of its buffers.

What became of each buffer as the client was told, how many frames wp_presentation says were
not copied, the unasked batches, and what Weston's own drm-backend log says of the planes.
"""

from __future__ import annotations

from contextlib import ExitStack

from limits import PATIENCE

from heapwire.client_lib.buffers import LinuxDmabuf, Window, allocate
from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.kernel.discovery import local_platform
from heapwire.protocol.values import (
    LINEAR,
    ConstraintSet,
    Extents,
    FormatModifier,
    Participant,
    Usage,
    parse_fourcc,
)
from heapwire.protocol.wire import TrancheFlags

BUFFERS = 3
FRAMES = 30
PLAYER = Participant(
    name="player",
    usage=Usage.CPU_WRITE,
    sets=(ConstraintSet(formats=(FormatModifier(parse_fourcc("XRGB8888"), LINEAR),)),),
)


def present(connection, window, buffer, size):
    """Put a buffer on the screen; whether Weston says that it was not copied."""
    shown = []
    window.show(buffer, size, shown=shown.append)
    connection.wait(lambda: bool(shown) and window.ready, timeout=PATIENCE, what="frame")
    return shown[0] is not None and shown[0].zero_copy


def scanned_out(weston, size):
    """Show some frames of a size, which is that of the output, in a few buffers."""
    with ExitStack() as stack:
        return _shown(weston, size, stack)


def _shown(weston, size, stack):
    platform = local_platform()
    connection = stack.enter_context(weston.connect())
    manager = NegotiationManager(connection, timeout=PATIENCE)
    window = stack.enter_context(
        Window(connection, title="player", fullscreen=True, timeout=PATIENCE)
    )
    negotiation = manager.surface_negotiation(window.surface)
    negotiation.set_participant(PLAYER)
    negotiation.set_extents(Extents(coded=size))
    batch = negotiation.negotiate(timeout=PATIENCE)
    offer = batch.offers[0]
    dmabuf = LinuxDmabuf(connection, timeout=PATIENCE)
    buffers = []
    for _ in range(BUFFERS):
        buffer = stack.enter_context(allocate(offer.plan, platform.memory))
        dmabuf.import_buffer(buffer, size).wait(timeout=PATIENCE)
        buffer.watch(negotiation)
        buffers.append(buffer)
    unasked = []
    negotiation.on_batch = unasked.append
    with weston.watched() as repaints:
        uncopied = [
            present(connection, window, buffers[frame % BUFFERS], size) for frame in range(FRAMES)
        ]
        connection.roundtrip(timeout=PATIENCE)
    return {
        "sources": sorted(source.name for source in manager.sources.values()),
        "plan": {
            "scanout": offer.plan.scanout,
            "sources": [manager.source_name(entry.source) for entry in offer.plan.layout.objects],
        },
        "statuses": [
            [buffer.status.result.name, buffer.status.reason.name] if buffer.status else None
            for buffer in buffers
        ],
        "unasked": [
            any(tranche.flags & TrancheFlags.SCANOUT for tranche in one.tranches) for one in unasked
        ],
        "zero_copy": sum(uncopied),
        "repaints": len(repaints),
        "plane_only": repaints.plane_only,
        "module": weston.module_log,
    }
