"""What a client's dma-buf is made of."""

from __future__ import annotations

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import Extent, FormatModifier, PlaneLayout, SourceId


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferAttributes:
    """A client's buffer as the compositor's linux-dmabuf took it.

    `sources` names where each object's memory comes from, as far as it can be
    told (None: it cannot); `planes` index into it.
    """

    extent: Extent
    format: FormatModifier
    planes: tuple[PlaneLayout, ...]
    sources: tuple[SourceId | None, ...]
