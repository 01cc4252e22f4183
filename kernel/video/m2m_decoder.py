"""A stateful decoder of V4L2: packets in, pictures out into anybody's dma-bufs.

A `DeviceDecoder` whose driver parses the stream. The order of calls is that of
the kernel's documentation (userspace-api/media/v4l/dev-decoder.rst).
"""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Sequence

from heapwire.kernel.memory import DmaBuf
from heapwire.kernel.system import Owner, ioctl
from heapwire.kernel.video import videodev2
from heapwire.kernel.video.device_decoder import DecodedPicture
from heapwire.kernel.video.picture_side import PictureSide
from heapwire.kernel.video.v4l2_device import V4l2Device, v4l2_format_name
from heapwire.kernel.video.v4l2_queue import Dequeued, QueueFormat, V4l2Queue
from heapwire.protocol import MachineError
from heapwire.protocol.values import Extent

_PACKETS = 4  # buffers on the side that is fed


class M2mDecoder(Owner):
    """One open decoder: opens its node and closes it, with its queues.

    `changed` is set when the driver has found out what its pictures are, or that
    they become different ones; nothing comes out until `set_up`. `ended` is set
    when all that was fed before `drain` has come out. `fileno` can be polled for
    reading: it is readable when `take` or `feed` may have something to do.

    Raises `OSError` when the node cannot be opened, and `MachineError` if it is no
    codec; its methods raise `OSError` too for what the driver will not do.
    """

    def __init__(self, node: str) -> None:
        self.changed = False
        self.ended = False
        self._fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)
        try:
            device = V4l2Device(self._fd)
            if device.output is None or device.capture is None:
                raise MachineError(f"{node} is not a codec")
            self._packets = V4l2Queue(self._fd, device.output)
            self._pictures = PictureSide(self._fd, device, device.capture)
            self._epoll = select.epoll()
        except BaseException:
            os.close(self._fd)
            raise
        self._watched = False
        self._free: list[int] = []  # packets' buffers that are not the driver's
        self._fed = 0  # packets' buffers that are
        self._announced = False  # a change is coming: after the last picture from before it

    def close(self) -> None:
        """Close the node, and with it its queues; safe to call twice."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        try:
            self._epoll.close()
            self._packets.close()
            self._pictures.close()
        finally:
            os.close(fd)

    def fileno(self) -> int:
        """The fd to poll for reading; silent while the driver has nothing to work on."""
        return self._epoll.fileno()

    def start(self, coded: int, extent: Extent, *, packet_size: int = 0) -> None:
        """Begin a stream of a V4L2 fourcc.

        `extent` is the size to expect, `packet_size` the least number of bytes
        that a packet's buffer has to hold. May be called again after `ended`.
        Raises `MachineError` if the driver does not decode it.
        """
        if self._free or self._fed:
            self._packets.stop()
            self._pictures.stop()
            self._fed = 0
        self.changed = self.ended = self._announced = False
        granted = self._packets.set_format(coded, extent, size=packet_size)
        if granted.fourcc != coded:
            raise MachineError(f"the driver does not decode {v4l2_format_name(coded)}")
        subscription = videodev2.EventSubscription(type=videodev2.EVENT_SOURCE_CHANGE)
        ioctl(self._fd, videodev2.SUBSCRIBE_EVENT, subscription)
        self._free = list(range(self._packets.request_mapped(_PACKETS)))
        self._packets.stream_on()

    @property
    def hungry(self) -> bool:
        """Whether `feed` would take a packet now."""
        return bool(self._free)

    @property
    def digesting(self) -> bool:
        """Whether the driver has packets that it is not done with."""
        return self._fed > 0

    def fits(self, packet: bytes) -> bool:
        """Whether a packet fits a buffer: see `packet_size` of `start`."""
        return len(packet) <= len(self._packets.mapped(0))

    def feed(self, packet: bytes, stamp: int) -> None:
        """Give the driver a packet, which has to fit, when it is `hungry`.

        `stamp` comes back with the picture: a number from 1 on.
        """
        index = self._free.pop()
        self._packets.mapped(index)[: len(packet)] = packet
        self._packets.queue_mapped(index, len(packet), stamp=stamp)
        self._fed += 1
        self._watch()

    def drain(self) -> None:
        """Have all pictures come out that are left: nothing is fed after that.

        Only once it is set up: before, nothing can come out.
        """
        stop = videodev2.DecoderCommand(cmd=videodev2.DEC_CMD_STOP)
        ioctl(self._fd, videodev2.DECODER_CMD, stop)

    @property
    def visible(self) -> Extent:
        """The part of a picture that is meant to be seen; known once `changed`."""
        return self._pictures.queue.visible

    @property
    def kept(self) -> frozenset[int]:
        """None: the driver has memory of its own for what it refers to."""
        return frozenset()

    @property
    def least_buffers(self) -> int:
        """How many slots the driver has to have to go on decoding; known once `changed`."""
        control = videodev2.Control(id=videodev2.CID_MIN_BUFFERS_FOR_CAPTURE)
        try:
            ioctl(self._fd, videodev2.G_CTRL, control)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY):
                return 1
            raise
        return max(1, int(control.value))

    def layouts(self) -> tuple[QueueFormat, ...]:
        """How the driver would lay out its pictures in each format that it offers."""
        return self._pictures.layouts(self._pictures.queue.format.extent)

    def with_pitch(self, layout: QueueFormat, pitch: int) -> QueueFormat:
        """What the driver would make of a layout with another pitch, in bytes."""
        return self._pictures.with_pitch(layout, pitch)

    def set_up(self, layout: QueueFormat, slots: int) -> None:
        """Let pictures come out in one of the layouts, in at most so many slots.

        What the driver still had of pictures and their memory it gives back.
        Raises `MachineError` if it does not keep to the layout.
        """
        self._pictures.set_up(layout, slots)
        self.changed = self._announced = False

    def give(self, slot: int, objects: Sequence[DmaBuf]) -> None:
        """Give a slot to the driver with a dma-buf for each memory plane.

        They stay the caller's, and must live until `take` tells of the slot.
        Raises `MachineError` if the driver refuses them.
        """
        self._pictures.give(slot, objects)
        self._watch()

    def take(self) -> DecodedPicture | None:
        """A slot that the driver is done with, None if there is none now.

        Raises `MachineError` when the driver has given up, as after an unplug.
        """
        if not self._watched:
            return None
        for _, ready in self._epoll.poll(0):
            if ready & select.EPOLLPRI:
                self._read_event()
            if ready & select.EPOLLOUT and self._fed:
                fed = self._packets.dequeue()
                self._fed -= 1
                if fed is not None:
                    self._free.append(fed.index)
            picture = None
            if (
                ready & select.EPOLLIN
                and self._pictures.running
                and not (self.changed or self.ended)
            ):
                picture = self._taken(self._pictures.take())
            elif not ready & (select.EPOLLPRI | select.EPOLLOUT | select.EPOLLIN):
                raise MachineError("the decoder has failed: it is gone, or its queues are in error")
            self._watch()
            return picture
        return None

    def _taken(self, done: Dequeued | None) -> DecodedPicture | None:
        if done is None or done.last:
            self._at_last_picture()
        if done is None:
            return None
        empty = not done.used and not done.damaged
        return DecodedPicture(done.index, done.stamp, done.damaged, empty)

    def _read_event(self) -> None:
        event = videodev2.Event()
        ioctl(self._fd, videodev2.DQEVENT, event)
        if event.type != videodev2.EVENT_SOURCE_CHANGE:
            return
        if self._pictures.running:
            self._announced = True
        else:
            self.changed = True

    def _at_last_picture(self) -> None:
        """The last of a drain, or the last before a change."""
        if self._announced:
            self.changed = True
        else:
            self.ended = True

    def _watch(self) -> None:
        """Poll the node while the driver has something of ours; else it would tell an error."""
        wanted = bool(self._fed or self._pictures.slots)
        if wanted and not self._watched:
            self._epoll.register(self._fd, select.EPOLLIN | select.EPOLLOUT | select.EPOLLPRI)
        elif self._watched and not wanted:
            self._epoll.unregister(self._fd)
        self._watched = wanted
