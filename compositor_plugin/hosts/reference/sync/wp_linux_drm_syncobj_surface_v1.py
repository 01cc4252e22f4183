"""`wp_linux_drm_syncobj_surface_v1`: when the buffers of a surface can be read, and were read."""

from __future__ import annotations

from enum import IntEnum

from heapwire.compositor_plugin.hosts.reference import WlSurface, interface_table
from heapwire.compositor_plugin.hosts.reference.dmabuf import WlBuffer
from heapwire.compositor_plugin.hosts.reference.scene import SyncPoint
from heapwire.compositor_plugin.hosts.reference.sync.wp_linux_drm_syncobj_timeline_v1 import (
    WpLinuxDrmSyncobjTimelineV1,
)
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError
from heapwire.protocol.wire import whole


class SyncobjSurfaceError(IntEnum):
    """The errors of `wp_linux_drm_syncobj_surface_v1`."""

    NO_SURFACE = 1
    UNSUPPORTED_BUFFER = 2
    NO_BUFFER = 3
    NO_ACQUIRE_POINT = 4
    NO_RELEASE_POINT = 5
    CONFLICTING_POINTS = 6


class WpLinuxDrmSyncobjSurfaceV1(Resource):
    """What it sets goes with the buffer that the surface is committed with next."""

    INTERFACE = interface_table("wp_linux_drm_syncobj_surface_v1")
    VERSION = 1

    def __init__(self, new_id: NewId, surface: WlSurface) -> None:
        super().__init__(new_id)
        self._surface: WlSurface | None = surface
        self._acquire: SyncPoint | None = None
        self._release: SyncPoint | None = None
        surface.sync = self

    def set_acquire_point(self, timeline: WpLinuxDrmSyncobjTimelineV1, high: int, low: int) -> None:
        """Set the point at which the buffer can be read."""
        self._check_surface()
        self._acquire = SyncPoint(timeline.timeline, whole(high, low))

    def set_release_point(self, timeline: WpLinuxDrmSyncobjTimelineV1, high: int, low: int) -> None:
        """Set the point that is signalled when nobody reads the buffer any more."""
        self._check_surface()
        self._release = SyncPoint(timeline.timeline, whole(high, low))

    # What the surface calls.

    def take(self, buffer: WlBuffer | None) -> tuple[SyncPoint, SyncPoint] | None:
        """The points of a commit with a buffer, to acquire and to release it; None without one.

        Raises `ViolationError` for points that do not go with it.
        """
        acquire, self._acquire = self._acquire, None
        release, self._release = self._release, None
        if buffer is None:
            if acquire is not None or release is not None:
                raise self._error(SyncobjSurfaceError.NO_BUFFER, "a point and no buffer")
            return None
        if not buffer.synchronised:
            text = "a buffer of wl_shm is not synchronised"
            raise self._error(SyncobjSurfaceError.UNSUPPORTED_BUFFER, text)
        if acquire is None:
            raise self._error(SyncobjSurfaceError.NO_ACQUIRE_POINT, "no acquire point")
        if release is None:
            raise self._error(SyncobjSurfaceError.NO_RELEASE_POINT, "no release point")
        # Whether two objects are one timeline of the kernel's, nobody can tell from here.
        if acquire.timeline is release.timeline and acquire.value >= release.value:
            text = f"the buffer is released at {release.value} and acquired at {acquire.value}"
            raise self._error(SyncobjSurfaceError.CONFLICTING_POINTS, text)
        return acquire, release

    def surface_gone(self) -> None:
        """The surface was destroyed; only `destroy` is allowed from here on."""
        self._surface = None

    def on_destroy(self) -> None:
        """The surface's next buffer has no points; those of earlier ones stand."""
        surface, self._surface = self._surface, None
        if surface is not None:
            surface.sync = None

    def _check_surface(self) -> None:
        if self._surface is None:
            raise self._error(SyncobjSurfaceError.NO_SURFACE, "the surface has been destroyed")

    def _error(self, code: SyncobjSurfaceError, text: str) -> ViolationError:
        return ViolationError(self, code, text)
