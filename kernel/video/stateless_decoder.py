"""A stateless decoder of V4L2: packets in, pictures out into anybody's dma-bufs.

A `DeviceDecoder` whose driver parses nothing (the request API): each packet is read here, and
goes to the driver as a buffer and controls in one request. The order of calls is that of the
kernel's documentation (userspace-api/media/v4l/dev-stateless-decoder.rst).

What a picture refers to are pictures that came out before, named by their stamps. Their slots
are `kept` until nothing refers to them any more.
"""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Callable, Sequence

from heapwire.kernel.memory import DmaBuf
from heapwire.kernel.system import Ioctl, Owner, ioctl
from heapwire.kernel.video.device_decoder import DecodedPicture
from heapwire.kernel.video.media_device import MediaDevice, MediaRequest, media_node
from heapwire.kernel.video.picture_side import PictureSide
from heapwire.kernel.video.stateless_codec import STATELESS
from heapwire.kernel.video.stateless_parser import StatelessFrame, StatelessParser
from heapwire.kernel.video.v4l2_controls import set_controls, takes_controls
from heapwire.kernel.video.v4l2_device import V4l2Device, v4l2_format_name
from heapwire.kernel.video.v4l2_queue import QueueFormat, V4l2Queue
from heapwire.protocol import InputError, MachineError, UsageError, words_of
from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.values import Extent

_PACKETS = 4  # buffers on the side that is fed, each with a request of its own
_REFUSED = (errno.EINVAL, errno.ERANGE)  # what drivers say of controls that make no sense


@dataclass(slots=True)
class _Packet:
    """A buffer of the side that is fed, and its request: both have to come back."""

    index: int
    request: MediaRequest
    buffer_out: bool = False
    request_out: bool = False


@dataclass(slots=True)
class _Stream:
    """One stream: what reads it, and which pictures are where."""

    coded: int
    parser: StatelessParser
    packet_size: int
    room: Extent  # what the driver's formats are set for
    format: tuple[Extent, int] | None = None  # what pictures have to be like to be decoded now
    waiting: tuple[StatelessFrame, int] | None = None  # one that is unlike, with its stamp
    in_work: dict[int, StatelessFrame] = field(default_factory=dict)  # by their stamps
    taken: dict[int, int] = field(default_factory=dict)  # slots by the stamps of their pictures
    draining: bool = False


class StatelessDecoder(Owner):
    """One open decoder: opens its node and its media device and closes them.

    `changed` is set when a packet's pictures are unlike those before, and all of those have come
    out; `ended` when all that was fed before `drain` has.

    Raises `OSError` when the node cannot be opened, and `MachineError` if it is no
    codec or cannot be asked; its methods raise `OSError` too for what the driver will not do.
    The last four arguments are the system's, replaced by tests.
    """

    def __init__(
        self,
        node: str,
        *,
        call: Ioctl = ioctl,
        opened: Callable[[str, int], int] = os.open,
        media_of: Callable[[int], str] = media_node,
        poller: Callable[[], select.epoll] = select.epoll,
    ) -> None:
        self.changed = False
        self.ended = False
        self._call = call
        self._fd = opened(node, os.O_RDWR | os.O_CLOEXEC)
        try:
            device = V4l2Device(self._fd, call)
            if device.output is None or device.capture is None:
                raise MachineError(f"{node} is not a codec")
            self._queue = V4l2Queue(self._fd, device.output, call)
            self._pictures = PictureSide(self._fd, device, device.capture, call)
            self._media = MediaDevice(media_of(self._fd), call=call, opened=opened)
            try:
                self._epoll = poller()
            except BaseException:
                self._media.close()
                raise
        except BaseException:
            os.close(self._fd)
            raise
        self._watched = False
        self._packets: list[_Packet] = []
        self._stream: _Stream | None = None

    def close(self) -> None:
        """Close the node with its queues, the requests and the media device."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        try:
            self._epoll.close()
            self._queue.close()
            self._pictures.close()
            for packet in self._packets:
                packet.request.close()
            self._media.close()
        finally:
            os.close(fd)

    def fileno(self) -> int:
        """The fd to poll for reading; silent while the driver has nothing to work on."""
        return self._epoll.fileno()

    def start(self, coded: int, extent: Extent, *, packet_size: int = 0) -> None:
        """See `DeviceDecoder.start`."""
        parser = STATELESS.get(coded)
        if parser is None:
            name = v4l2_format_name(coded)
            raise MachineError(f"it parses nothing, and nothing here parses {name} for it")
        self._pictures.stop()
        self._stream = _Stream(coded, parser(), packet_size, extent)
        self.changed = self.ended = False
        self._make_room(extent)
        self._watch()

    def _make_room(self, extent: Extent) -> None:
        """Set the side that is fed for pictures of a size, and for the packet that is waiting.

        Nothing of it is the driver's.
        """
        stream = self._of_stream()
        waiting = 0 if stream.waiting is None else len(stream.waiting[0].payload)
        if self._packets:
            for packet in self._packets:
                if packet.request_out:
                    self._epoll.unregister(packet.request.fileno())
            self._queue.stop()
            for packet in self._packets:
                packet.request.close()
            self._packets = []
        coded = stream.parser.coded
        granted = self._queue.set_format(coded, extent, size=stream.packet_size)
        if max(granted.sizes) < waiting:  # else it is the driver's to say: what follows is larger
            granted = self._queue.set_format(coded, extent, size=waiting)
        if granted.fourcc != coded:
            raise MachineError(f"the driver does not decode {v4l2_format_name(coded)}")
        if granted.extent.width < extent.width or granted.extent.height < extent.height:
            raise MachineError(f"the driver decodes at most {granted.extent}, and this is {extent}")
        stream.room = granted.extent
        for index in range(self._queue.request_mapped(_PACKETS)):
            self._packets.append(_Packet(index, self._media.request()))
        if waiting > len(self._queue.mapped(0)):
            raise MachineError(f"a packet of {waiting} bytes is more than the device takes")
        self._queue.stream_on()

    @property
    def hungry(self) -> bool:
        """Whether `feed` would take a packet now."""
        stream = self._of_stream()
        return stream.waiting is None and not stream.draining and self._idle_packet() is not None

    @property
    def digesting(self) -> bool:
        """Whether there are packets that are not done with."""
        stream = self._of_stream()
        return stream.waiting is not None or not self._at_rest()

    def fits(self, packet: bytes) -> bool:
        """Whether a packet fits a buffer: see `packet_size` of `start`."""
        return len(packet) - self._of_stream().parser.overhead <= len(self._queue.mapped(0))

    def feed(self, packet: bytes, stamp: int) -> None:
        """See `DeviceDecoder.feed`."""
        stream = self._of_stream()
        frame = stream.parser.read(packet)
        if (frame.extent, frame.layout) == stream.format:
            self._submit(frame, stamp)
        else:
            stream.waiting = frame, stamp
            self._look_for_an_end()
        self._watch()

    def drain(self) -> None:
        """See `DeviceDecoder.drain`: the driver keeps nothing back, so there is nothing to say."""
        self._of_stream().draining = True

    @property
    def visible(self) -> Extent:
        """The part of a picture that is meant to be seen; known once `changed`."""
        return self._waiting_frame().extent

    @property
    def least_buffers(self) -> int:
        """One to decode into, and what is referred to."""
        return 1 + self._of_stream().parser.most_references

    @property
    def kept(self) -> frozenset[int]:
        """See `DeviceDecoder.kept`."""
        stream = self._of_stream()
        stamps = stream.parser.references.union(
            *(frame.references for frame in stream.in_work.values())
        )
        return frozenset(slot for slot, stamp in stream.taken.items() if stamp in stamps)

    def layouts(self) -> tuple[QueueFormat, ...]:
        """How the driver would lay out its pictures in each format that this stream can be had in.

        A driver lists formats that it decodes other streams into. So each is set, and the
        driver is asked whether it then takes the controls of the packet that is waiting.
        """
        controls = self._waiting_frame().controls

        def ask(code: int, extent: Extent) -> QueueFormat:
            layout = self._pictures.queue.set_format(code, extent)
            takes = takes_controls(self._fd, controls, self._call)
            return layout if takes else QueueFormat(0, extent, (), ())

        layouts = self._pictures.layouts(self._of_stream().room, ask)
        if not layouts:
            extent = self._waiting_frame().extent
            raise MachineError(f"the driver takes no such stream of {extent} in any format it has")
        return layouts

    def with_pitch(self, layout: QueueFormat, pitch: int) -> QueueFormat:
        """What the driver would make of a layout with another pitch, in bytes."""
        return self._pictures.with_pitch(layout, pitch)

    def set_up(self, layout: QueueFormat, slots: int) -> None:
        """See `DeviceDecoder.set_up`; the packet that is waiting goes to the driver."""
        stream = self._of_stream()
        frame = self._waiting_frame()
        assert stream.waiting is not None
        _, stamp = stream.waiting
        self._pictures.set_up(layout, slots)
        self.changed = False
        stream.waiting = None
        stream.format = frame.extent, frame.layout
        self._submit(frame, stamp)
        self._watch()

    def give(self, slot: int, objects: Sequence[DmaBuf]) -> None:
        """See `DeviceDecoder.give`."""
        self._of_stream().taken.pop(slot, None)
        self._pictures.give(slot, objects)
        self._watch()

    def take(self) -> DecodedPicture | None:
        """See `DeviceDecoder.take`."""
        picture = None
        for fd, ready in self._epoll.poll(0):
            if fd != self._fd:
                self._request_done(fd, ready)
                continue
            if not ready & (select.EPOLLIN | select.EPOLLOUT):
                raise MachineError("the decoder has failed: it is gone, or its queues are in error")
            if ready & select.EPOLLOUT and any(one.buffer_out for one in self._packets):
                self._buffer_done()
            if ready & select.EPOLLIN and self._pictures.running:
                picture = self._taken()
        self._look_for_an_end()
        self._watch()
        return picture

    def _of_stream(self) -> _Stream:
        if self._stream is None:
            raise UsageError("a decoder is started first")
        return self._stream

    def _waiting_frame(self) -> StatelessFrame:
        waiting = self._of_stream().waiting
        if waiting is None:
            raise UsageError("nothing has changed")
        return waiting[0]

    def _submit(self, frame: StatelessFrame, stamp: int) -> None:
        stream, packet = self._of_stream(), self._idle_packet()
        assert packet is not None, "it is fed when it is hungry"
        request = packet.request
        try:
            set_controls(self._fd, frame.controls, request.fileno(), self._call)
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            text = f"the driver refuses what a packet says of its picture: {words_of(error)}"
            raise InputError(text) from error
        self._queue.mapped(packet.index)[: len(frame.payload)] = frame.payload
        self._queue.queue_mapped(
            packet.index, len(frame.payload), stamp=stamp, request=request.fileno()
        )
        request.queue()
        packet.buffer_out = packet.request_out = True
        self._epoll.register(request.fileno(), select.EPOLLPRI)
        stream.in_work[stamp] = frame
        stream.parser.follow(stamp)

    def _idle_packet(self) -> _Packet | None:
        idle = (one for one in self._packets if not one.buffer_out and not one.request_out)
        return next(idle, None)

    def _buffer_done(self) -> None:
        done = self._queue.dequeue()
        if done is not None:
            self._packets[done.index].buffer_out = False

    def _request_done(self, fd: int, ready: int) -> None:
        if not ready & select.EPOLLPRI:
            raise MachineError("the decoder has failed: it let go of a request")
        [packet] = [one for one in self._packets if one.request.fileno() == fd]
        self._epoll.unregister(fd)
        packet.request.reinit()
        packet.request_out = False

    def _taken(self) -> DecodedPicture | None:
        done = self._pictures.take()
        if done is None:
            return None
        stream = self._of_stream()
        frame = stream.in_work.pop(done.stamp, None)
        # A damaged one is kept as well: what refers to it is decoded as well as can be.
        stream.taken[done.index] = done.stamp
        hidden = frame is not None and frame.hidden
        return DecodedPicture(done.index, done.stamp, done.damaged, empty=False, hidden=hidden)

    def _at_rest(self) -> bool:
        """Whether nothing that was fed is the driver's, and all its pictures are taken."""
        out = any(one.buffer_out or one.request_out for one in self._packets)
        return not out and not self._of_stream().in_work

    def _look_for_an_end(self) -> None:
        """The last of a drain, or the last before a change."""
        stream = self._of_stream()
        if self.changed or self.ended or not self._at_rest():
            return
        if stream.waiting is not None:
            frame, _ = stream.waiting
            self._pictures.stop()
            stream.taken.clear()
            if stream.format is not None or frame.extent != stream.room:
                self._make_room(frame.extent)
            self.changed = True
        elif stream.draining:
            self.ended = True

    def _watch(self) -> None:
        """Poll the node while the driver has something of ours; else it would tell an error."""
        wanted = bool(self._pictures.slots) or any(one.buffer_out for one in self._packets)
        if wanted and not self._watched:
            self._epoll.register(self._fd, select.EPOLLIN | select.EPOLLOUT)
        elif self._watched and not wanted:
            self._epoll.unregister(self._fd)
        self._watched = wanted
