"""What a device that decodes is fed with: the packets of a file, not yet decoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from heapwire.client_lib.buffers import Light
from heapwire.client_lib.player.video import Video
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import Content, Extent


@dataclass(frozen=True, slots=True)
class Packet:
    """One coded picture in the framing that V4L2 wants.

    `stamp` is its time in the file in seconds, None where the file does not
    say. A picture for each packet comes out of a decoder, not always in order.
    """

    data: bytes
    stamp: float | None


class PacketFile(Video, Protocol):
    """An open file of packets; an iterator over them.

    `coded` is V4L2's fourcc of the bitstream and `extent` the size of its
    pictures as the file states it.
    """

    @property
    def coded(self) -> int:
        """V4L2's fourcc."""

    @property
    def extent(self) -> Extent:
        """The size of the pictures in pixels."""

    @property
    def most_gap(self) -> float:
        """Seconds between two pictures from which on the clock has jumped."""

    @property
    def broken(self) -> str | None:
        """How the file broke off, once it has."""

    @property
    def content(self) -> Content:
        """What the file says of the colours, and how pictures are to be turned."""

    @property
    def light(self) -> Light | None:
        """What it says of primaries and transfer; None for those of usual RGB."""

    def __iter__(self) -> Iterator[Packet]:
        """The packets in the order in which they are decoded."""
