"""Generated from the protocol XML; see `heapwire.protocol.wire.generate`."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.protocol.wire.bindings.interfaces import INTERFACES as INTERFACES
    from heapwire.protocol.wire.bindings.xx_dmabuf_allocation_v1 import (AllocationManagerError as AllocationManagerError, AllocationReason as AllocationReason, XX_DMABUF_ALLOCATION_MANAGER_V1 as XX_DMABUF_ALLOCATION_MANAGER_V1, XX_DMABUF_ALLOCATION_V1 as XX_DMABUF_ALLOCATION_V1)
    from heapwire.protocol.wire.bindings.xx_dmabuf_buffer_status_v1 import (BufferStatusManagerError as BufferStatusManagerError, BufferStatusReason as BufferStatusReason, BufferStatusResult as BufferStatusResult, XX_DMABUF_BUFFER_STATUS_MANAGER_V1 as XX_DMABUF_BUFFER_STATUS_MANAGER_V1, XX_DMABUF_BUFFER_STATUS_V1 as XX_DMABUF_BUFFER_STATUS_V1)
    from heapwire.protocol.wire.bindings.xx_dmabuf_negotiation_v1 import (ConstraintSetCreatorConstraintFlag as ConstraintSetCreatorConstraintFlag, ConstraintSetCreatorError as ConstraintSetCreatorError, NegotiationError as NegotiationError, NegotiationManagerSourceProperty as NegotiationManagerSourceProperty, XX_DMABUF_CONSTRAINT_SET_CREATOR_V1 as XX_DMABUF_CONSTRAINT_SET_CREATOR_V1, XX_DMABUF_CONSTRAINT_SET_V1 as XX_DMABUF_CONSTRAINT_SET_V1, XX_DMABUF_NEGOTIATION_MANAGER_V1 as XX_DMABUF_NEGOTIATION_MANAGER_V1, XX_DMABUF_NEGOTIATION_V1 as XX_DMABUF_NEGOTIATION_V1)
    from heapwire.protocol.wire.bindings.xx_dmabuf_sources_v1 import (FeedbackSourcesBatch as FeedbackSourcesBatch, FeedbackSourcesFlag as FeedbackSourcesFlag, SourcesProperty as SourcesProperty, XX_DMABUF_FEEDBACK_SOURCES_V1 as XX_DMABUF_FEEDBACK_SOURCES_V1, XX_DMABUF_SOURCES_V1 as XX_DMABUF_SOURCES_V1)
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "interfaces": "INTERFACES",
            "xx_dmabuf_allocation_v1": (
                "AllocationManagerError AllocationReason XX_DMABUF_ALLOCATION_MANAGER_V1 "
                "XX_DMABUF_ALLOCATION_V1"
            ),
            "xx_dmabuf_buffer_status_v1": (
                "BufferStatusManagerError BufferStatusReason BufferStatusResult "
                "XX_DMABUF_BUFFER_STATUS_MANAGER_V1 XX_DMABUF_BUFFER_STATUS_V1"
            ),
            "xx_dmabuf_negotiation_v1": (
                "ConstraintSetCreatorConstraintFlag ConstraintSetCreatorError NegotiationError "
                "NegotiationManagerSourceProperty XX_DMABUF_CONSTRAINT_SET_CREATOR_V1 "
                "XX_DMABUF_CONSTRAINT_SET_V1 XX_DMABUF_NEGOTIATION_MANAGER_V1 "
                "XX_DMABUF_NEGOTIATION_V1"
            ),
            "xx_dmabuf_sources_v1": (
                "FeedbackSourcesBatch FeedbackSourcesFlag SourcesProperty "
                "XX_DMABUF_FEEDBACK_SOURCES_V1 XX_DMABUF_SOURCES_V1"
            ),
        },
    )
