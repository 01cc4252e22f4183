"""The compositor's `xx_dmabuf_sources_v1`: sources of memory, and what tranches need of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from heapwire.client_lib.wayland.connection import Connection
from heapwire.client_lib.wayland.interfaces import DMABUF_SOURCES, AnyProxy, create, listen, send
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import SourceId
from heapwire.protocol.wire import decode_source, whole
from heapwire.protocol.wire.bindings import SourcesProperty


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldSource:
    """A source as the compositor describes it; None for what it does not know of it.

    The name of a heap is that of its node below /dev/dma_heap, and stable; the
    numbers in `id` are only valid until the host is rebooted. `size` is in bytes.
    """

    id: SourceId
    name: str
    contiguous: bool | None = None
    protected: bool | None = None
    uncached: bool | None = None
    device_local: bool | None = None
    size: int | None = None


class DmabufSources:
    """The bound global; `sources` changes only as a group, and `on_change` is called after each.

    Raises `MissingGlobalError` if the compositor does not have the protocol.
    """

    def __init__(
        self, connection: Connection, *, on_change: Callable[[], None] | None = None
    ) -> None:
        self.connection = connection
        self.on_change = on_change
        self.ready = False
        """Whether the first group has come."""
        self._sources: dict[SourceId, ToldSource] = {}
        self._changes: list[tuple[SourceId, ToldSource | None]] = []
        self._proxy = connection.bind(DMABUF_SOURCES)[0]
        listen(
            self._proxy,
            connection.handler_failed,
            {"source": self._source, "source_gone": self._gone, "done": self._done},
        )
        connection.on_close(self, self.close)

    @classmethod
    def offered(cls, connection: Connection) -> DmabufSources | None:
        """The compositor's, None if it has none."""
        return cls(connection) if DMABUF_SOURCES.name in connection.globals() else None

    @property
    def sources(self) -> Mapping[SourceId, ToldSource]:
        """The sources that there are now."""
        return MappingProxyType(self._sources)

    @property
    def names(self) -> dict[SourceId, str]:
        """The names of the sources."""
        return {id_: source.name for id_, source in self._sources.items()}

    def extend(self, feedback: AnyProxy) -> AnyProxy:
        """A new `xx_dmabuf_feedback_sources_v1` for a `zwp_linux_dmabuf_feedback_v1`."""
        return create(self._proxy, "extend_feedback", feedback)

    def close(self) -> None:
        """Destroy the object; what was made with it stays."""
        self.connection.forget(self)
        if not self._proxy.destroyed and not self.connection.closed:
            send(self._proxy, "destroy")

    def _source(
        self,
        kind: int,
        major: int,
        minor: int,
        properties: int,
        known: int,
        size_hi: int,
        size_lo: int,
        name: str,
    ) -> None:
        def told(flag: SourcesProperty) -> bool | None:
            return bool(properties & flag) if known & flag else None

        id_ = decode_source(kind, major, minor)
        source = ToldSource(
            id=id_,
            name=name,
            contiguous=told(SourcesProperty.CONTIGUOUS),
            protected=told(SourcesProperty.PROTECTED),
            uncached=told(SourcesProperty.UNCACHED),
            device_local=told(SourcesProperty.DEVICE_LOCAL),
            size=whole(size_hi, size_lo) or None,
        )
        self._changes.append((id_, source))

    def _gone(self, kind: int, major: int, minor: int) -> None:
        self._changes.append((decode_source(kind, major, minor), None))

    def _done(self) -> None:
        for id_, source in self._changes:
            if source is None:
                self._sources.pop(id_, None)
            else:
                self._sources[id_] = source
        self._changes.clear()
        self.ready = True
        if self.on_change is not None:
            self.on_change()
