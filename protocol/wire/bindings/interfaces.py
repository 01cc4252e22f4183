"""The interfaces of all protocols that are spoken."""

from heapwire.protocol.wire.bindings import (
    xx_dmabuf_allocation_v1,
    xx_dmabuf_buffer_status_v1,
    xx_dmabuf_negotiation_v1,
)

INTERFACES = (
    *xx_dmabuf_negotiation_v1.INTERFACES,
    *xx_dmabuf_allocation_v1.INTERFACES,
    *xx_dmabuf_buffer_status_v1.INTERFACES,
)
"""Each with its messages and enums."""
