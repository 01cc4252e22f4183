"""Media devices, and the requests that they give: include/uapi/linux/media.h.

A request is what a decoder without a parser is asked by: a buffer and the controls that hold
for it, queued as one. It is used again and again: set up, queued, waited for, re-initialised.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable
from pathlib import Path

from heapwire.kernel.system import Ioctl, Owner, ioctl
from heapwire.protocol import MachineError, words_of

# _IOR('|', 0x05, int), _IO('|', 0x80), _IO('|', 0x81)
REQUEST_ALLOC, REQUEST_QUEUE, REQUEST_REINIT = 0x80047C05, 0x7C80, 0x7C81
_FD = struct.Struct("=i")
_CANNOT = (errno.ENOTTY, errno.EINVAL, errno.EBADR)


def media_node(fd: int, devices: Path = Path("/sys/dev/char")) -> str:
    """The path of the media device that an open V4L2 node belongs to.

    Raises `MachineError` if there is none.
    """
    number = os.fstat(fd).st_rdev
    parent = devices / f"{os.major(number)}:{os.minor(number)}" / "device"
    found = sorted(entry.name for entry in parent.glob("media[0-9]*"))
    if not found:
        raise MachineError(
            "it decodes by requests, and has no media device that gives them: the kernel's "
            "CONFIG_MEDIA_CONTROLLER is needed"
        )
    return f"/dev/{found[0]}"


class MediaRequest(Owner):
    """One request: owns its fd, which is polled for `EPOLLPRI` while it is queued."""

    def __init__(self, fd: int, call: Ioctl = ioctl) -> None:
        self._fd = fd
        self._call = call

    def fileno(self) -> int:
        """The fd that buffers and controls name it by."""
        return self._fd

    def queue(self) -> None:
        """Have the driver do it. Raises `OSError`."""
        self._call(self._fd, REQUEST_QUEUE, bytearray(_FD.size))

    def reinit(self) -> None:
        """Empty it, once it is done. Raises `OSError`."""
        self._call(self._fd, REQUEST_REINIT, bytearray(_FD.size))

    def close(self) -> None:
        """Close its fd; safe to call twice. One that is queued goes on without it."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


class MediaDevice(Owner):
    """An open media device.

    Raises `MachineError` with what can be done about it if it cannot be opened.
    """

    def __init__(
        self, node: str, *, call: Ioctl = ioctl, opened: Callable[[str, int], int] = os.open
    ) -> None:
        self._node = node
        self._call = call
        try:
            self._fd = opened(node, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            text = f"{node}, which gives the requests: {words_of(error)}"
            raise MachineError(text) from error

    def request(self) -> MediaRequest:
        """A new request. Raises `MachineError` where the device has none."""
        given = bytearray(_FD.size)
        try:
            self._call(self._fd, REQUEST_ALLOC, given)
        except OSError as error:
            if error.errno in _CANNOT:
                raise MachineError(f"{self._node} gives no requests") from error
            raise
        (fd,) = _FD.unpack(given)
        return MediaRequest(fd, self._call)

    def close(self) -> None:
        """Close the device; its requests stay. Safe to call twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
