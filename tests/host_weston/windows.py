"""Clients of the tests: a window with shared memory, and a decoder that negotiates."""

from __future__ import annotations

import os
from collections.abc import Callable

from patience import PATIENCE
from pywayland.protocol.wayland import WlShm

from heapwire.client_lib import BufferStatus, Negotiation
from heapwire.client_lib.buffers import Window
from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.client_lib.wayland import AnyProxy, Connection, listen
from heapwire.protocol.values import (
    BY_NAME,
    LINEAR,
    Constraint,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Participant,
    Provenance,
    Usage,
    parse_fourcc,
)
from heapwire.protocol.wire import Batch, TrancheFlags

SIZE = Extent(320, 240)
HEADLESS = Extent(1024, 640)  # the size of Weston's headless output

DECODER = Participant(
    name="decoder",
    usage=Usage.DECODE,
    sets=(
        ConstraintSet(
            formats=tuple(
                FormatModifier(parse_fourcc(name), LINEAR) for name in ("NV12", "XRGB8888")
            ),
            constraints=(
                Constraint(
                    type=BY_NAME["pitch-alignment"].type, value=64, provenance=Provenance.KERNEL
                ),
            ),
        ),
    ),
)


class Client:
    """A connection with a manager and, if wanted, a window and its negotiation."""

    def __init__(
        self, connection: Connection, *, fullscreen: bool = True, extension: bool = True
    ) -> None:
        self.connection = connection
        self.window = Window(connection, title="test", fullscreen=fullscreen, timeout=PATIENCE)
        self.batches: list[Batch] = []
        self.statuses: list[BufferStatus] = []
        if extension:
            self.manager = NegotiationManager(connection, timeout=PATIENCE)
            self.negotiation: Negotiation = self.manager.surface_negotiation(self.window.surface)
            self.negotiation.on_batch = self.batches.append
        self._shm: AnyProxy = connection.bind(WlShm, maximum=1)[0]

    def negotiate(self) -> Batch:
        """Ask with a decoder, for 1080p."""
        self.negotiation.set_participant(DECODER)
        self.negotiation.set_extents(Extents(coded=Extent(1920, 1080)))
        return self.negotiation.negotiate(timeout=PATIENCE)

    def shm_buffer(self, extent: Extent) -> AnyProxy:
        """A wl_buffer of shared memory; the pool is gone again."""
        size = extent.width * extent.height * 4
        fd = os.memfd_create("window")
        try:
            os.ftruncate(fd, size)
            pool = self._shm.create_pool(fd, size)
        finally:
            os.close(fd)
        arguments = (0, extent.width, extent.height, extent.width * 4, WlShm.format.xrgb8888.value)
        buffer = pool.create_buffer(*arguments)
        pool.destroy()
        return buffer

    def show(self, buffer: AnyProxy, extent: Extent) -> None:
        """Put a buffer on the window, and wait until the frame callback has come."""
        surface = self.window.surface
        done: list[int] = []
        callback = surface.frame()
        listen(callback, self.connection.handler_failed, {"done": done.append})
        surface.attach(buffer, 0, 0)
        surface.damage(0, 0, extent.width, extent.height)
        surface.commit()
        self.connection.wait(lambda: bool(done), timeout=PATIENCE, what="frame")

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        self.connection.wait(condition, timeout=PATIENCE, what=what)


def offers_scanout(batch: Batch) -> bool:
    """Whether a batch describes buffers that would be scanned out."""
    return any(tranche.flags & TrancheFlags.SCANOUT for tranche in batch.tranches)
