"""One V4L2 queue with buffers in it: formats, memory, and the way of each buffer.

Everything that `v4l2_device.py` only asks about is done here. A queue does not own
its node's fd; it owns the mappings that it made, until `close`. Queues with one
plane a buffer and with several are used alike.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import struct
from collections.abc import Sequence
from math import gcd

from heapwire.kernel.system import Ioctl, ioctl
from heapwire.kernel.video import videodev2
from heapwire.kernel.video.videodev2 import Queue
from heapwire.protocol import MachineError
from heapwire.protocol.late_dataclasses import dataclass, replace
from heapwire.protocol.values import Extent

_WIDE_PITCH = 1 << 16  # bytes: wider than any picture that is decoded, to see what is the most
_MICROSECONDS = 1_000_000  # in a second
_SINGLE_PLANAR = {Queue.CAPTURE_MPLANE: Queue.CAPTURE, Queue.OUTPUT_MPLANE: Queue.OUTPUT}


@dataclass(frozen=True, slots=True)
class QueueFormat:
    """What a queue is set to: V4L2's fourcc, and for each memory plane its pitch and size.

    `pitches` and `sizes` are in bytes; a format whose planes share one memory
    plane has one entry of each. Where a larger pitch may be asked for, it is a multiple
    of `pitch_step`, at most `most_pitch`; both are 0 where the driver has its own.
    """

    fourcc: int
    extent: Extent
    pitches: tuple[int, ...]
    sizes: tuple[int, ...]
    pitch_step: int = 0
    most_pitch: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dequeued:
    """A buffer that came back: bytes used in its first plane, and what the driver says of it.

    `stamp` is the timestamp in microseconds. A codec copies that of what it was fed. `sequence`
    counts the pictures of a camera, those that it had no buffer for too.
    """

    index: int
    used: int
    stamp: int
    last: bool
    damaged: bool
    sequence: int = 0


class V4l2Queue:
    """One side of a device.

    Its methods raise `OSError` with the driver's word, and `MachineError` where
    they say so.
    """

    def __init__(self, fd: int, queue: Queue, call: Ioctl = ioctl) -> None:
        self._fd = fd
        self._queue = queue
        self._call = call
        self._memory = videodev2.MEMORY_DMABUF
        self._mappings: list[mmap.mmap] = []

    @property
    def format(self) -> QueueFormat:
        """What the queue is set to; `MachineError` where that is no size of pictures."""
        current = videodev2.Format(type=self._queue)
        self._call(self._fd, videodev2.G_FMT, current)
        return _queue_format(current)

    @property
    def visible(self) -> Extent:
        """The part of a picture that is meant to be seen.

        The whole of it where the driver does not say; `MachineError` if it does
        not begin in the upper left corner.
        """
        # The rectangle belongs to the queue's single-planar type (vidioc-g-selection.rst).
        single_planar = _SINGLE_PLANAR.get(self._queue, self._queue)
        selection = videodev2.Selection(type=single_planar, target=videodev2.SEL_TGT_COMPOSE)
        try:
            self._call(self._fd, videodev2.G_SELECTION, selection)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY, errno.ENODATA):
                return self.format.extent
            raise
        if selection.left or selection.top:
            corner = f"{selection.left}, {selection.top}"
            raise MachineError(f"the pictures begin at {corner} of their buffers")
        return _extent(selection.width, selection.height)

    @property
    def colours(self) -> tuple[int, int, int]:
        """V4L2's numbers of colour space, YCbCr encoding and quantization of the format."""
        current = videodev2.Format(type=self._queue)
        self._call(self._fd, videodev2.G_FMT, current)
        if self._queue.is_multiplanar:
            planes = current.fmt.pix_mp
            return planes.colorspace, planes.ycbcr_enc, planes.quantization
        pix = current.fmt.pix
        return pix.colorspace, pix.ycbcr_enc, pix.quantization

    def try_format(self, fourcc: int, extent: Extent, *, pitch: int = 0) -> QueueFormat:
        """What the driver would make of a format, and of a wish for its pitch in bytes."""
        return self._ask_format(videodev2.TRY_FMT, fourcc, extent, 0, pitch)

    def with_pitches(self, layout: QueueFormat) -> QueueFormat:
        """A layout with the pitches that may be asked for, as TRY_FMT says when it is asked.

        Of a format with several memory planes its own are the only ones.
        """

        def answer(wish: int) -> int:
            said = self.try_format(layout.fourcc, layout.extent, pitch=wish)
            alike = (said.fourcc, said.extent, len(said.pitches))
            return said.pitches[0] if alike == (layout.fourcc, layout.extent, 1) else 0

        if len(layout.pitches) != 1 or not layout.pitches[0]:
            return layout
        first = layout.pitches[0]
        next_ = answer(first + 1)
        after = answer(next_ + 1) if next_ > first else 0
        if after <= next_:
            return layout
        most = max(after, answer(_WIDE_PITCH))
        return replace(layout, pitch_step=gcd(first, next_, after), most_pitch=most)

    def set_format(
        self, fourcc: int, extent: Extent, *, size: int = 0, pitch: int = 0
    ) -> QueueFormat:
        """Ask for a format; what the driver made of it.

        `size` is for bitstreams, in bytes, and `pitch` a wish for pictures.
        """
        return self._ask_format(videodev2.S_FMT, fourcc, extent, size, pitch)

    def _ask_format(
        self, number: int, fourcc: int, extent: Extent, size: int, pitch: int
    ) -> QueueFormat:
        asked = videodev2.Format(type=self._queue)
        # The multiplanar struct begins with the same four numbers.
        asked.fmt.pix.width, asked.fmt.pix.height = extent.width, extent.height
        asked.fmt.pix.pixelformat = fourcc
        asked.fmt.pix.field = videodev2.FIELD_NONE
        if self._queue.is_multiplanar:
            asked.fmt.pix_mp.plane_fmt[0].sizeimage = size
            asked.fmt.pix_mp.plane_fmt[0].bytesperline = pitch
            asked.fmt.pix_mp.num_planes = 1
        else:
            asked.fmt.pix.sizeimage = size
            asked.fmt.pix.bytesperline = pitch
        self._call(self._fd, number, asked)
        return _queue_format(asked)

    def request_mapped(self, count: int) -> int:
        """Have the driver allocate buffers and map them; how many there are."""
        count = self._request(count, videodev2.MEMORY_MMAP)
        for index in range(count):
            buffer, planes = self._buffer(index, 1)
            self._call(self._fd, videodev2.QUERYBUF, buffer)
            memory = planes[0] if self._queue.is_multiplanar else buffer
            self._mappings.append(mmap.mmap(self._fd, memory.length, offset=memory.m.offset))
        return count

    def request_own(self, count: int) -> int:
        """Have the driver allocate buffers for others to use; how many there are."""
        return self._request(count, videodev2.MEMORY_MMAP)

    def export(self, index: int, plane: int = 0) -> int:
        """A dma-buf of one memory plane of a buffer of `request_own`; the caller closes the fd.

        It is for reading and writing: who gets one for reading only cannot map it otherwise.
        """
        wanted = videodev2.ExportBuffer(
            type=self._queue, index=index, plane=plane, flags=os.O_RDWR | os.O_CLOEXEC, fd=-1
        )
        self._call(self._fd, videodev2.EXPBUF, wanted)
        return int(wanted.fd)

    def request_dmabuf(self, count: int) -> int:
        """Make room for buffers that are given as dma-bufs; how many there is room for."""
        return self._request(count, videodev2.MEMORY_DMABUF)

    def mapped(self, index: int) -> mmap.mmap:
        """The memory of a buffer of `request_mapped`."""
        return self._mappings[index]

    def queue_mapped(
        self, index: int, used: int = 0, *, stamp: int = 0, request: int | None = None
    ) -> None:
        """Give a mapped buffer to the driver.

        On an output queue `used` bytes of it are filled, and `stamp` is its
        timestamp in microseconds. With the fd of a `request` it goes when that is queued.
        """
        buffer, planes = self._buffer(index, 1)
        if request is not None:
            buffer.flags, buffer.request_fd = videodev2.BUF_FLAG_REQUEST_FD, request
        buffer.seconds, buffer.microseconds = divmod(stamp, _MICROSECONDS)
        memory = planes[0] if self._queue.is_multiplanar else buffer
        memory.bytesused, memory.length = used, len(self._mappings[index])
        self._call(self._fd, videodev2.QBUF, buffer)

    def queue_own(self, index: int) -> None:
        """Give a buffer of `request_own` or `request_mapped` to the driver, to be filled."""
        buffer, planes = self._buffer(index, videodev2.MAX_PLANES)
        self._call(self._fd, videodev2.QBUF, buffer)
        del planes  # the driver has read them

    def queue_dmabuf(self, index: int, fds: Sequence[int], sizes: Sequence[int]) -> None:
        """Give dma-bufs to the driver, one for each memory plane, with their sizes in bytes.

        The fds stay the caller's. Raises `MachineError` with the driver's word
        when it refuses them: EFAULT is what videobuf2 says of memory that is
        not contiguous where it has to be.
        """
        try:
            self.offer_dmabuf(index, fds, sizes)
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, str(error.errno))
            raise MachineError(f"the driver refuses the buffer: {name}") from error

    def offer_dmabuf(
        self, index: int, fds: Sequence[int], sizes: Sequence[int], *, filled: bool = False
    ) -> None:
        """`queue_dmabuf`, but a refusal is an `OSError`; `filled` buffers are full of data."""
        buffer, planes = self._buffer(index, len(fds))
        memories = planes if self._queue.is_multiplanar else (buffer,)
        for memory, fd, size in zip(memories, fds, sizes, strict=True):
            memory.bytesused = size if filled else 0
            memory.length = size
            memory.m.fd = fd
        self._call(self._fd, videodev2.QBUF, buffer)

    def dequeue(self) -> Dequeued | None:
        """A buffer that the driver is done with; None after the last one.

        Waits for it: poll the node first where that will not do, and do not open
        it with O_NONBLOCK, because EAGAIN is repeated.
        """
        buffer, planes = self._buffer(0, videodev2.MAX_PLANES)
        try:
            self._call(self._fd, videodev2.DQBUF, buffer)
        except BrokenPipeError:
            return None
        memory = planes[0] if self._queue.is_multiplanar else buffer
        return Dequeued(
            index=buffer.index,
            used=memory.bytesused,
            stamp=buffer.seconds * _MICROSECONDS + buffer.microseconds,
            last=bool(buffer.flags & videodev2.BUF_FLAG_LAST),
            damaged=bool(buffer.flags & videodev2.BUF_FLAG_ERROR),
            sequence=buffer.sequence,
        )

    def stream_on(self) -> None:
        """Let the queue run."""
        self._call(self._fd, videodev2.STREAMON, bytearray(struct.pack("=i", self._queue)))

    def stop(self) -> None:
        """Stop the queue, which takes all buffers back, and free what it has of them."""
        # Mappings go first: before 4.20 REQBUFS frees no buffer that is mapped (EBUSY).
        mappings, self._mappings = self._mappings, []
        for mapping in mappings:
            mapping.close()
        self._call(self._fd, videodev2.STREAMOFF, bytearray(struct.pack("=i", self._queue)))
        self._request(0, self._memory)

    def close(self) -> None:
        """Stop the queue and free its buffers; safe to call twice, and after an unplug."""
        with contextlib.suppress(OSError):  # a device that is gone holds nothing any more
            self.stop()

    def _request(self, count: int, memory: int) -> int:
        self._memory = memory
        request = videodev2.RequestBuffers(count=count, type=self._queue, memory=memory)
        self._call(self._fd, videodev2.REQBUFS, request)
        return int(request.count)

    def _buffer(
        self, index: int, planes: int
    ) -> tuple[videodev2.Buffer, ctypes.Array[videodev2.Plane]]:
        """A buffer, and the planes that it points to if the queue is multiplanar.

        The caller holds both while the driver is asked: an address keeps nothing alive.
        """
        buffer = videodev2.Buffer(index=index, type=self._queue, memory=self._memory)
        array = (videodev2.Plane * planes)()
        if self._queue.is_multiplanar:
            buffer.m.address = ctypes.addressof(array)
            buffer.length = planes
        return buffer, array


def buffer_sizes(format_: videodev2.Format) -> tuple[int, ...]:
    """The bytes of each buffer of a picture."""
    if not Queue(format_.type).is_multiplanar:
        return (format_.fmt.pix.sizeimage,)
    return tuple(plane.sizeimage for plane in _memory_planes(format_))


def _queue_format(format_: videodev2.Format) -> QueueFormat:
    pix = format_.fmt.pix  # the multiplanar struct begins with the same numbers
    if Queue(format_.type).is_multiplanar:
        pitches = tuple(plane.bytesperline for plane in _memory_planes(format_))
    else:
        pitches = (pix.bytesperline,)
    extent = _extent(pix.width, pix.height)
    return QueueFormat(pix.pixelformat, extent, pitches, buffer_sizes(format_))


def _memory_planes(format_: videodev2.Format) -> list[videodev2.PlanePixFormat]:
    planes = format_.fmt.pix_mp
    return list(planes.plane_fmt[: planes.num_planes])  # at most the 8 that there are


def _extent(width: int, height: int) -> Extent:
    """A size that a driver tells; it may be none, as before a decoder has read a header."""
    fault = Extent.fault(width, height)
    if fault is not None:
        raise MachineError(f"the driver's pictures: {fault}")
    return Extent(width, height)
