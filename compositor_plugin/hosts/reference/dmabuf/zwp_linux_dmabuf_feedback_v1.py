"""`zwp_linux_dmabuf_feedback_v1`: which formats, for which device.

A batch is only sent when it differs from the last one: clients allocate anew
for each. While a surface is a candidate for scanout, the display comes first.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from heapwire.compositor_plugin.hosts.reference import WlSurface, interface_table
from heapwire.compositor_plugin.server import EventSource, NewId, Resource
from heapwire.protocol.values import FormatModifier
from heapwire.protocol.wire import DmabufVersion, TrancheFlags, encode_device, encode_table

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.scene import Desktop


class _Tranche(NamedTuple):
    device: bytes
    flags: TrancheFlags
    pairs: tuple[FormatModifier, ...]


class ZwpLinuxDmabufFeedbackV1(Resource):
    """One feedback object; inert when its surface is gone."""

    INTERFACE = interface_table("zwp_linux_dmabuf_feedback_v1")
    VERSION = min(6, INTERFACE.version)

    def __init__(self, new_id: NewId, desktop: Desktop, surface: WlSurface | None) -> None:
        super().__init__(new_id)
        self._desktop = desktop
        self._surface = surface.address if surface is not None else None
        self._sent: list[_Tranche] = []
        self._upgrade: EventSource | None = None
        desktop.feedbacks.add(self)
        self._send_batch(first=True)

    def state_changed(self, surface: int) -> None:
        """The state of a surface changed: it may have become a candidate, or ceased to be one."""
        if self._surface != surface:
            return
        wanted = self._tranches()
        if wanted == self._sent:
            self._stop_waiting()
        elif len(wanted) < len(self._sent):
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

    def _tranches(self) -> list[_Tranche]:
        dmabuf = self._desktop.dmabuf
        renderer = dmabuf.renderer or dmabuf.display
        sampling = (
            TrancheFlags.SAMPLING if self.version >= DmabufVersion.SAMPLING else TrancheFlags(0)
        )
        sampled = _Tranche(
            encode_device(renderer.id if renderer else None),
            sampling,
            tuple(sorted(dmabuf.formats)),
        )
        state = self._desktop.surface_state(self._surface) if self._surface else None
        if state is None or not state.candidate or not dmabuf.scanout_formats:
            return [sampled]
        device = dmabuf.display.id if dmabuf.display else None
        scanned_out = _Tranche(
            encode_device(device), TrancheFlags.SCANOUT, tuple(sorted(dmabuf.scanout_formats))
        )
        return [scanned_out, sampled]

    def _send_batch(self, *, first: bool = False) -> None:
        tranches = self._tranches()
        if tranches == self._sent:
            return
        self._sent = tranches
        pairs = tranches[-1].pairs
        if first:
            content = encode_table(pairs)
            with self._desktop.tables.opened(content) as fd:
                self.send("format_table", fd, len(content))
        if self.version < DmabufVersion.SAMPLING:
            self.send("main_device", tranches[-1].device)
        for tranche in tranches:
            indices = [pairs.index(pair) for pair in tranche.pairs]
            self.send("tranche_target_device", tranche.device)
            self.send("tranche_flags", int(tranche.flags))
            self.send("tranche_formats", struct.pack(f"={len(indices)}H", *indices))
            self.send("tranche_done")
        self.send("done")
