"""Why a goal has no plan: the smallest set of requirements that contradict, and its words."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.protocol.solver.conflict.conflict import (
        Conflict as Conflict,
        conflict_of as conflict_of,
    )
    from heapwire.protocol.solver.conflict.conflict_text import (
        conflict_message as conflict_message,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "conflict": "Conflict conflict_of",
            "conflict_text": "conflict_message",
        },
    )
