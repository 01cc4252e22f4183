"""What became of one frame of one surface."""

from __future__ import annotations

from heapwire.compositor_plugin import StatusReason
from heapwire.protocol.explain import Document
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import Extent, fourcc_name


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRecord:
    """A buffer that reached the screen.

    `sequence` counts the refreshes of `output`, `time` is in nanoseconds of
    CLOCK_MONOTONIC, `extent` is the buffer's in pixels. `modifier` is None and
    `sources` is empty for a `wl_shm` buffer; a source is None where it cannot
    be told. `crc32` is over the visible pixels as RGB bytes, row by row; None
    unless the compositor records.
    """

    sequence: int
    time: int
    output: str
    surface: int
    extent: Extent
    fourcc: int
    modifier: int | None
    sources: tuple[str | None, ...]
    scanned_out: bool
    reason: StatusReason
    crc32: int | None = None

    def document(self) -> Document:
        """The record for JSON."""
        return {
            "sequence": self.sequence,
            "time": self.time,
            "output": self.output,
            "surface": self.surface,
            "width": self.extent.width,
            "height": self.extent.height,
            "fourcc": fourcc_name(self.fourcc),
            "modifier": None if self.modifier is None else hex(self.modifier),
            "sources": list(self.sources),
            "scanned_out": self.scanned_out,
            "reason": self.reason.name.lower(),
            "crc32": self.crc32,
        }
