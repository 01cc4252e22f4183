"""Asking for plans: the compositor, or this process where it has none."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.negotiation.any_negotiation import AnyNegotiation as AnyNegotiation
    from heapwire.client_lib.negotiation.conflict import (
        ConflictError as ConflictError,
        NegotiationError as NegotiationError,
    )
    from heapwire.client_lib.negotiation.heap_manager import HeapManager as HeapManager
    from heapwire.client_lib.negotiation.plan_maker import (
        offered_heap_manager as offered_heap_manager,
        surface_negotiation as surface_negotiation,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "any_negotiation": "AnyNegotiation",
            "conflict": "ConflictError NegotiationError",
            "heap_manager": "HeapManager",
            "plan_maker": "offered_heap_manager surface_negotiation",
        },
    )
