"""`zwp_linux_dmabuf_feedback_v1`: which formats, for which device.

A batch is only sent when it differs from the last one: clients allocate anew
for each. While a surface is a candidate for scanout, the display comes first.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference import WlSurface, interface_table
from heapwire.compositor_plugin.server import EventSource, NewId, Resource
from heapwire.protocol.wire import (
    DmabufFeedback,
    DmabufTranche,
    DmabufVersion,
    TrancheFlags,
    encode_device,
    encode_table,
)

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.scene import Desktop


class ZwpLinuxDmabufFeedbackV1(Resource):
    """One feedback object; inert when its surface is gone."""

    INTERFACE = interface_table("zwp_linux_dmabuf_feedback_v1")
    VERSION = min(6, INTERFACE.version)

    def __init__(self, new_id: NewId, desktop: Desktop, surface: WlSurface | None) -> None:
        super().__init__(new_id)
        self._desktop = desktop
        self._surface = surface.address if surface is not None else None
        self.said: DmabufFeedback | None = None
        """What was sent last, or is being sent."""
        self._upgrade: EventSource | None = None
        desktop.feedbacks.add(self)
        self._send_batch(first=True)

    def state_changed(self, surface: int) -> None:
        """The state of a surface changed: it may have become a candidate, or ceased to be one."""
        if self._surface != surface:
            return
        wanted, said = self._wanted(), self.said
        if wanted == said:
            self._stop_waiting()
        elif said is None or len(wanted.tranches) < len(said.tranches):
            self._stop_waiting()
            self._send_batch()
        elif self._upgrade is None:
            self._upgrade = self._desktop.display.loop.add_timer(self._lasted)
            self._upgrade.arm(self._desktop.debounce)

    def surface_gone(self, address: int) -> None:
        """Surfaces go; if it is this one's, nothing is sent any more."""
        if self._surface == address:
            self._surface = None
            self._stop_waiting()

    def on_destroy(self) -> None:
        """The object is gone."""
        self._stop_waiting()
        self._desktop.feedbacks.discard(self)

    def _lasted(self) -> None:
        self._stop_waiting()
        self._send_batch()

    def _stop_waiting(self) -> None:
        if self._upgrade is not None:
            self._upgrade.remove()
            self._upgrade = None

    def _wanted(self) -> DmabufFeedback:
        dmabuf = self._desktop.dmabuf
        renderer = dmabuf.renderer or dmabuf.display
        device = renderer.id if renderer else None
        table = tuple(sorted(dmabuf.formats))
        from_6 = self.version >= DmabufVersion.SAMPLING
        flags = TrancheFlags.SAMPLING if from_6 else TrancheFlags(0)
        tranches = [DmabufTranche(device, flags, table)]
        state = self._desktop.surface_state(self._surface) if self._surface else None
        if state is not None and state.candidate and dmabuf.scanout_formats:
            display = dmabuf.display.id if dmabuf.display else None
            pairs = tuple(sorted(dmabuf.scanout_formats))
            tranches.insert(0, DmabufTranche(display, TrancheFlags.SCANOUT, pairs))
        return DmabufFeedback(
            version=self.version,
            tranches=tuple(tranches),
            main_device=None if from_6 else device,
            table=table,
        )

    def _send_batch(self, *, first: bool = False) -> None:
        wanted = self._wanted()
        if wanted == self.said:
            return
        self.said = wanted
        if first:
            content = encode_table(wanted.table)
            with self._desktop.tables.opened(content) as fd:
                self.send("format_table", fd, len(content))
        if self.version < DmabufVersion.SAMPLING:
            self.send("main_device", encode_device(wanted.main_device))
        index = {pair: position for position, pair in enumerate(wanted.table)}
        for tranche in wanted.tranches:
            indices = [index[pair] for pair in tranche.formats]
            self.send("tranche_target_device", encode_device(tranche.device))
            self.send("tranche_flags", int(tranche.flags))
            self.send("tranche_formats", struct.pack(f"={len(indices)}H", *indices))
            self.send("tranche_done")
        if self._desktop.plugin is not None:
            self._desktop.plugin.batch_ends(self.address)
        self.send("done")
