"""`zwp_linux_dmabuf_feedback_v1`: which formats, for which device.

A batch is only sent when it differs from the last one: clients allocate anew
for each. While a surface is a candidate for scanout, the display comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference import WlSurface, interface_table
from heapwire.compositor_plugin.server import EventSource, NewId, Resource
from heapwire.protocol.wire import DmabufFeedback

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.dmabuf.feedback_batches import FeedbackBatch
    from heapwire.compositor_plugin.hosts.reference.scene import Desktop


class ZwpLinuxDmabufFeedbackV1(Resource):
    """One feedback object; inert when its surface is gone."""

    INTERFACE = interface_table("zwp_linux_dmabuf_feedback_v1")
    VERSION = min(6, INTERFACE.version)
    WEIGHT = 4  # each is told of what happens to its surface

    def __init__(self, new_id: NewId, desktop: Desktop, surface: WlSurface | None) -> None:
        super().__init__(new_id)
        self._desktop = desktop
        self._surface = surface.address if surface is not None else None
        self.said: DmabufFeedback | None = None
        """What was sent last, or is being sent."""
        self._upgrade: EventSource | None = None
        desktop.feedbacks.add(self, self._surface)
        self._send_batch(first=True)

    def state_changed(self) -> None:
        """The state of its surface changed: that may be a candidate now, or be none any more."""
        wanted, said = self._wanted().said, self.said
        if wanted == said:
            self._stop_waiting()
        elif said is None or len(wanted.tranches) < len(said.tranches):
            self._stop_waiting()
            self._send_batch()
        elif self._upgrade is None:
            self._upgrade = self._desktop.display.loop.add_timer(self._lasted)
            self._upgrade.arm(self._desktop.debounce)

    def surface_gone(self) -> None:
        """Its surface is no more: nothing is sent any more."""
        self._surface = None
        self._stop_waiting()

    def on_destroy(self) -> None:
        """The object is gone."""
        self._stop_waiting()
        self._desktop.feedbacks.discard(self, self._surface)

    def _lasted(self) -> None:
        self._stop_waiting()
        self._send_batch()

    def _stop_waiting(self) -> None:
        if self._upgrade is not None:
            self._upgrade.remove()
            self._upgrade = None

    def _wanted(self) -> FeedbackBatch:
        desktop = self._desktop
        state = desktop.surface_state(self._surface) if self._surface else None
        candidate = state is not None and state.candidate
        return desktop.dmabuf.batches.of(self, candidate=candidate)

    def _send_batch(self, *, first: bool = False) -> None:
        wanted = self._wanted()
        if wanted.said == self.said:
            return
        self.said = wanted.said
        if first:
            with self._desktop.tables.opened(wanted.table) as fd:
                self.send("format_table", fd, len(wanted.table))
        self.send_encoded(wanted.events)
        if self._desktop.plugin is not None:
            self._desktop.plugin.batch_ends(self.address)
        self.send("done")
