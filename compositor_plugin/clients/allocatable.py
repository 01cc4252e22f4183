"""From which memory a compositor may allocate for its clients."""

from __future__ import annotations

from heapwire.compositor_plugin.clients.selection import EVERYTHING, Selection
from heapwire.kernel.description import Platform
from heapwire.protocol.values import Source, SourceKind


def allocatable_heaps(platform: Platform, allocated: Selection = EVERYTHING) -> tuple[Source, ...]:
    """The heaps from which a compositor may allocate for its clients, in the platform's order.

    A display that allocates dumb buffers is one of them: its node is hardly ever a client's to
    open. They are those among the names of `allocated` that this process may open.
    """
    openable = platform.memory.openable
    return tuple(
        source
        for source in platform.sources
        if source.name in allocated
        and source.id in openable
        and (source.id.kind is SourceKind.HEAP or _is_card(platform, source))
    )


def _is_card(platform: Platform, source: Source) -> bool:
    return source.id.kind is SourceKind.DEVICE and not platform.simulated
