"""DRM by its ioctls: what a card says of itself, its buffers, commits that only test, timelines."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.kernel.drm.card import (
        Card as Card,
        DumbBuffer as DumbBuffer,
        Framebuffer as Framebuffer,
        open_card as open_card,
    )
    from heapwire.kernel.drm.drm_device import (
        DrmDevice as DrmDevice,
        ModeLimits as ModeLimits,
        PlaneRecord as PlaneRecord,
        open_drm as open_drm,
    )
    from heapwire.kernel.drm.plane_tests import PlaneTests as PlaneTests
    from heapwire.kernel.drm.simulated_timelines import SimulatedTimelines as SimulatedTimelines
    from heapwire.kernel.drm.syncobj_timelines import (
        SyncobjTimelines as SyncobjTimelines,
        open_timelines as open_timelines,
    )
    from heapwire.kernel.drm.timeline import Timeline as Timeline, Timelines as Timelines
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "card": "Card DumbBuffer Framebuffer open_card",
            "drm_device": "DrmDevice ModeLimits PlaneRecord open_drm",
            "plane_tests": "PlaneTests",
            "simulated_timelines": "SimulatedTimelines",
            "syncobj_timelines": "SyncobjTimelines open_timelines",
            "timeline": "Timeline Timelines",
        },
    )
