"""Asking for plans: the compositor, or this process where it has none; and buffers by them."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.negotiation.buffer_pool import BufferPool as BufferPool
    from heapwire.client_lib.negotiation.buffer_supply import BufferSupply as BufferSupply
    from heapwire.client_lib.negotiation.conflict import (
        ConflictError as ConflictError,
        NegotiationError as NegotiationError,
    )
    from heapwire.client_lib.negotiation.importer import Importer as Importer
    from heapwire.client_lib.negotiation.negotiation import Negotiation as Negotiation
    from heapwire.client_lib.negotiation.negotiation_manager import (
        NegotiationManager as NegotiationManager,
    )
    from heapwire.client_lib.negotiation.planner_choice import (
        local_negotiation as local_negotiation,
        offered_manager as offered_manager,
        shared_negotiation as shared_negotiation,
        surface_negotiation as surface_negotiation,
    )
    from heapwire.client_lib.negotiation.shm_planner import shared_platform as shared_platform
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "buffer_pool": "BufferPool",
            "buffer_supply": "BufferSupply",
            "conflict": "ConflictError NegotiationError",
            "negotiation_manager": "NegotiationManager",
            "negotiation": "Negotiation",
            "importer": "Importer",
            "planner_choice": (
                "local_negotiation offered_manager shared_negotiation surface_negotiation"
            ),
            "shm_planner": "shared_platform",
        },
    )
