"""The ways that pictures take to the screen: in negotiated buffers, or else through wl_shm."""

from __future__ import annotations

from heapwire.client_lib.buffers import LinuxDmabuf, SharedMemory, Window
from heapwire.client_lib.negotiation import (
    Negotiation,
    NegotiationError,
    local_negotiation,
    offered_manager,
    shared_negotiation,
    shared_platform,
    surface_negotiation,
)
from heapwire.client_lib.wayland import Connection
from heapwire.kernel.description import Platform
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import FailureReason, Source


class Negotiated:
    """Buffers by plans, the compositor's or this process's, imported by linux-dmabuf."""

    def __init__(self, connection: Connection, platform: Platform | None, timeout: float) -> None:
        self.platform = platform
        self._timeout = timeout
        self._manager = offered_manager(connection, platform, timeout=timeout)
        self.importer = LinuxDmabuf(connection, timeout=timeout)

    @property
    def simulated(self) -> bool:
        """Whether the buffers are made of simulated memory."""
        return self.platform is not None and self.platform.simulated

    def negotiation(self, window: Window, own: Source | None = None) -> Negotiation:
        """What they are negotiated with.

        `own` is the memory that there is already: a plan that this process makes may be for it, so
        that no heap is needed.
        """
        if own is not None and self.platform is not None and self._manager is None:
            machine = self.platform
            if all(source.id != own.id for source in machine.sources):
                machine = replace(machine, sources=(*machine.sources, own))
            negotiation = local_negotiation(self.importer, machine, window.surface)
            negotiation.set_openable(machine.memory.openable | {own.id})
            return negotiation
        return surface_negotiation(
            self.importer,
            window.surface,
            self.platform,
            manager=self._manager,
            timeout=self._timeout,
        )


class Shared:
    """Buffers in this process's own memory, read by the compositor through `wl_shm`."""

    def __init__(self, importer: SharedMemory) -> None:
        self.importer = importer
        self.platform = shared_platform()

    @property
    def simulated(self) -> None:
        """The buffers are no dma-bufs of any kind."""
        return None

    def negotiation(self, _window: Window, _own: Source | None = None) -> Negotiation:
        """What they are laid out by."""
        return shared_negotiation(self.importer, self.platform)


def lacks_memory(error: Exception) -> bool:
    """Whether buffers to negotiate about are missing, and not the agreement about them."""
    if isinstance(error, NegotiationError):
        return error.reason is FailureReason.NO_SOURCE
    return True


def loss_text(error: Exception) -> str:
    """What is lost through wl_shm, and why it is."""
    return (
        f"shown through wl_shm ({error}): the CPU writes each frame, the compositor copies it "
        "again, and no display scans it out"
    )
