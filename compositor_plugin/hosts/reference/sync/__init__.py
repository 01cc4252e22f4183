"""Explicit synchronisation: clients say when a buffer can be read, and are told when it was."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.sync.client_timelines import (
        ClientTimelines as ClientTimelines,
    )
    from heapwire.compositor_plugin.hosts.reference.sync.wp_linux_drm_syncobj_manager_v1 import (
        WpLinuxDrmSyncobjManagerV1 as WpLinuxDrmSyncobjManagerV1,
    )
    from heapwire.compositor_plugin.hosts.reference.sync.wp_linux_drm_syncobj_surface_v1 import (
        WpLinuxDrmSyncobjSurfaceV1 as WpLinuxDrmSyncobjSurfaceV1,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "client_timelines": "ClientTimelines",
            "wp_linux_drm_syncobj_manager_v1": "WpLinuxDrmSyncobjManagerV1",
            "wp_linux_drm_syncobj_surface_v1": "WpLinuxDrmSyncobjSurfaceV1",
        },
    )
