"""V4L2 nodes: what they are, their formats and sizes, and whether they import dma-bufs.

Only questions are asked: no format is set and no buffer is made. Numbers and
offsets are those of include/uapi/linux/videodev2.h on 64-bit machines.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from heapwire.kernel.system import ioctl

_QUERYCAP, _CAPABILITY_SIZE = 0x80685600, 104
_ENUM_FMT, _FMTDESC_SIZE = 0xC0405602, 64
_ENUM_FRAMESIZES, _FRMSIZE_SIZE = 0xC02C564A, 44
_REQBUFS = 0xC0145608

_MEMORY_DMABUF = 4
_FORMAT_COMPRESSED = 1
_BUF_USERPTR, _BUF_DMABUF = 2, 4
_MOST = 1024  # entries of a list; a driver whose list has no end is cut off


class Capability(IntFlag):
    """The bits of v4l2_capability that are read here."""

    VIDEO_CAPTURE = 0x1
    VIDEO_OUTPUT = 0x2
    VIDEO_CAPTURE_MPLANE = 0x1000
    VIDEO_OUTPUT_MPLANE = 0x2000
    VIDEO_M2M_MPLANE = 0x4000
    VIDEO_M2M = 0x8000
    STREAMING = 0x4000000
    DEVICE_CAPS = 0x80000000


class Queue(IntEnum):
    """The four queues of pictures and bitstreams."""

    CAPTURE = 1
    OUTPUT = 2
    CAPTURE_MPLANE = 9
    OUTPUT_MPLANE = 10


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

    def __init__(self, fd: int, call: Callable[[int, int, bytearray], int] = ioctl) -> None:
        self._fd = fd
        self._call = call
        data = bytearray(_CAPABILITY_SIZE)
        call(fd, _QUERYCAP, data)
        self.driver = _text(data[0:16])
        self.card = _text(data[16:48])
        whole, own = struct.unpack_from("=II", data, 84)
        self.capabilities = Capability(own if whole & Capability.DEVICE_CAPS else whole)

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
        found = []
        for index in range(_MOST):
            data = bytearray(_FMTDESC_SIZE)
            struct.pack_into("=II", data, 0, index, queue)
            if not self._asked(_ENUM_FMT, data):
                break
            (flags,) = struct.unpack_from("=I", data, 8)
            (fourcc,) = struct.unpack_from("=I", data, 44)
            found.append(PixelFormat(fourcc, bool(flags & _FORMAT_COMPRESSED)))
        return tuple(found)

    def frame_sizes(self, fourcc: int) -> tuple[FrameSizes, ...]:
        """The sizes of a format; a range is one entry. Empty where the driver does not say."""
        found = []
        for index in range(_MOST):
            data = bytearray(_FRMSIZE_SIZE)
            struct.pack_into("=II", data, 0, index, fourcc)
            if not self._asked(_ENUM_FRAMESIZES, data):
                break
            (kind,) = struct.unpack_from("=I", data, 8)
            if kind == 1:  # discrete
                width, height = struct.unpack_from("=II", data, 12)
                found.append(
                    FrameSizes(
                        min_width=width, max_width=width, min_height=height, max_height=height
                    )
                )
                continue
            low_w, high_w, step_w, low_h, high_h, step_h = struct.unpack_from("=6I", data, 12)
            found.append(
                FrameSizes(
                    min_width=low_w,
                    max_width=high_w,
                    step_width=max(step_w, 1),
                    min_height=low_h,
                    max_height=high_h,
                    step_height=max(step_h, 1),
                )
            )
            break
        return tuple(found)

    def buffer_capabilities(self, queue: Queue) -> BufferCapabilities | None:
        """What a queue takes; None where the driver does not say.

        Asked by requesting no buffers at all: that frees nothing on an fd that
        has none, and the answer carries the capabilities.
        """
        data = bytearray(struct.pack("=5I", 0, queue, _MEMORY_DMABUF, 0, 0))
        if not self._asked(_REQBUFS, data):
            return None
        (told,) = struct.unpack_from("=I", data, 12)
        if not told:
            return None  # a kernel before 4.20
        return BufferCapabilities(bool(told & _BUF_DMABUF), bool(told & _BUF_USERPTR))

    def _asked(self, number: int, data: bytearray) -> bool:
        """Whether the question was answered; EINVAL and its like end a list."""
        try:
            self._call(self._fd, number, data)
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
    """A fourcc of V4L2's as its four v4l2_format_name; `fourcc_name` has the names of DRM's."""
    return code.to_bytes(4, "little").decode("ascii", "replace").rstrip()


def _text(data: bytearray) -> str:
    return bytes(data).split(b"\0", 1)[0].decode("utf-8", "replace")
