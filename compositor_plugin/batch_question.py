"""What a batch is asked for."""

from __future__ import annotations

from heapwire.compositor_plugin.clients import Allowance
from heapwire.compositor_plugin.host import SurfaceState
from heapwire.protocol.late_dataclasses import dataclass, replace
from heapwire.protocol.values import Extent, FormatModifier
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
    def as_shown(self) -> Inquiry:
        """The inquiry, about content that is rotated and scaled as it is shown."""
        inquiry, surface = self.inquiry, self.surface
        if surface is None:
            return inquiry
        if surface.rotation:
            rotation = (inquiry.content.rotation + surface.rotation) % 360
            inquiry = replace(inquiry, content=replace(inquiry.content, rotation=rotation))
        # Only planes are asked how far they scale, and a size on the screen may change often.
        if surface.candidate and surface.size is not None and inquiry.extents is not None:
            shown = surface.size
            if inquiry.content.rotation % 180:
                shown = Extent(shown.height, shown.width)
            inquiry = replace(inquiry, extents=replace(inquiry.extents, shown=shown))
        return inquiry
