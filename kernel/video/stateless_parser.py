"""What is read of a bitstream for drivers that read nothing of it themselves.

A driver of the request API is given the coded data of one picture, what the headers say
in controls, and of the pictures that it refers to the timestamps.
"""

from __future__ import annotations

from typing import Protocol

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import Extent

NANOSECONDS = 1000
"""In a microsecond, which is what a stamp counts: v4l2_timeval_to_ns."""
CODEC_STATELESS = 0x00A40000 | 0x900
"""V4L2_CID_CODEC_STATELESS_BASE of v4l2-controls.h."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatelessFrame:
    """One coded picture.

    `extent` is its visible size in pixels. Pictures with another `extent` or another
    `layout` than those before need buffers of their own. `controls` are the numbers and
    values of V4L2's, `references` the stamps of the pictures that are read to decode it. A
    `hidden` one is not shown itself, and others may refer to it.
    """

    extent: Extent
    layout: int
    payload: bytes
    controls: tuple[tuple[int, bytes], ...]
    references: frozenset[int]
    hidden: bool = False


class StatelessParser(Protocol):
    """Reads the packets of one stream, in the order in which they are decoded.

    Pictures have to come out in that order too: a codec with another one has to be put in order
    by whoever reads them.
    """

    @property
    def coded(self) -> int:
        """V4L2's fourcc of what drivers are given."""

    @property
    def overhead(self) -> int:
        """The bytes of a packet that drivers are not given."""

    @property
    def most_references(self) -> int:
        """How many pictures are kept to be referred to, at most."""

    @property
    def references(self) -> frozenset[int]:
        """The stamps of the pictures that packets to come may refer to."""

    def read(self, packet: bytes) -> StatelessFrame:
        """What a packet holds. Raises `InputError` if it is damaged."""

    def follow(self, stamp: int) -> None:
        """The packet that was last read is decoded, and its picture has this stamp."""
