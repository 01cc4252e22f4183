"""A trial import into a V4L2 queue, to learn whether the driver takes this memory.

V4L2 has no capability that says so. videobuf2 maps a dma-buf when it is queued,
and refuses with EFAULT what is not one run of addresses (videobuf2-dma-contig).
A small buffer may be one run by luck: the system heap's largest chunk is 1 MiB
(order 8), so the trial takes more.

On a memory-to-memory device format and queue belong to the file descriptor. A
camera has one format for everyone: it is put back as it was, and a camera that
is in use is left alone.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from heapwire.kernel.memory import DmaBuf
from heapwire.kernel.system import ioctl
from heapwire.kernel.video.v4l2 import Queue, V4l2Device

_G_FMT, _S_FMT, _FORMAT_SIZE = 0xC0D05604, 0xC0D05605, 208
_REQBUFS, _QBUF, _BUFFER_SIZE = 0xC0145608, 0xC058560F, 88
_MEMORY_DMABUF = 4
_PLANE_SIZE, _MAX_PLANES = 64, 8

LEAST = (1 << 20) + 4096  # bytes; more than the system heap's largest chunk
_WIDTH, _HEIGHT = 1920, 1080

# What a driver says of memory that it cannot use: not one run (EFAULT), not
# mappable or too small (EINVAL), no import at all (ENOTTY, EOPNOTSUPP).
_REFUSALS = (errno.EFAULT, errno.EINVAL, errno.ENOTTY, errno.EOPNOTSUPP, errno.ENODEV)


@dataclass(frozen=True, slots=True)
class _Picture:
    """A format as the driver has set it: its fourcc is first in `sizes` plane by plane."""

    data: bytes
    sizes: tuple[int, ...]


def trial_import(
    node: str,
    allocate: Callable[[int], DmaBuf],
    *,
    call: Callable[[int, int, bytearray], int] = ioctl,
) -> bool | None:
    """Whether the node's queue of pictures takes buffers that `allocate` makes.

    None where that cannot be told now: the device is in use, or has no pictures
    large enough. Raises `OSError` when the node cannot be opened, and whatever
    `allocate` raises.
    """
    fd = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        device = V4l2Device(fd, call)
        queue = _queue_of_pictures(device)
        return None if queue is None else _Trial(fd, queue, call).run(device, allocate)
    finally:
        os.close(fd)


def _queue_of_pictures(device: V4l2Device) -> Queue | None:
    """The queue whose formats are not bitstreams: what a decoder makes, what an encoder takes."""
    for queue in (device.capture, device.output):
        if queue is not None and any(not one.compressed for one in device.formats(queue)):
            return queue
    return None


class _Trial:
    def __init__(self, fd: int, queue: Queue, call: Callable[[int, int, bytearray], int]) -> None:
        self._fd = fd
        self._queue = queue
        self._call = call
        self._planar = queue in (Queue.CAPTURE_MPLANE, Queue.OUTPUT_MPLANE)

    def run(self, device: V4l2Device, allocate: Callable[[int], DmaBuf]) -> bool | None:
        before = bytearray(struct.pack("=I", self._queue)) + bytearray(_FORMAT_SIZE - 4)
        try:
            self._call(self._fd, _G_FMT, before)
            picture = self._large(device, before)
            if picture is None:
                return None
            return self._queued(picture, allocate)
        except OSError as error:
            if error.errno == errno.EBUSY:
                return None
            raise
        finally:
            with suppress(OSError):  # in use by now, or unplugged: then it is not ours to set
                self._call(self._fd, _S_FMT, bytearray(before))

    def _large(self, device: V4l2Device, before: bytearray) -> _Picture | None:
        """Set a format whose planes together are large enough, and see what came of it."""
        for one in device.formats(self._queue):
            if one.compressed:
                continue
            data = bytearray(before)
            struct.pack_into("=III", data, 8, _WIDTH, _HEIGHT, one.fourcc)
            with suppress(OSError):
                self._call(self._fd, _S_FMT, data)
                sizes = self._sizes(data)
                if max(sizes, default=0) >= LEAST:
                    return _Picture(bytes(data), sizes)
        return None

    def _sizes(self, data: bytearray) -> tuple[int, ...]:
        """Bytes of each buffer of a picture, from struct v4l2_pix_format or its _mplane."""
        if not self._planar:
            return tuple(struct.unpack_from("=I", data, 28))
        count = min(data[188], _MAX_PLANES)
        return tuple(struct.unpack_from("=I", data, 28 + 20 * plane)[0] for plane in range(count))

    def _queued(self, picture: _Picture, allocate: Callable[[int], DmaBuf]) -> bool | None:
        buffers: list[DmaBuf] = []
        try:
            for size in picture.sizes:
                buffers.append(allocate(size))
            self._request(1)
            try:
                self._queue_buffer(buffers)
            except OSError as error:
                if error.errno in _REFUSALS:
                    return False
                raise
            finally:
                self._request(0)
        finally:
            for buffer in buffers:
                buffer.close()
        return True

    def _request(self, count: int) -> None:
        self._call(self._fd, _REQBUFS, bytearray(struct.pack("=5I", count, self._queue, 4, 0, 0)))

    def _queue_buffer(self, buffers: list[DmaBuf]) -> None:
        data = bytearray(_BUFFER_SIZE)
        struct.pack_into("=II", data, 0, 0, self._queue)
        struct.pack_into("=I", data, 60, _MEMORY_DMABUF)
        if not self._planar:
            (buffer,) = buffers
            struct.pack_into("=II", data, 8, buffer.size, 0)
            struct.pack_into("=i", data, 64, buffer.fd)
            struct.pack_into("=I", data, 72, buffer.size)
            self._call(self._fd, _QBUF, data)
            return
        planes = ctypes.create_string_buffer(_PLANE_SIZE * len(buffers))
        for index, buffer in enumerate(buffers):
            at = _PLANE_SIZE * index
            struct.pack_into("=II", planes, at, buffer.size, buffer.size)
            struct.pack_into("=i", planes, at + 8, buffer.fd)
        struct.pack_into("=Q", data, 64, ctypes.addressof(planes))
        struct.pack_into("=I", data, 72, len(buffers))
        self._call(self._fd, _QBUF, data)
