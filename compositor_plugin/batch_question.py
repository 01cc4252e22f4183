"""What a batch is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from heapwire.compositor_plugin.clients import Allowance
from heapwire.compositor_plugin.host import SurfaceState
from heapwire.protocol.values import FormatModifier
from heapwire.protocol.wire import Inquiry


@dataclass(frozen=True, slots=True)
class BatchQuestion:
    """Everything that a batch depends on besides the machine."""

    inquiry: Inquiry
    surface: SurfaceState | None
    importable: frozenset[FormatModifier]
    allowance: Allowance | None = None
    """What the client may be given by the compositor; without one, anything."""

    @property
    def turned(self) -> Inquiry:
        """The inquiry, about content that is rotated as it is shown."""
        inquiry = self.inquiry
        if self.surface is None or not self.surface.rotation:
            return inquiry
        rotation = (inquiry.content.rotation + self.surface.rotation) % 360
        return replace(inquiry, content=replace(inquiry.content, rotation=rotation))
