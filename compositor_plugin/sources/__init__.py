"""`xx_dmabuf_sources_v1`: what the plugin adds to the host's own linux-dmabuf feedback."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.sources.dmabuf_sources import DmabufSources as DmabufSources
    from heapwire.compositor_plugin.sources.sources_state import SourcesState as SourcesState
    from heapwire.compositor_plugin.sources.tranche_descriptions import (
        TrancheDescriptions as TrancheDescriptions,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "dmabuf_sources": "DmabufSources",
            "sources_state": "SourcesState",
            "tranche_descriptions": "TrancheDescriptions",
        },
    )
