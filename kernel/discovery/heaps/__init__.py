"""The heaps of a machine: what each is like, who names which, what the device tree reserves."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.kernel.discovery.heaps.heap_discovery import (
        SUBSYSTEM as SUBSYSTEM,
        list_heaps as list_heaps,
        udmabuf_source as udmabuf_source,
    )
    from heapwire.kernel.discovery.heaps.heap_links import (
        HeapLinks as HeapLinks,
        linked_by as linked_by,
        links_of as links_of,
    )
    from heapwire.kernel.discovery.heaps.reserved_memory import (
        is_coherent as is_coherent,
        memory_regions as memory_regions,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "reserved_memory": "is_coherent memory_regions",
            "heap_discovery": "SUBSYSTEM list_heaps udmabuf_source",
            "heap_links": "HeapLinks linked_by links_of",
        },
    )
