"""Timelines without a kernel's: sixteen bytes that both sides have.

The first eight are the point to which whoever made the timeline has brought it, the others that
of whoever imported it; it has come to the greater one. So each writes where nobody else does.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import weakref

from heapwire.kernel.drm.timeline import MOST
from heapwire.kernel.system import FIXED_SIZE, Owner, sealed_memfd

_NAME = "heapwire timeline"
_POINTS = struct.Struct("=QQ")
_POINT = struct.Struct("=Q")


class SimulatedTimelines(Owner):
    """Timelines for processes of a simulated machine. Nobody is told of points: one has to look."""

    def create(self) -> SimulatedTimeline:
        """See `Timelines.create`."""
        return SimulatedTimeline(sealed_memfd(_NAME, _POINTS.size), place=0)

    def imported(self, fd: int) -> SimulatedTimeline:
        """See `Timelines.imported`."""
        seals = fcntl.fcntl(fd, fcntl.F_GET_SEALS)  # OSError for what is no memfd
        if seals & FIXED_SIZE != FIXED_SIZE or os.fstat(fd).st_size != _POINTS.size:
            raise OSError(errno.EINVAL, "no timeline")
        return SimulatedTimeline(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 0), place=_POINT.size)

    def close(self) -> None:
        """See `Timelines.close`; each timeline has a file of its own."""


class SimulatedTimeline:
    """See `Timeline`; takes over `fd`, and writes the point at `place`."""

    __slots__ = ("__weakref__", "_closer", "_fd", "_place")

    def __init__(self, fd: int, *, place: int) -> None:
        self._fd = fd
        self._place = place
        self._closer = weakref.finalize(self, os.close, fd)

    def signalled(self, point: int) -> bool:
        """See `Timeline.signalled`."""
        made, imported = _POINTS.unpack(os.pread(self._fd, _POINTS.size, 0))
        return bool(max(made, imported) >= point)

    def signal(self, point: int) -> None:
        """See `Timeline.signal`."""
        assert 0 <= point <= MOST
        (reached,) = _POINT.unpack(os.pread(self._fd, _POINT.size, self._place))
        if point > reached:
            os.pwrite(self._fd, _POINT.pack(point), self._place)

    def notify(self, point: int, eventfd: int) -> bool:
        """See `Timeline.notify`."""
        return False

    def export(self) -> int:
        """See `Timeline.export`."""
        return fcntl.fcntl(self._fd, fcntl.F_DUPFD_CLOEXEC, 0)

    def close(self) -> None:
        """See `Timeline.close`."""
        self._closer()
