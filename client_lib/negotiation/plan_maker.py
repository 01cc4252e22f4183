"""Who makes the plans for a surface: the compositor if it can, this process otherwise."""

from __future__ import annotations

from heapwire.client_lib.negotiation.any_negotiation import AnyNegotiation
from heapwire.client_lib.negotiation.heap_manager import HeapManager
from heapwire.client_lib.negotiation.local_negotiation import LocalNegotiation
from heapwire.client_lib.wayland import (
    DEFAULT_TIMEOUT,
    HEAP_MANAGER,
    AnyProxy,
    Connection,
    LinuxDmabuf,
)
from heapwire.kernel.description import Platform
from heapwire.protocol.values import SourceId


def offered_heap_manager(
    connection: Connection, platform: Platform | None, *, timeout: float = DEFAULT_TIMEOUT
) -> HeapManager | None:
    """The compositor's; None if it has none and `platform` can stand in for it.

    Raises `MissingGlobalError` if there is neither.
    """
    offered = HEAP_MANAGER.name in connection.globals(timeout=timeout)
    stands_in = platform is not None and bool(platform.sources)
    return None if stands_in and not offered else HeapManager(connection, timeout=timeout)


def surface_negotiation(
    manager: HeapManager | None,
    dmabuf: LinuxDmabuf,
    surface: AnyProxy,
    platform: Platform | None,
) -> AnyNegotiation:
    """A negotiation for a `wl_surface` by what `offered_heap_manager` gave.

    What this process can open is set: of its platform's sources those that it may
    allocate from, with a compositor those that it announces too, by number and name.
    """
    if manager is None:
        assert platform is not None, "offered_heap_manager() raises without one"
        local = LocalNegotiation(dmabuf, platform, surface)
        local.set_openable(platform.memory.openable)
        return local
    negotiation = manager.surface_negotiation(surface)
    negotiation.set_openable(_shared(manager, platform))
    return negotiation


def _shared(manager: HeapManager, platform: Platform | None) -> frozenset[SourceId]:
    if platform is None:
        return frozenset()
    openable = platform.memory.openable
    return frozenset(
        source.id
        for source in platform.sources
        if source.id in openable
        and source.id in manager.sources
        and manager.sources[source.id].name == source.name
    )
