"""Notice when the machine changes: devices, heaps, links that appear late.

A device's list of heaps may be made after the device was announced, and a heap
may be registered after the device that names it; the kernel then says `change`
for the device (docs/kernel.md, "Events"). Nobody should work out from single
events what the machine is like now: when something happened, look again, and
compare.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from heapwire.kernel.system import Owner
from heapwire.protocol import MachineError, UsageError

# Subsystems whose devices make up a platform; what happens to others counts
# only when it is about links.
_SUBSYSTEMS = frozenset(("dma_heap", "drm", "video4linux"))
_LINKS = "DMA_HEAP_LINKS"
_UDEVD = Path("/run/udev/control")
_MOST = 1024  # events read in a row, so that a storm does not hold up the host's loop


class DeviceEvent(Protocol):
    """The part of pyudev.Device that is looked at."""

    @property
    def subsystem(self) -> str | None:
        """The class or bus."""

    @property
    def properties(self) -> Mapping[str, str]:
        """The event's keys and values."""


class Monitor(Protocol):
    """The part of pyudev.Monitor that is used."""

    def fileno(self) -> int:
        """A socket that is readable when there are events."""

    def poll(self, timeout: float | None = None) -> DeviceEvent | None:
        """The next event, None when there is none."""


class HotPlug(Owner):
    """A file descriptor for the host's event loop, readable when something happened.

    Behind udevd, events come when its rules have run and the modes of nodes are
    set; without it they come from the kernel itself. Use it in a `with` block,
    or call `close`. Raises `MachineError` where the kernel gives no such socket.
    """

    def __init__(self, monitor: Monitor | None = None) -> None:
        self._monitor: Monitor | None = _listen() if monitor is None else monitor

    def fileno(self) -> int:
        """The descriptor to poll for reading; `UsageError` when closed."""
        if self._monitor is None:
            raise UsageError("the watch for new devices is closed")
        return self._monitor.fileno()

    def changed(self) -> bool:
        """Read what has happened, without blocking: whether the platform may be another now."""
        if self._monitor is None:
            return False
        concerns_us = False
        for _ in range(_MOST):
            event = self._monitor.poll(timeout=0)
            if event is None:
                break
            if event.subsystem in _SUBSYSTEMS or _LINKS in event.properties:
                concerns_us = True  # and the rest is read, so that the socket is silent again
        return concerns_us

    def close(self) -> None:
        """Stop listening; the socket is closed with the monitor."""
        self._monitor = None


def _listen() -> Monitor:
    import pyudev

    source = "udev" if _UDEVD.exists() else "kernel"
    try:
        started = pyudev.Monitor.from_netlink(pyudev.Context(), source)
        started.start()
    except OSError as error:
        raise MachineError(f"no word of new devices from {source}: {error.strerror}") from error
    monitor: Monitor = started
    return monitor
