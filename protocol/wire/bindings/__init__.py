"""Generated from the protocol XML; see `heapwire.protocol.wire.generate`."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.protocol.wire.bindings.xx_dmabuf_heaps_v1 import (AllocationReason as AllocationReason, ConstraintSetCreatorConstraintFlag as ConstraintSetCreatorConstraintFlag, ConstraintSetCreatorError as ConstraintSetCreatorError, HeapFeedbackError as HeapFeedbackError, HeapFeedbackStatus as HeapFeedbackStatus, HeapFeedbackStatusReason as HeapFeedbackStatusReason, HeapManagerSourceProperty as HeapManagerSourceProperty, INTERFACES as INTERFACES, XX_DMABUF_ALLOCATION_V1 as XX_DMABUF_ALLOCATION_V1, XX_DMABUF_CONSTRAINT_SET_CREATOR_V1 as XX_DMABUF_CONSTRAINT_SET_CREATOR_V1, XX_DMABUF_CONSTRAINT_SET_V1 as XX_DMABUF_CONSTRAINT_SET_V1, XX_DMABUF_HEAP_FEEDBACK_V1 as XX_DMABUF_HEAP_FEEDBACK_V1, XX_DMABUF_HEAP_MANAGER_V1 as XX_DMABUF_HEAP_MANAGER_V1)
    from heapwire.protocol.wire.bindings.xx_dmabuf_sources_v1 import (FeedbackSourcesBatch as FeedbackSourcesBatch, FeedbackSourcesFlag as FeedbackSourcesFlag, SourcesProperty as SourcesProperty, XX_DMABUF_FEEDBACK_SOURCES_V1 as XX_DMABUF_FEEDBACK_SOURCES_V1, XX_DMABUF_SOURCES_V1 as XX_DMABUF_SOURCES_V1)
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "xx_dmabuf_heaps_v1": (
                "AllocationReason ConstraintSetCreatorConstraintFlag "
                "ConstraintSetCreatorError HeapFeedbackError HeapFeedbackStatus "
                "HeapFeedbackStatusReason HeapManagerSourceProperty INTERFACES "
                "XX_DMABUF_ALLOCATION_V1 XX_DMABUF_CONSTRAINT_SET_CREATOR_V1 "
                "XX_DMABUF_CONSTRAINT_SET_V1 XX_DMABUF_HEAP_FEEDBACK_V1 "
                "XX_DMABUF_HEAP_MANAGER_V1"
            ),
            "xx_dmabuf_sources_v1": (
                "FeedbackSourcesBatch FeedbackSourcesFlag SourcesProperty "
                "XX_DMABUF_FEEDBACK_SOURCES_V1 XX_DMABUF_SOURCES_V1"
            ),
        },
    )
