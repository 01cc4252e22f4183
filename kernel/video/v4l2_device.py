"""V4L2 nodes: what they are, their formats and sizes, and whether they import dma-bufs.

Only questions are asked: no format is set and no buffer is made.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from heapwire.kernel.system import Ioctl, IoctlArgument, ioctl
from heapwire.kernel.video import videodev2
from heapwire.kernel.video.videodev2 import Capability, Queue
from heapwire.protocol.late_dataclasses import dataclass

_MOST = 1024  # entries of a list; a driver whose list has no end is cut off

_BIG_ENDIAN = 1 << 31  # of a fourcc: include/uapi/linux/videodev2.h, v4l2_fourcc_be


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """A format of a queue: V4L2's fourcc, and whether it is a bitstream."""

    fourcc: int
    compressed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSizes:
    """Sizes in pixels: from, to, and in steps of; a single size has steps of 1."""

    min_width: int
    max_width: int
    step_width: int = 1
    min_height: int
    max_height: int
    step_height: int = 1


@dataclass(frozen=True, slots=True)
class BufferCapabilities:
    """What a queue takes: dma-bufs, and pointers to user memory."""

    dmabuf: bool
    userptr: bool


class V4l2Device:
    """An open V4L2 node, for questions only; the fd stays the caller's."""

    def __init__(self, fd: int, call: Ioctl = ioctl) -> None:
        self._fd = fd
        self._call = call
        info = videodev2.CapabilityInfo()
        call(fd, videodev2.QUERYCAP, info)
        self.driver = _text(info.driver)
        self.card = _text(info.card)
        tells_of_node = info.capabilities & Capability.DEVICE_CAPS
        self.capabilities = Capability(info.device_caps if tells_of_node else info.capabilities)

    @property
    def is_memory_to_memory(self) -> bool:
        """Whether it takes buffers on one side and gives them on the other."""
        return bool(self.capabilities & (Capability.VIDEO_M2M | Capability.VIDEO_M2M_MPLANE))

    @property
    def capture(self) -> Queue | None:
        """The queue that it fills: pictures of a camera, what a codec makes."""
        mplane = Capability.VIDEO_CAPTURE_MPLANE | Capability.VIDEO_M2M_MPLANE
        if self.capabilities & mplane:
            return Queue.CAPTURE_MPLANE
        single = Capability.VIDEO_CAPTURE | Capability.VIDEO_M2M
        return Queue.CAPTURE if self.capabilities & single else None

    @property
    def output(self) -> Queue | None:
        """The queue that it empties."""
        mplane = Capability.VIDEO_OUTPUT_MPLANE | Capability.VIDEO_M2M_MPLANE
        if self.capabilities & mplane:
            return Queue.OUTPUT_MPLANE
        single = Capability.VIDEO_OUTPUT | Capability.VIDEO_M2M
        return Queue.OUTPUT if self.capabilities & single else None

    def formats(self, queue: Queue) -> tuple[PixelFormat, ...]:
        """The formats of a queue, in the driver's order."""
        formats = []
        for index in range(_MOST):
            entry = videodev2.FormatDescription(index=index, type=queue)
            if not self._answered(videodev2.ENUM_FMT, entry):
                break
            compressed = bool(entry.flags & videodev2.FMT_FLAG_COMPRESSED)
            formats.append(PixelFormat(entry.pixelformat, compressed))
        return tuple(formats)

    def frame_sizes(self, fourcc: int) -> tuple[FrameSizes, ...]:
        """The sizes of a format; a range is one entry. Empty where the driver does not say."""
        sizes = []
        for index in range(_MOST):
            entry = videodev2.FrameSize(index=index, pixel_format=fourcc)
            if not self._answered(videodev2.ENUM_FRAMESIZES, entry):
                break
            if entry.type != videodev2.FRMSIZE_TYPE_DISCRETE:
                sizes.append(
                    FrameSizes(
                        min_width=entry.min_width,
                        max_width=entry.max_width,
                        step_width=max(entry.step_width, 1),
                        min_height=entry.min_height,
                        max_height=entry.max_height,
                        step_height=max(entry.step_height, 1),
                    )
                )
                break  # a range is the only entry that there is
            width, height = entry.min_width, entry.max_width  # see `videodev2.FrameSize`
            sizes.append(
                FrameSizes(min_width=width, max_width=width, min_height=height, max_height=height)
            )
        return tuple(sizes)

    def buffer_capabilities(self, queue: Queue) -> BufferCapabilities | None:
        """What a queue takes; None where the driver does not say.

        Asked by requesting no buffers at all: that frees nothing on an fd that
        has none, and the answer carries the capabilities.
        """
        request = videodev2.RequestBuffers(type=queue, memory=videodev2.MEMORY_DMABUF)
        if not self._answered(videodev2.REQBUFS, request):
            return None
        bits = request.capabilities
        if not bits:
            return None  # a kernel before 4.20
        return BufferCapabilities(
            dmabuf=bool(bits & videodev2.BUF_CAP_SUPPORTS_DMABUF),
            userptr=bool(bits & videodev2.BUF_CAP_SUPPORTS_USERPTR),
        )

    def _answered(self, number: int, question: IoctlArgument) -> bool:
        """Whether the question was answered; EINVAL and its like end a list."""
        try:
            self._call(self._fd, number, question)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY, errno.ENODATA, errno.EBUSY):
                return False
            raise
        return True


@contextmanager
def open_v4l2(node: str) -> Iterator[V4l2Device]:
    """A V4L2 node for the time of a block. Raises `OSError`."""
    fd = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        yield V4l2Device(fd)
    finally:
        os.close(fd)


def v4l2_format_name(code: int) -> str:
    """A fourcc of V4L2's as its four letters; `fourcc_name` has the names of DRM's.

    The highest bit says that the most significant byte comes first (`v4l2_fourcc_be`).
    """
    letters = (code & ~_BIG_ENDIAN).to_bytes(4, "little").decode("ascii", "replace").rstrip()
    return f"{letters}-BE" if code & _BIG_ENDIAN else letters


def _text(name: bytes) -> str:
    """A name that ctypes has cut off at its first NUL."""
    return name.decode("utf-8", "replace")
