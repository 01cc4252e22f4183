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

import errno
import os
from collections.abc import Callable
from contextlib import suppress

from heapwire.kernel.memory import DmaBuf
from heapwire.kernel.system import Ioctl, ioctl
from heapwire.kernel.video import videodev2
from heapwire.kernel.video.v4l2_device import V4l2Device
from heapwire.kernel.video.v4l2_queue import V4l2Queue, buffer_sizes
from heapwire.kernel.video.videodev2 import Queue

LEAST = (1 << 20) + 4096  # bytes; more than the system heap's largest chunk
_WIDTH, _HEIGHT = 1920, 1080

# What a driver says of memory that it cannot use: not one run (EFAULT), not
# mappable or too small (EINVAL), no import at all (ENOTTY, EOPNOTSUPP).
_REFUSALS = (errno.EFAULT, errno.EINVAL, errno.ENOTTY, errno.EOPNOTSUPP, errno.ENODEV)


def trial_import(
    node: str, allocate: Callable[[int], DmaBuf], *, call: Ioctl = ioctl
) -> int | None:
    """The errno with which the node's queue of pictures refuses buffers that `allocate` makes.

    0 if it takes them. None where that cannot be told now: the device is in use, or has no pictures
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
        if queue is not None and any(not entry.compressed for entry in device.formats(queue)):
            return queue
    return None


class _Trial:
    def __init__(self, fd: int, queue: Queue, call: Ioctl) -> None:
        self._fd = fd
        self._queue = queue
        self._call = call

    def run(self, device: V4l2Device, allocate: Callable[[int], DmaBuf]) -> int | None:
        before = videodev2.Format(type=self._queue)
        try:
            self._call(self._fd, videodev2.G_FMT, before)
            sizes = self._set_large_format(device, before)
            return None if sizes is None else self._refusal(sizes, allocate)
        except OSError as error:
            if error.errno == errno.EBUSY:
                return None
            raise
        finally:
            with suppress(OSError):  # in use by now, or unplugged: then it is not ours to set
                self._call(self._fd, videodev2.S_FMT, before)

    def _set_large_format(
        self, device: V4l2Device, before: videodev2.Format
    ) -> tuple[int, ...] | None:
        """Set a format with a buffer large enough to tell; the bytes of each of its buffers."""
        for entry in device.formats(self._queue):
            if entry.compressed:
                continue
            asked = videodev2.Format.from_buffer_copy(before)
            # The multiplanar struct begins with the same four numbers.
            asked.fmt.pix.width, asked.fmt.pix.height = _WIDTH, _HEIGHT
            asked.fmt.pix.pixelformat = entry.fourcc
            with suppress(OSError):
                self._call(self._fd, videodev2.S_FMT, asked)
                sizes = buffer_sizes(asked)
                if max(sizes, default=0) >= LEAST:
                    return sizes
        return None

    def _refusal(self, sizes: tuple[int, ...], allocate: Callable[[int], DmaBuf]) -> int:
        queue = V4l2Queue(self._fd, self._queue, self._call)
        buffers: list[DmaBuf] = []
        try:
            for size in sizes:
                buffers.append(allocate(size))
            queue.request_dmabuf(1)
            try:
                fds = [buffer.fd for buffer in buffers]
                queue.offer_dmabuf(0, fds, [buffer.size for buffer in buffers], filled=True)
            except OSError as error:
                if error.errno in _REFUSALS:
                    return error.errno
                raise
            finally:
                queue.request_dmabuf(0)  # takes the buffer back, before its memory goes
        finally:
            for buffer in buffers:
                buffer.close()
        return 0
