"""Buffers made by plans."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.buffers.allocation import Allocation as Allocation
    from heapwire.client_lib.buffers.buffer import Buffer as Buffer
    from heapwire.client_lib.buffers.buffer_status import BufferStatus as BufferStatus
    from heapwire.client_lib.buffers.buffer_supply import BufferSupply as BufferSupply
    from heapwire.client_lib.buffers.plane_view import PlaneView as PlaneView
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "allocation": "Allocation",
            "buffer": "Buffer",
            "buffer_status": "BufferStatus",
            "buffer_supply": "BufferSupply",
            "plane_view": "PlaneView",
        },
    )
