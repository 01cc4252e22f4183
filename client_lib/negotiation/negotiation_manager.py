"""The global of the protocol: sources of memory, and where negotiations begin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from heapwire.client_lib.buffers import AllocationManager, BufferStatusManager
from heapwire.client_lib.negotiation.compositor_planner import CompositorPlanner
from heapwire.client_lib.negotiation.constraint_set_cache import ConstraintSetCache
from heapwire.client_lib.negotiation.negotiation import Negotiation
from heapwire.client_lib.wayland import (
    DEFAULT_TIMEOUT,
    NEGOTIATION_MANAGER,
    AnyProxy,
    Connection,
    create,
    listen,
    send,
)
from heapwire.protocol import UsageError
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import SourceId
from heapwire.protocol.wire import decode_source
from heapwire.protocol.wire.bindings import NegotiationManagerSourceProperty


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedSource:
    """A source as the compositor describes it.

    The name of a heap is that of its node below /dev/dma_heap, and stable; the
    numbers in `id` are only valid until the host is rebooted.
    """

    id: SourceId
    name: str
    contiguous: bool = False
    protected: bool = False
    uncached: bool = False
    device_local: bool = False


class NegotiationManager:
    """The compositor's `xx_dmabuf_negotiation_manager_v1`.

    `sources` and `supported_types` change only as a group; `on_change` is called
    after each group, the first included. Without `proxy` the global is bound
    here and waited for, at most `timeout` seconds, and with it those that are on
    offer beside it: the compositor may allocate, and tell what becomes of buffers. An
    application that has its own registry can bind them itself, pass the proxy,
    `allocation` and `statuses`, and never block: `ready` says when the first group
    has come.

    Raises `MissingGlobalError` if the compositor does not have the protocol.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        proxy: AnyProxy | None = None,
        allocation: AllocationManager | None = None,
        statuses: BufferStatusManager | None = None,
        on_change: Callable[[], None] | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        self.connection = connection
        self.on_change = on_change
        self.ready = False
        self._sources: dict[SourceId, AnnouncedSource] = {}
        self._supported: frozenset[int] = frozenset()
        self._changes: dict[SourceId, AnnouncedSource | None] = {}
        self._new_types: set[int] = set()
        self._proxy = proxy or connection.bind(NEGOTIATION_MANAGER, timeout=timeout)[0]
        if proxy is None:
            allocation = allocation or AllocationManager.offered(connection, timeout=timeout)
            statuses = statuses or BufferStatusManager.offered(connection, timeout=timeout)
        self._allocation = allocation
        self._statuses = statuses
        self._constraint_sets = ConstraintSetCache(self._proxy)
        listen(
            self._proxy,
            connection.handler_failed,
            {
                "source": self._source,
                "source_gone": self._source_gone,
                "supported_type": self._new_types.add,
                "done": self._done,
            },
        )
        connection.on_close(self, self.close)
        if proxy is None:
            connection.wait(
                lambda: self.ready, timeout=timeout, what=f"sources of {NEGOTIATION_MANAGER.name}"
            )

    @property
    def sources(self) -> Mapping[SourceId, AnnouncedSource]:
        """The sources that there are now."""
        return MappingProxyType(self._sources)

    @property
    def supported_types(self) -> frozenset[int]:
        """The types of constraints that the compositor can merge."""
        return self._supported

    def source_name(self, source: SourceId) -> str:
        """The name of a source; its numbers if it is not, or no longer, announced."""
        announced = self._sources.get(source)
        return announced.name if announced is not None else str(source)

    def default_negotiation(self) -> Negotiation:
        """A negotiation that is tied to no surface: its buffers are sampled."""
        return self._negotiation(create(self._proxy, "get_default_negotiation"))

    def surface_negotiation(self, surface: AnyProxy) -> Negotiation:
        """A negotiation for one surface, a `wl_surface` of the same display.

        Raises `UsageError` for another object.
        """
        if surface.interface.name != "wl_surface":
            raise UsageError(f"a {surface.interface.name} is not a wl_surface")
        return self._negotiation(create(self._proxy, "get_surface_negotiation", surface))

    def close(self) -> None:
        """Destroy the manager's objects; negotiations that it made stay valid."""
        self.connection.forget(self)
        if self._proxy.destroyed or self.connection.closed:
            return
        self._constraint_sets.clear()
        send(self._proxy, "destroy")

    def _negotiation(self, proxy: AnyProxy) -> Negotiation:
        planner = CompositorPlanner(
            self.connection,
            proxy,
            self._constraint_sets,
            self._source_names,
            self._allocation,
            self._statuses,
        )
        return Negotiation(planner)

    def _source_names(self) -> Mapping[SourceId, str]:
        return {id_: source.name for id_, source in self._sources.items()}

    def _source(self, kind: int, major: int, minor: int, properties: int, name: str) -> None:
        flags = NegotiationManagerSourceProperty
        id_ = decode_source(kind, major, minor)
        self._changes[id_] = AnnouncedSource(
            id=id_,
            name=name,
            contiguous=bool(properties & flags.CONTIGUOUS),
            protected=bool(properties & flags.PROTECTED),
            uncached=bool(properties & flags.UNCACHED),
            device_local=bool(properties & flags.DEVICE_LOCAL),
        )

    def _source_gone(self, kind: int, major: int, minor: int) -> None:
        self._changes[decode_source(kind, major, minor)] = None

    def _done(self) -> None:
        for id_, source in self._changes.items():
            if source is None:
                self._sources.pop(id_, None)
            else:
                self._sources[id_] = source
        self._supported |= self._new_types
        self._changes.clear()
        self._new_types.clear()
        self.ready = True
        if self.on_change is not None:
            self.on_change()
