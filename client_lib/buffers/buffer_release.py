"""When the compositor has done with a buffer, where it says so by points of a timeline."""

from __future__ import annotations

from heapwire.client_lib.wayland import CData
from heapwire.kernel.drm import Timeline
from heapwire.kernel.system import Owner


class BufferRelease(Owner):
    """A buffer's own timeline, one point for each time that it is shown; takes over both.

    One for several buffers would not do: a point that comes brings all before it along, and
    compositors release buffers in any order.
    """

    def __init__(self, timeline: Timeline, proxy: CData) -> None:
        self.timeline = timeline
        self.proxy = proxy
        self.point = 0

    @property
    def come(self) -> bool:
        """Whether the last use of the buffer is over."""
        return self.timeline.signalled(self.point)

    def close(self) -> None:
        """Destroy the object, and let go of the timeline."""
        if not self.proxy.destroyed:
            self.proxy.destroy()
        self.timeline.close()
