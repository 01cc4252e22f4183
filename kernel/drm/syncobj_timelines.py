"""Timelines of the kernel: DRM's synchronisation objects (drivers/gpu/drm/drm_syncobj.c).

They are no driver's own: what one device exports, any other that has the capability imports.
"""

from __future__ import annotations

import errno
import os
import re
import weakref
from collections.abc import Iterable
from contextlib import suppress
from fcntl import ioctl as plain_ioctl
from pathlib import Path

from heapwire.kernel.drm import drm_ioctls as drm
from heapwire.kernel.drm.drm_device import Numbers
from heapwire.kernel.drm.simulated_timelines import SimulatedTimelines
from heapwire.kernel.drm.timeline import Timelines
from heapwire.kernel.system import Ioctl, Owner, ioctl

_NODES = Path("/dev/dri")
_NODE = re.compile(r"(renderD|card)[0-9]+")
# No longer than now: the time is absolute, and this one is long past.
_AT_ONCE = 0


class SyncobjTimelines(Owner):
    """Timelines of an open DRM node; takes over `fd` and closes it. `call` asks its kernel.

    `notifies` says whether the kernel writes to eventfds (since Linux 6.6).
    """

    def __init__(self, fd: int, call: Ioctl = ioctl) -> None:
        self._call = call
        self._fd = fd
        self.closed = False
        self.notifies = self._knows_eventfds()

    def create(self) -> SyncobjTimeline:
        """See `Timelines.create`."""
        request = bytearray(drm.SYNCOBJ.pack(0, 0))
        self.ask(drm.MAKE_SYNCOBJ, request)
        return SyncobjTimeline(self, drm.SYNCOBJ.unpack(request)[0])

    def imported(self, fd: int) -> SyncobjTimeline:
        """See `Timelines.imported`."""
        request = bytearray(drm.SYNCOBJ_FD.pack(0, 0, fd, 0))
        self.ask(drm.IMPORT_SYNCOBJ, request)
        return SyncobjTimeline(self, drm.SYNCOBJ_FD.unpack(request)[0])

    def ask(self, number: int, request: bytearray) -> None:
        """An ioctl on the node. Raises `OSError`, and so it does when it is closed."""
        if self.closed:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        self._call(self._fd, number, request)

    def forget(self, handle: int) -> None:
        """Let go of a timeline here."""
        with suppress(OSError):  # the device is gone, or closed, and all handles with it
            self.ask(drm.DESTROY_SYNCOBJ, bytearray(drm.SYNCOBJ.pack(handle, 0)))

    def close(self) -> None:
        """See `Timelines.close`."""
        if not self.closed:
            self.closed = True
            os.close(self._fd)

    def _knows_eventfds(self) -> bool:
        """Whether the kernel has the ioctl: it looks for the handle first, and there is no 0."""
        try:
            self.ask(drm.NOTIFY_OF_POINT, bytearray(drm.SYNCOBJ_EVENTFD.pack(0, 0, 0, -1, 0)))
        except OSError as error:
            return error.errno == errno.ENOENT
        return False


class SyncobjTimeline:
    """See `Timeline`."""

    __slots__ = ("__weakref__", "_closer", "_device", "_handle")

    def __init__(self, device: SyncobjTimelines, handle: int) -> None:
        self._device = device
        self._handle = handle
        self._closer = weakref.finalize(self, device.forget, handle)

    def signalled(self, point: int) -> bool:
        """See `Timeline.signalled`."""
        handles, points = Numbers((self._handle,)), Numbers((point,), wide=True)
        request = bytearray(
            drm.SYNCOBJ_WAIT.pack(
                *(handles.address, points.address, _AT_ONCE),
                *(1, drm.WAIT_FOR_SUBMIT, 0, 0, 0),
            )
        )
        try:
            self._device.ask(drm.WAIT_FOR_POINTS, request)
        except OSError as error:
            return error.errno != errno.ETIME
        return True

    def signal(self, point: int) -> None:
        """See `Timeline.signal`."""
        handles, points = Numbers((self._handle,)), Numbers((point,), wide=True)
        request = drm.SYNCOBJ_POINTS.pack(handles.address, points.address, 1, 0)
        self._device.ask(drm.SIGNAL_POINTS, bytearray(request))

    def notify(self, point: int, eventfd: int) -> bool:
        """See `Timeline.notify`."""
        if not self._device.notifies:
            return False
        request = drm.SYNCOBJ_EVENTFD.pack(self._handle, 0, point, eventfd, 0)
        try:
            self._device.ask(drm.NOTIFY_OF_POINT, bytearray(request))
        except OSError:  # no memory for it: whoever looks finds out too
            return False
        return True

    def export(self) -> int:
        """See `Timeline.export`."""
        request = bytearray(drm.SYNCOBJ_FD.pack(self._handle, 0, -1, 0))
        self._device.ask(drm.EXPORT_SYNCOBJ, request)
        fd: int = drm.SYNCOBJ_FD.unpack(request)[2]
        return fd

    def close(self) -> None:
        """See `Timeline.close`."""
        self._closer()


def open_timelines(*, simulated: bool, nodes: Iterable[str] | None = None) -> Timelines | None:
    """Timelines of the first device that has them, simulated ones where the machine is.

    None where no DRM device that this process may open has them. Render nodes are asked before
    cards; `nodes` are others to ask than those of /dev/dri.
    """
    if simulated:
        return SimulatedTimelines()
    for node in _nodes() if nodes is None else nodes:
        try:
            fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        if _has_timelines(fd):
            return SyncobjTimelines(fd)
        os.close(fd)
    return None


def _has_timelines(fd: int) -> bool:
    with suppress(OSError):  # who opens a card that has no master becomes it
        plain_ioctl(fd, drm.DROP_MASTER)
    request = bytearray(drm.CAP.pack(drm.CAP_SYNCOBJ_TIMELINE, 0))
    try:
        ioctl(fd, drm.GET_CAP, request)
    except OSError:
        return False
    return bool(drm.CAP.unpack(request)[1])


def _nodes() -> list[str]:
    found = [entry.name for entry in _NODES.iterdir()] if _NODES.is_dir() else []
    named = sorted(name for name in found if _NODE.fullmatch(name))
    return [str(_NODES / name) for name in sorted(named, key=lambda name: name.startswith("card"))]
