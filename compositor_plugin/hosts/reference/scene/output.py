"""An output: where it is, how large, and when it refreshes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference.scene.region import Rect
from heapwire.compositor_plugin.server import Client, EventLoop
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import Extent

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference import WlOutput
    from heapwire.compositor_plugin.hosts.reference.scene.buffer_hold import BufferHold

_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputMode:
    """What an output is to be: its size in pixels, and its refresh rate in mHz.

    `scale` is how many pixels there are to one in surface coordinates.
    """

    name: str = "SIM-1"
    extent: Extent = Extent(1920, 1080)
    refresh: int = 60_000
    scale: int = 1


class Output:
    """One output. It ticks only while there is something to show.

    `x` is where it begins in the space that all outputs share; `period` is in
    nanoseconds. `retired` are buffers that leave the screen with the next tick. One that is
    `gone` was unplugged, or its compositor ends.
    """

    def __init__(
        self, mode: OutputMode, x: int, loop: EventLoop, on_tick: Callable[[Output], None]
    ) -> None:
        self.mode = mode
        self.period = round(_NANOSECONDS * 1000 / mode.refresh)
        self.rect = Rect(
            x, 0, -(-mode.extent.width // mode.scale), -(-mode.extent.height // mode.scale)
        )
        self.resources: set[WlOutput] = set()
        self.retired: list[BufferHold] = []
        self.sequence = 0
        self.gone = False
        self._timer = loop.add_timer(lambda: self._fired(on_tick))
        self._scheduled = False

    @property
    def name(self) -> str:
        """Its name."""
        return self.mode.name

    @property
    def presented_at(self) -> int:
        """When the tick of `sequence` was, in nanoseconds of CLOCK_MONOTONIC."""
        return self.sequence * self.period

    def schedule(self) -> None:
        """Something changed: tick at the next refresh."""
        if self._scheduled:
            return
        self._scheduled = True
        now = time.monotonic_ns()
        due = max(self.sequence + 1, now // self.period + 1) * self.period
        self._timer.arm(max(1, -(-(due - now) // 1_000_000)))  # never before it is due

    def resources_of(self, client: Client) -> Iterable[WlOutput]:
        """The objects that a client has of the output."""
        return [resource for resource in self.resources if resource.client == client]

    def release_retired(self) -> None:
        """Give back the buffers that are not on the screen any more."""
        retired, self.retired = self.retired, []
        for hold in retired:
            hold.release()

    def close(self) -> None:
        """Stop ticking."""
        self.gone = True
        self._timer.remove()
        self.release_retired()

    def _fired(self, on_tick: Callable[[Output], None]) -> None:
        self._scheduled = False
        self.sequence = time.monotonic_ns() // self.period
        on_tick(self)
