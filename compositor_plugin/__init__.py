"""The compositor's side: the plugin that picks the heap, and the hosts it runs in."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.broker import Broker as Broker
    from heapwire.compositor_plugin.format_tables import FormatTables as FormatTables
    from heapwire.compositor_plugin.host import (
        BufferAttributes as BufferAttributes,
        Host as Host,
        OutputState as OutputState,
        StatusReason as StatusReason,
        SurfaceState as SurfaceState,
    )
    from heapwire.compositor_plugin.plugin import HeapPlugin as HeapPlugin
    from heapwire.compositor_plugin.policy import (
        Policy as Policy,
        PolicyFileError as PolicyFileError,
    )
    from heapwire.compositor_plugin.selection import (
        EVERYTHING as EVERYTHING,
        Selection as Selection,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "broker": "Broker",
            "format_tables": "FormatTables",
            "host": "BufferAttributes Host OutputState StatusReason SurfaceState",
            "plugin": "HeapPlugin",
            "policy": "Policy PolicyFileError",
            "selection": "EVERYTHING Selection",
        },
    )
