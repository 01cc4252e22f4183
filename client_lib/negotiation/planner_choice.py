"""Who makes the plans for a surface: the compositor if it can, this process otherwise."""

from __future__ import annotations

from heapwire.client_lib.buffers import LinuxDmabuf, SharedMemory
from heapwire.client_lib.negotiation.local_planner import LocalPlanner
from heapwire.client_lib.negotiation.negotiation import Negotiation
from heapwire.client_lib.negotiation.negotiation_manager import NegotiationManager
from heapwire.client_lib.negotiation.shm_planner import ShmPlanner
from heapwire.client_lib.wayland import DEFAULT_TIMEOUT, NEGOTIATION_MANAGER, AnyProxy, Connection
from heapwire.kernel.description import Platform
from heapwire.protocol import UsageError
from heapwire.protocol.values import SourceId


def offered_manager(
    connection: Connection, platform: Platform | None, *, timeout: float = DEFAULT_TIMEOUT
) -> NegotiationManager | None:
    """The compositor's; None if it has none and `platform` stands in for it.

    A platform without memory does so too: then that is the answer, and not that a protocol is
    missing. Raises `MissingGlobalError` if there is neither, `NoAnswerError` after `timeout`
    seconds.
    """
    offered = NEGOTIATION_MANAGER.name in connection.globals(timeout=timeout)
    stands_in = platform is not None
    return None if stands_in and not offered else NegotiationManager(connection, timeout=timeout)


def local_negotiation(
    dmabuf: LinuxDmabuf, platform: Platform, surface: AnyProxy | None = None
) -> Negotiation:
    """A negotiation whose plans this process makes, for compositors that make none.

    `surface` is the `wl_surface` that the buffers are for, None for none in
    particular. The plans are made of what linux-dmabuf's feedback says and of
    `platform`, and only of its sources that this process may open. Nobody tells
    what becomes of buffers: their status stays None.
    """
    negotiation = Negotiation(LocalPlanner(dmabuf, platform, surface))
    negotiation.set_openable(platform.memory.openable)
    return negotiation


def shared_negotiation(shared: SharedMemory, platform: Platform) -> Negotiation:
    """A negotiation of buffers for `wl_shm`, in the memory of a `shared_platform`."""
    negotiation = Negotiation(ShmPlanner(shared, platform))
    negotiation.set_openable(platform.memory.openable)
    return negotiation


def surface_negotiation(
    dmabuf: LinuxDmabuf | None,
    surface: AnyProxy,
    platform: Platform | None = None,
    *,
    manager: NegotiationManager | None = None,
    timeout: float = DEFAULT_TIMEOUT,
) -> Negotiation:
    """A negotiation for a `wl_surface`: with the compositor, or with `platform` in its place.

    `platform` is the machine that this process allocates on, None to leave that to
    the compositor. `manager` is the compositor's, where there is one already; without,
    it is bound here if it is on offer. `dmabuf` may be None where there is a `manager`, for a
    compositor without linux-dmabuf. What this process can open is set: of the
    platform's sources those that it may allocate from and that the compositor, if it
    makes the plans, announces too, by number and name. Raises `MissingGlobalError` if
    the compositor does not make plans and there is no platform to make them by,
    `NoAnswerError` after `timeout` seconds, `UsageError` with neither `dmabuf` nor `manager`.
    """
    if manager is None:
        if dmabuf is None:
            raise UsageError("without linux-dmabuf and without a manager nobody makes plans")
        manager = offered_manager(dmabuf.connection, platform, timeout=timeout)
        if manager is None:
            assert platform is not None, "offered_manager() raises without one"
            return local_negotiation(dmabuf, platform, surface)
    negotiation = manager.surface_negotiation(surface)
    negotiation.set_openable(_shared(manager, platform))
    return negotiation


def _shared(manager: NegotiationManager, platform: Platform | None) -> frozenset[SourceId]:
    if platform is None:
        return frozenset()
    openable = platform.memory.openable
    # The numbers of a heap may belong to another one on another boot, or in a container.
    return frozenset(
        source.id
        for source in platform.sources
        if source.id in openable
        and source.id in manager.sources
        and manager.sources[source.id].name == source.name
    )
