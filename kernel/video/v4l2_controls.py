"""Controls of V4L2 that are set for one request, or only tried."""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Iterable

from heapwire.kernel.system import Ioctl
from heapwire.kernel.video import videodev2


def set_controls(fd: int, controls: Iterable[tuple[int, bytes]], request: int, call: Ioctl) -> None:
    """Set controls, by their numbers, for the buffer that a request will be queued with.

    Raises `OSError` with the driver's word.
    """
    _ask(videodev2.S_EXT_CTRLS, fd, controls, videodev2.CTRL_WHICH_REQUEST_VAL, request, call)


def takes_controls(fd: int, controls: Iterable[tuple[int, bytes]], call: Ioctl) -> bool:
    """Whether a driver would take values, with the formats that it is set to; nothing is set."""
    try:
        _ask(videodev2.TRY_EXT_CTRLS, fd, controls, videodev2.CTRL_WHICH_CUR_VAL, 0, call)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ERANGE):
            return False
        raise
    return True


def _ask(
    number: int,
    fd: int,
    controls: Iterable[tuple[int, bytes]],
    which: int,
    request: int,
    call: Ioctl,
) -> None:
    listed = tuple(controls)
    array = (videodev2.ExtControl * len(listed))()
    values = [ctypes.create_string_buffer(value, len(value)) for _, value in listed]
    for entry, (id_, value), memory in zip(array, listed, values, strict=True):
        entry.id, entry.size = id_, len(value)
        entry.address = ctypes.addressof(memory)
    asked = videodev2.ExtControls(
        which=which, count=len(listed), request_fd=request, address=ctypes.addressof(array)
    )
    call(fd, number, asked)
    del array, values  # the driver has read them: an address keeps nothing alive
