"""The element `heapwiresink` of GStreamer, in C on the client in C, and what builds its plugin."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.gstreamer.build import (
        ELEMENT as ELEMENT,
        build_gstreamer_plugin as build_gstreamer_plugin,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__, {"build": "ELEMENT build_gstreamer_plugin"}
    )
