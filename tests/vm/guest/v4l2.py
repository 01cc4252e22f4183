"""As much of V4L2 as it takes to offer a capture queue some dma-bufs (videodev2.h, 64 bits)."""

import ctypes
import errno
import fcntl
import os
import select
import struct
from contextlib import contextmanager
from pathlib import Path

from limits import PATIENCE

VIDIOC_S_FMT = 0xC0D05605
VIDIOC_REQBUFS = 0xC0145608
VIDIOC_QBUF = 0xC058560F
VIDIOC_EXPBUF = 0xC0405610
VIDIOC_DQBUF = 0xC0585611
VIDIOC_STREAMON = 0x40045612
VIDIOC_STREAMOFF = 0x40045613
V4L2_BUF_FLAG_ERROR = 0x40
V4L2_MEMORY_MMAP = 1
V4L2_MEMORY_DMABUF = 4
V4L2_BUF_TYPE_VIDEO_CAPTURE = 1
V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE = 9


def fourcc(text):
    return int.from_bytes(text.encode(), "little")


@contextmanager
def opened(node):
    fd = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def set_format(fd, width, height, pixel_format, *, planes=False):
    """Set the capture format; the size in bytes of each buffer of a frame."""
    kind = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE if planes else V4L2_BUF_TYPE_VIDEO_CAPTURE
    # struct v4l2_format: type at 0; width, height, pixelformat at 8
    request = bytearray(208)
    struct.pack_into("I", request, 0, kind)
    struct.pack_into("III", request, 8, width, height, fourcc(pixel_format))
    fcntl.ioctl(fd, VIDIOC_S_FMT, request)
    got = struct.unpack_from("III", request, 8)
    if got != (width, height, fourcc(pixel_format)):
        raise OSError(errno.EINVAL, f"the driver chose another format: {got}")
    if not planes:
        # struct v4l2_pix_format: sizeimage
        return struct.unpack_from("I", request, 28)
    # struct v4l2_pix_format_mplane: plane_fmt[8] of 20 bytes at 28, num_planes at 188
    return tuple(
        struct.unpack_from("I", request, 28 + 20 * plane)[0] for plane in range(request[188])
    )


def _request_buffers(fd, kind, count):
    fcntl.ioctl(
        fd, VIDIOC_REQBUFS, bytearray(struct.pack("IIIII", count, kind, V4L2_MEMORY_DMABUF, 0, 0))
    )


def offer(fd, buffers, *, planes=False):
    """Queue one frame made of these (dma-buf fd, size) pairs; None, or the name of the error."""
    kind = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE if planes else V4L2_BUF_TYPE_VIDEO_CAPTURE
    _request_buffers(fd, kind, 2)
    # struct v4l2_buffer: index, type at 0; memory at 60; m at 64; length at 72
    request = bytearray(88)
    struct.pack_into("II", request, 0, 0, kind)
    struct.pack_into("I", request, 60, V4L2_MEMORY_DMABUF)
    # struct v4l2_plane: bytesused, length, m (fd) at 8
    array = ctypes.create_string_buffer(64 * len(buffers))
    if planes:
        for plane, (buffer, size) in enumerate(buffers):
            struct.pack_into("IIi", array, 64 * plane, 0, size, buffer)
        struct.pack_into("QI", request, 64, ctypes.addressof(array), len(buffers))
    else:
        ((buffer, size),) = buffers
        struct.pack_into("iiI", request, 64, buffer, 0, size)
    try:
        fcntl.ioctl(fd, VIDIOC_QBUF, request)
        return None
    except OSError as error:
        return errno.errorcode[error.errno]
    finally:
        _request_buffers(fd, kind, 0)


def capture(fd, buffers, size, frames, seconds=PATIENCE):
    """Capture good frames into these dma-bufs in turn; which buffer each is in, yielded.

    The buffer is queued again when the caller asks for the next frame.
    """
    kind = V4L2_BUF_TYPE_VIDEO_CAPTURE
    _request_buffers(fd, kind, len(buffers))

    def request(index):
        buffer = bytearray(88)
        struct.pack_into("II", buffer, 0, index, kind)
        struct.pack_into("I", buffer, 60, V4L2_MEMORY_DMABUF)
        struct.pack_into("iiI", buffer, 64, buffers[index], 0, size)
        return buffer

    for index in range(len(buffers)):
        fcntl.ioctl(fd, VIDIOC_QBUF, request(index))
    fcntl.ioctl(fd, VIDIOC_STREAMON, struct.pack("I", kind))
    try:
        while frames:
            if not select.select([fd], [], [], seconds)[0]:
                raise TimeoutError(f"no frame within {seconds:.0f} seconds")
            done = request(0)
            fcntl.ioctl(fd, VIDIOC_DQBUF, done)
            index, _, _, flags = struct.unpack_from("IIII", done)
            # The first frame after the start may have lost its beginning.
            if not flags & V4L2_BUF_FLAG_ERROR:
                frames -= 1
                yield index
            fcntl.ioctl(fd, VIDIOC_QBUF, request(index))
    finally:
        fcntl.ioctl(fd, VIDIOC_STREAMOFF, struct.pack("I", kind))
        _request_buffers(fd, kind, 0)


def allocator(node):
    """What a vivid device's queue gets its memory from: told by its name and the parameter."""
    name = Path("/sys/class/video4linux", Path(node).name, "name").read_text()
    number = int(name.split("-")[1])
    chosen = Path("/sys/module/vivid/parameters/allocators").read_text().split(",")
    return {"0": "vmalloc", "1": "dma-contig"}[chosen[number].strip()]


@contextmanager
def exported(fd):
    """A buffer of the capture queue's own, as a dma-buf."""
    kind = V4L2_BUF_TYPE_VIDEO_CAPTURE
    fcntl.ioctl(
        fd, VIDIOC_REQBUFS, bytearray(struct.pack("IIIII", 1, kind, V4L2_MEMORY_MMAP, 0, 0))
    )
    try:
        # struct v4l2_exportbuffer: type, index, plane, flags, fd
        request = bytearray(struct.pack("IIIIi44x", kind, 0, 0, os.O_RDWR | os.O_CLOEXEC, -1))
        fcntl.ioctl(fd, VIDIOC_EXPBUF, request)
        buffer = struct.unpack_from("i", request, 16)[0]
        try:
            yield buffer
        finally:
            os.close(buffer)
    finally:
        fcntl.ioctl(
            fd, VIDIOC_REQBUFS, bytearray(struct.pack("IIIII", 0, kind, V4L2_MEMORY_MMAP, 0, 0))
        )
