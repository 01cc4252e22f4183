"""Explicit synchronisation of a surface: `linux-drm-syncobj-v1`."""

from __future__ import annotations

import contextlib
import logging
import os

from pywayland.protocol.linux_drm_syncobj_v1 import WpLinuxDrmSyncobjManagerV1

from heapwire.client_lib.buffers.buffer import Buffer
from heapwire.client_lib.buffers.buffer_release import BufferRelease
from heapwire.client_lib.wayland import CData, Connection
from heapwire.kernel.drm import Timeline, Timelines, open_timelines
from heapwire.kernel.system import Owner
from heapwire.protocol import MachineError
from heapwire.protocol.wire import halves

_LOG = logging.getLogger("heapwire.buffers")

LOOK = 0.004  # seconds between two looks at buffers of whose release nobody tells
_WRITTEN = 1  # the one point at which all buffers are acquired


class SurfaceSync(Owner):
    """The points of a surface's buffers; takes over `timelines`, and `written`, which is one.

    Who writes a buffer has done so when it is shown: the CPU has ended its access, a device's
    buffer has come out of its queue. So it is acquired at a point of `written` that has come
    already. `wake` is an fd that becomes readable when a buffer is released, where the kernel
    tells.
    """

    def __init__(
        self, connection: Connection, surface: CData, timelines: Timelines, written: Timeline
    ) -> None:
        self._timelines = timelines
        bound: CData = connection.bind(WpLinuxDrmSyncobjManagerV1, maximum=1)
        self._manager = bound[0]
        self._sync: CData = self._manager.get_surface(surface)
        self._written = written
        self._written_proxy = self._imported(written)
        self._shown: list[Buffer] = []
        self._is_told = True
        self.wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    @classmethod
    def offered(
        cls, connection: Connection, surface: CData, *, simulated: bool
    ) -> SurfaceSync | None:
        """That of a surface; None where the compositor or this machine has none.

        `simulated` says which kind of timelines go with the buffers.
        """
        if WpLinuxDrmSyncobjManagerV1.name not in connection.globals():
            _LOG.debug("implicit sync: the compositor does not offer linux-drm-syncobj")
            return None
        timelines = open_timelines(simulated=simulated)
        if timelines is None:
            _LOG.debug("implicit sync: no device of this machine has timelines")
            return None
        try:
            written = timelines.create()
            written.signal(_WRITTEN)
        except OSError as error:
            _LOG.debug("implicit sync: no timeline can be made: %s", error.strerror)
            timelines.close()
            return None
        _LOG.debug("explicit sync: linux-drm-syncobj")
        return cls(connection, surface, timelines, written)

    @property
    def look(self) -> float | None:
        """Seconds after which buffers have to be looked at; None while there is no need.

        The buffer on the screen does not come back before another takes its place.
        """
        if self._is_told or sum(buffer.busy for buffer in self._shown) < 2:
            return None
        return LOOK

    def heard(self) -> None:
        """Whatever `wake` had to say has been seen to."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.wake)

    def name_points(self, buffer: Buffer) -> None:
        """Give the next commit, which is of a buffer, its points. The buffer is busy until then.

        Raises `MachineError` where no timeline can be made for it.
        """
        if buffer.release is None:
            try:
                made = self._timelines.create()
                buffer.release = BufferRelease(made, self._imported(made))
            except OSError as error:
                raise MachineError(f"no timeline can be made: {error.strerror}") from error
        release = buffer.release
        release.point += 1
        self._sync.set_acquire_point(self._written_proxy, *halves(_WRITTEN))
        self._sync.set_release_point(release.proxy, *halves(release.point))
        buffer.await_release()
        self._is_told = release.timeline.notify(release.point, self.wake) and self._is_told
        self._shown = [one for one in self._shown if one is not buffer and one.busy]
        self._shown.append(buffer)

    def close(self) -> None:
        """Destroy its objects; the surface comes after."""
        if self.wake < 0:
            return
        for proxy in (self._sync, self._written_proxy, self._manager):
            if not proxy.destroyed:
                proxy.destroy()
        self._shown.clear()
        self._written.close()
        self._timelines.close()
        os.close(self.wake)
        self.wake = -1

    def _imported(self, timeline: Timeline) -> CData:
        fd = timeline.export()
        try:
            return self._manager.import_timeline(fd)
        finally:
            os.close(fd)
