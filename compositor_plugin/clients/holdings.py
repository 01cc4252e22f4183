"""Who has how much of what, as of a moment: for whoever runs the machine to look at."""

from __future__ import annotations

from collections.abc import Mapping

from heapwire.compositor_plugin.clients.client_use import ClientUse
from heapwire.compositor_plugin.clients.identity import ClientIdentity
from heapwire.compositor_plugin.clients.quota import Bound, Holder
from heapwire.protocol.late_dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HeapHolding:
    """What of a heap is in clients' hands: bytes, and those that all may have together.

    `limit` and `capacity` are None where the heap's size is not known.
    """

    name: str
    used: int
    limit: int | None
    capacity: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderHolding:
    """What a user or a sandboxed app has: `buffers`, and bytes and dma-bufs within bounds.

    What apps have is in their user's as well. `heaps` has bytes by the heaps' names, and
    what the holder may have of each; None where its budget is the only bound.
    """

    holder: Holder
    buffers: int
    budget: Bound
    descriptors: Bound
    heaps: Mapping[str, tuple[int, int | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHolding:
    """What a client that is connected has the compositor keep: objects, and bytes of sets.

    `feedbacks` are the feedback objects of linux-dmabuf's that it is told the sources of.
    """

    client: ClientIdentity
    set_bytes: int
    managers: int
    negotiations: int
    feedbacks: int
    statuses: int
    allocations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """All that clients have: memory by heaps and by holders, objects by clients."""

    heaps: tuple[HeapHolding, ...]
    holders: tuple[HolderHolding, ...]
    clients: tuple[ClientHolding, ...]


def client_holding(client: ClientIdentity, use: ClientUse) -> ClientHolding:
    """What a client's use comes to now."""
    return ClientHolding(
        client=client,
        set_bytes=use.set_bytes,
        managers=use.managers.total(),
        negotiations=use.negotiations,
        feedbacks=use.feedbacks,
        statuses=use.statuses,
        allocations=use.allocations,
    )
