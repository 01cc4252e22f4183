"""`wp_linux_drm_syncobj_timeline_v1`: a timeline that a client names points of."""

from __future__ import annotations

from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.server import NewId, Resource
from heapwire.kernel.drm import Timeline


class WpLinuxDrmSyncobjTimelineV1(Resource):
    """Points that were named of it outlive the object, and keep the timeline."""

    INTERFACE = interface_table("wp_linux_drm_syncobj_timeline_v1")
    VERSION = 1

    def __init__(self, new_id: NewId, timeline: Timeline) -> None:
        super().__init__(new_id)
        self.timeline = timeline
