"""What a player needs of a device that decodes, whatever its driver wants to be told.

It never waits: its fd is polled together with others, and each method does what
can be done now. As a whole it is

    decoder.start(H264, Extent(1920, 1080))
    feed packets; take() until `changed`: a header has been read
    decoder.layouts()                   # what can be had, to negotiate with
    decoder.set_up(layout, slots)       # the choice
    give(slot, dma-bufs) for each slot; feed packets; take() pictures
    set_up again whenever `changed`; drain() at the end, and take() until `ended`

A *slot* is a V4L2 buffer of the side where pictures come out. It holds the
dma-bufs that it was given until `take` tells of it. The next time it may be
given others: videobuf2 then lets go of the old ones, so memory can be replaced
while the stream runs. One that is `kept` has been told of, and is still read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from heapwire.kernel.memory import DmaBuf
from heapwire.kernel.video.v4l2_queue import QueueFormat
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import Extent


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """What a slot holds: the picture of the packet with that stamp.

    `damaged` says that the driver could not decode it; `empty` that the slot
    comes back without a picture, to mark an end, and the stamp means nothing.
    A `hidden` picture is not to be shown: others refer to it.
    """

    slot: int
    stamp: int
    damaged: bool
    empty: bool
    hidden: bool = False


class DeviceDecoder(Protocol):
    """One open decoder, which owns its node.

    Its methods raise `OSError` with what the driver will not do.
    """

    @property
    def changed(self) -> bool:
        """Pictures are known to become different ones: nothing comes out until `set_up`."""

    @property
    def ended(self) -> bool:
        """All that was fed before `drain` has come out."""

    @property
    def hungry(self) -> bool:
        """Whether `feed` would take a packet now."""

    @property
    def digesting(self) -> bool:
        """Whether there are packets that it is not done with."""

    @property
    def visible(self) -> Extent:
        """The part of a picture that is meant to be seen; known once `changed`."""

    @property
    def least_buffers(self) -> int:
        """How many slots it has to have to go on decoding; known once `changed`."""

    @property
    def kept(self) -> frozenset[int]:
        """Slots that `take` has told of and whose pictures are read to decode others.

        Until they are no longer, nobody may write to their buffers, nor are they given again.
        """

    def close(self) -> None:
        """Close the node, and with it its queues; safe to call twice."""

    def fileno(self) -> int:
        """The fd to poll for reading; silent while the driver has nothing to work on."""

    def start(self, coded: int, extent: Extent, *, packet_size: int = 0) -> None:
        """Begin a stream of a V4L2 fourcc.

        `extent` is the size to expect, `packet_size` the least number of bytes
        that a packet's buffer has to hold. May be called again after `ended`.
        Raises `MachineError` if the driver does not decode it.
        """

    def fits(self, packet: bytes) -> bool:
        """Whether a packet fits a buffer: see `packet_size` of `start`."""

    def feed(self, packet: bytes, stamp: int) -> None:
        """Give it a packet, which has to fit, when it is `hungry`.

        `stamp` comes back with the picture: a number from 1 on. Raises `InputError` for a packet
        that has no picture, and that it does without; `MachineError` for one of pictures that
        the driver has no room for.
        """

    def drain(self) -> None:
        """Have all pictures come out that are left: nothing is fed after that.

        Only once it is set up: before, nothing can come out.
        """

    def layouts(self) -> tuple[QueueFormat, ...]:
        """How the driver would lay out its pictures in each format that it offers."""

    def with_pitch(self, layout: QueueFormat, pitch: int) -> QueueFormat:
        """What the driver would make of a layout with another pitch, in bytes."""

    def set_up(self, layout: QueueFormat, slots: int) -> None:
        """Let pictures come out in one of the layouts, in at most so many slots.

        What the driver still had of pictures and their memory it gives back.
        Raises `MachineError` if it does not keep to the layout.
        """

    def give(self, slot: int, objects: Sequence[DmaBuf]) -> None:
        """Give a slot to the driver with a dma-buf for each memory plane.

        They stay the caller's, and must live until `take` tells of the slot.
        Raises `MachineError` if the driver refuses them.
        """

    def take(self) -> DecodedPicture | None:
        """A slot that the driver is done with, None if there is none now.

        Raises `MachineError` when the driver has given up, as after an unplug.
        """
