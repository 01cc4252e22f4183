"""`wp_linux_drm_syncobj_manager_v1`: surfaces whose buffers have points of timelines."""

from __future__ import annotations

from enum import IntEnum

from heapwire.compositor_plugin.hosts.reference import WlSurface, interface_table
from heapwire.compositor_plugin.hosts.reference.sync.client_timelines import ClientTimelines
from heapwire.compositor_plugin.hosts.reference.sync.wp_linux_drm_syncobj_surface_v1 import (
    WpLinuxDrmSyncobjSurfaceV1,
)
from heapwire.compositor_plugin.hosts.reference.sync.wp_linux_drm_syncobj_timeline_v1 import (
    WpLinuxDrmSyncobjTimelineV1,
)
from heapwire.compositor_plugin.server import (
    NewId,
    ReceivedFd,
    Resource,
    ViolationError,
    is_shortage,
)


class SyncobjManagerError(IntEnum):
    """The errors of `wp_linux_drm_syncobj_manager_v1`."""

    SURFACE_EXISTS = 0
    INVALID_TIMELINE = 1


class WpLinuxDrmSyncobjManagerV1(Resource):
    """The bound global."""

    INTERFACE = interface_table("wp_linux_drm_syncobj_manager_v1")
    VERSION = 1

    def __init__(self, new_id: NewId, timelines: ClientTimelines) -> None:
        super().__init__(new_id)
        self._timelines = timelines

    def get_surface(self, new_id: NewId, surface: WlSurface) -> None:
        """Have the buffers of a surface synchronised explicitly; it can have one object of this."""
        if surface.sync is not None:
            raise ViolationError(
                self,
                SyncobjManagerError.SURFACE_EXISTS,
                "the surface is synchronised explicitly already",
            )
        WpLinuxDrmSyncobjSurfaceV1(new_id, surface)

    def import_timeline(self, new_id: NewId, fd: ReceivedFd) -> None:
        """Know a timeline of the client's."""
        try:
            timeline = self._timelines.imported(self.client, fd.fileno())
        except OSError as error:
            if is_shortage(error):
                raise
            raise ViolationError(
                self, SyncobjManagerError.INVALID_TIMELINE, f"no timeline: {error.strerror}"
            ) from None
        WpLinuxDrmSyncobjTimelineV1(new_id, timeline)
