"""The timelines that clients have handed in, and how many each may have."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from contextlib import suppress

from heapwire.compositor_plugin.server import Client, Listener
from heapwire.kernel.drm import Timeline, Timelines
from heapwire.kernel.system import Owner

MOST_TIMELINES = 256
"""Of one client: one for each of its buffers and one more would do."""


class ClientTimelines(Owner):
    """Takes over `devices`, of which the first that can imports a timeline.

    A timeline counts until nothing refers to it any more: a buffer that is on the screen keeps
    the point that is signalled for it.
    """

    def __init__(self, devices: Sequence[Timelines]) -> None:
        self._devices = devices
        self._of: dict[Client, tuple[weakref.WeakSet[Timeline], Listener]] = {}

    def imported(self, client: Client, fd: int) -> Timeline:
        """A client's timeline; the fd stays the caller's.

        Raises `OSError` if it is none, and `MemoryError` where the client has too many.
        """
        entry = self._of.get(client)
        if entry is None:
            listener = client.on_destroy(lambda: self._forget(client))
            entry = self._of[client] = (weakref.WeakSet(), listener)
        if len(entry[0]) >= MOST_TIMELINES:
            raise MemoryError(f"more than {MOST_TIMELINES} timelines")
        timeline = self._imported(fd)
        entry[0].add(timeline)
        return timeline

    def close(self) -> None:
        """Let go of the device, and of what clients have left."""
        for _, listener in self._of.values():
            listener.remove()
        self._of.clear()
        for device in self._devices:
            device.close()

    def _imported(self, fd: int) -> Timeline:
        *others, last = self._devices
        for device in others:
            with suppress(OSError):
                return device.imported(fd)
        return last.imported(fd)

    def _forget(self, client: Client) -> None:
        del self._of[client]
