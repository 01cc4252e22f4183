"""One V4L2 queue with buffers in it: formats, memory, and the way of each buffer.

Everything that `v4l2.py` only asks about is done here. A queue does not own
its node's fd; it owns the mappings that it made, until `close`. Structs are
those of include/uapi/linux/videodev2.h on 64-bit machines; queues with one
plane a buffer and with several are used alike.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from heapwire.kernel.system import ioctl
from heapwire.kernel.video.v4l2 import Queue
from heapwire.protocol import MachineError
from heapwire.protocol.values import Extent

_G_FMT, _S_FMT, _TRY_FMT, _FORMAT_SIZE = 0xC0D05604, 0xC0D05605, 0xC0D05640, 208
_G_SELECTION, _SELECTION_SIZE, _COMPOSE = 0xC040565E, 64, 0x100
_REQBUFS, _REQUEST_SIZE = 0xC0145608, 20
_QUERYBUF, _QBUF, _DQBUF, _BUFFER_SIZE = 0xC0585609, 0xC058560F, 0xC0585611, 88
_STREAMON, _STREAMOFF = 0x40045612, 0x40045613
_PLANE_SIZE, _MAX_PLANES = 64, 8
_MMAP, _DMABUF = 1, 4
_LAST = 0x00100000  # V4L2_BUF_FLAG_LAST
_ERROR = 0x00000040  # V4L2_BUF_FLAG_ERROR
_MICROSECONDS = 1_000_000  # in a second


@dataclass(frozen=True, slots=True)
class QueueFormat:
    """What a queue is set to: V4L2's fourcc, and for each memory plane its pitch and size.

    `pitches` and `sizes` are in bytes; a format whose planes share one memory
    plane has one entry of each.
    """

    fourcc: int
    extent: Extent
    pitches: tuple[int, ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dequeued:
    """A buffer that came back: bytes used in its first plane, and what the driver says of it.

    `stamp` is the timestamp in microseconds. A codec copies that of what it was fed.
    """

    index: int
    used: int
    stamp: int
    last: bool
    damaged: bool


class V4l2Queue:
    """One side of a device."""

    def __init__(self, fd: int, queue: Queue) -> None:
        self._fd = fd
        self._queue = queue
        self._planar = queue in (Queue.CAPTURE_MPLANE, Queue.OUTPUT_MPLANE)
        self._output = queue in (Queue.OUTPUT, Queue.OUTPUT_MPLANE)
        self._memory = _DMABUF
        self._mappings: list[mmap.mmap] = []

    @property
    def format(self) -> QueueFormat:
        """What the queue is set to."""
        data = bytearray(_FORMAT_SIZE)
        struct.pack_into("=I", data, 0, self._queue)
        ioctl(self._fd, _G_FMT, data)
        return self._read_format(data)

    @property
    def visible(self) -> Extent:
        """The part of a picture that is meant to be seen.

        The whole of it where the driver does not say; `MachineError` if it does
        not begin in the upper left corner.
        """
        single = {Queue.CAPTURE_MPLANE: Queue.CAPTURE, Queue.OUTPUT_MPLANE: Queue.OUTPUT}
        data = bytearray(_SELECTION_SIZE)
        struct.pack_into("=II", data, 0, single.get(self._queue, self._queue), _COMPOSE)
        try:
            ioctl(self._fd, _G_SELECTION, data)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY, errno.ENODATA):
                return self.format.extent
            raise
        left, top, width, height = struct.unpack_from("=iiII", data, 12)
        if left or top:
            raise MachineError(f"the pictures begin at {left}, {top} of their buffers")
        return Extent(width, height)

    def try_format(self, fourcc: int, extent: Extent) -> QueueFormat:
        """What the driver would make of a format."""
        return self._ask_format(_TRY_FMT, fourcc, extent, 0)

    def set_format(self, fourcc: int, extent: Extent, *, size: int = 0) -> QueueFormat:
        """Ask for a format; what the driver made of it. `size` is for bitstreams, in bytes."""
        return self._ask_format(_S_FMT, fourcc, extent, size)

    def _ask_format(self, number: int, fourcc: int, extent: Extent, size: int) -> QueueFormat:
        data = bytearray(_FORMAT_SIZE)
        struct.pack_into("=I", data, 0, self._queue)
        struct.pack_into("=III", data, 8, extent.width, extent.height, fourcc)
        struct.pack_into("=I", data, 20, 1)  # V4L2_FIELD_NONE
        if self._planar:
            struct.pack_into("=I", data, 28, size)
            data[188] = 1
        else:
            struct.pack_into("=I", data, 28, size)
        ioctl(self._fd, number, data)
        return self._read_format(data)

    def request_mapped(self, count: int) -> int:
        """Have the driver allocate buffers and map them; how many there are."""
        count = self._request(count, _MMAP)
        for index in range(count):
            data, planes = self._buffer(index, 1)
            ioctl(self._fd, _QUERYBUF, data)
            if self._planar:
                length, offset = struct.unpack_from("=II", planes, 4)
            else:
                (offset,) = struct.unpack_from("=I", data, 64)
                (length,) = struct.unpack_from("=I", data, 72)
            self._mappings.append(mmap.mmap(self._fd, length, offset=offset))
        return count

    def request_dmabuf(self, count: int) -> int:
        """Make room for buffers that are given as dma-bufs; how many there is room for."""
        return self._request(count, _DMABUF)

    def mapped(self, index: int) -> mmap.mmap:
        """The memory of a buffer of `request_mapped`."""
        return self._mappings[index]

    def queue_mapped(self, index: int, used: int = 0, *, stamp: int = 0) -> None:
        """Give a mapped buffer to the driver.

        On an output queue `used` bytes of it are filled, and `stamp` is its
        timestamp in microseconds.
        """
        data, planes = self._buffer(index, 1)
        struct.pack_into("=qq", data, 24, *divmod(stamp, _MICROSECONDS))
        self._fill(data, planes, used, (len(self._mappings[index]),), None)
        ioctl(self._fd, _QBUF, data)

    def queue_dmabuf(self, index: int, fds: Sequence[int], sizes: Sequence[int]) -> None:
        """Give dma-bufs to the driver, one for each memory plane, with their sizes in bytes.

        The fds stay the caller's. Raises `MachineError` with the driver's word
        when it refuses them: EFAULT is what videobuf2 says of memory that is
        not contiguous where it has to be.
        """
        data, planes = self._buffer(index, len(fds))
        self._fill(data, planes, 0, sizes, fds)
        try:
            ioctl(self._fd, _QBUF, data)
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, str(error.errno))
            raise MachineError(f"the driver refuses the buffer: {name}") from error

    def dequeue(self) -> Dequeued | None:
        """A buffer that the driver is done with; None after the last one.

        Waits for it: poll the node first where that will not do, and do not open
        it with O_NONBLOCK, because EAGAIN is repeated.
        """
        data, planes = self._buffer(0, _MAX_PLANES if self._planar else 1)
        try:
            ioctl(self._fd, _DQBUF, data)
        except BrokenPipeError:
            return None
        (index,) = struct.unpack_from("=I", data, 0)
        (used,) = struct.unpack_from(
            "=I", planes if self._planar else data, 0 if self._planar else 8
        )
        (flags,) = struct.unpack_from("=I", data, 12)
        seconds, microseconds = struct.unpack_from("=qq", data, 24)
        return Dequeued(
            index=index,
            used=used,
            stamp=seconds * _MICROSECONDS + microseconds,
            last=bool(flags & _LAST),
            damaged=bool(flags & _ERROR),
        )

    def stream_on(self) -> None:
        """Let the queue run."""
        ioctl(self._fd, _STREAMON, bytearray(struct.pack("=i", self._queue)))

    def stop(self) -> None:
        """Stop the queue, which takes all buffers back, and free what it has of them."""
        mappings, self._mappings = self._mappings, []
        for mapping in mappings:
            mapping.close()
        ioctl(self._fd, _STREAMOFF, bytearray(struct.pack("=i", self._queue)))
        self._request(0, self._memory)

    def close(self) -> None:
        """Stop the queue and free its buffers; safe to call twice, and after an unplug."""
        with contextlib.suppress(OSError):  # a device that is gone holds nothing any more
            self.stop()

    def _request(self, count: int, memory: int) -> int:
        self._memory = memory
        data = bytearray(_REQUEST_SIZE)
        struct.pack_into("=III", data, 0, count, self._queue, memory)
        ioctl(self._fd, _REQBUFS, data)
        return int(struct.unpack_from("=I", data, 0)[0])

    def _buffer(self, index: int, planes: int) -> tuple[bytearray, bytearray]:
        """A v4l2_buffer, and the array of v4l2_plane that it points to."""
        data, array = bytearray(_BUFFER_SIZE), bytearray(_PLANE_SIZE * planes)
        struct.pack_into("=II", data, 0, index, self._queue)
        struct.pack_into("=I", data, 60, self._memory)
        if self._planar:
            address = ctypes.addressof(ctypes.c_char.from_buffer(array))
            struct.pack_into("=Q", data, 64, address)
            struct.pack_into("=I", data, 72, planes)
        return data, array

    def _fill(
        self,
        data: bytearray,
        planes: bytearray,
        used: int,
        sizes: Sequence[int],
        fds: Sequence[int] | None,
    ) -> None:
        if self._planar:
            for plane, size in enumerate(sizes):
                struct.pack_into("=II", planes, plane * _PLANE_SIZE, used, size)
                if fds is not None:
                    struct.pack_into("=i", planes, plane * _PLANE_SIZE + 8, fds[plane])
            return
        struct.pack_into("=I", data, 8, used)
        struct.pack_into("=I", data, 72, sizes[0])
        if fds is not None:
            struct.pack_into("=i", data, 64, fds[0])

    def _read_format(self, data: bytearray) -> QueueFormat:
        width, height, fourcc = struct.unpack_from("=III", data, 8)
        extent = Extent(width, height)
        if not self._planar:
            pitch, size = struct.unpack_from("=II", data, 24)
            return QueueFormat(fourcc, extent, (pitch,), (size,))
        entries = [struct.unpack_from("=II", data, 28 + 20 * plane) for plane in range(data[188])]
        sizes, pitches = zip(*entries, strict=True)
        return QueueFormat(fourcc, extent, pitches, sizes)
