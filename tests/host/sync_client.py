"""A client that has its buffers synchronised explicitly, and the timelines that it names."""

from __future__ import annotations

import os
from contextlib import closing

from host_stage import HostClient, HostStage, Window

from heapwire.kernel.drm import Timeline, Timelines
from heapwire.protocol.wire import halves

MANAGER = "wp_linux_drm_syncobj_manager_v1"
SURFACE = "wp_linux_drm_syncobj_surface_v1"
TIMELINE = "wp_linux_drm_syncobj_timeline_v1"
SMALL = 64  # pixels of a side


class SyncClient:
    """One client with two timelines: of points to acquire at, and of points of releases."""

    def __init__(self, stage: HostStage, device: Timelines) -> None:
        self.stage = stage
        self.device = device
        self.client: HostClient = stage.client()
        self.manager = self.client.the(MANAGER)
        self.timeline, self.releases = device.create(), device.create()
        self.named = self.imported(self.timeline)
        self.releases_named = self.imported(self.releases)

    def close(self) -> None:
        self.timeline.close()
        self.releases.close()

    def released(self, point: int) -> bool:
        return self.releases.signalled(point)

    def imported(self, timeline: Timeline) -> int:
        """The object by which a timeline is named."""
        fd = timeline.export()
        try:
            return self.client.make(self.manager, "import_timeline", TIMELINE, fd)
        finally:
            os.close(fd)

    def synchronised(self, surface: int) -> int:
        return self.client.make(self.manager, "get_surface", SURFACE, surface)

    def set_points(self, sync: int, acquire: int, release: int) -> None:
        self.client.request(sync, "set_acquire_point", self.named, *halves(acquire))
        self.client.request(sync, "set_release_point", self.releases_named, *halves(release))

    def buffer(self) -> int:
        return self.client.dmabuf(SMALL, SMALL)


class SyncWindow:
    """A window whose buffers have points."""

    def __init__(self, client: SyncClient) -> None:
        self.its = client
        self.window: Window = client.client.window()
        self.surface = self.window.surface
        self.sync = client.synchronised(self.surface)

    def show(self, acquire: int, release: int, buffer: int | None = None) -> int:
        """Commit a buffer that can be read from a point on; a callback for its frame."""
        client = self.its.client
        self.its.set_points(self.sync, acquire, release)
        callback = client.make(self.surface, "frame", "wl_callback")
        client.show(self.surface, buffer or self.its.buffer())
        return callback

    def shown(self, callback: int) -> bool:
        return bool(self.its.client.take(callback))


def sync_client(stage: HostStage, device: Timelines) -> closing[SyncClient]:
    return closing(SyncClient(stage, device))
