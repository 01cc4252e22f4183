"""The global through which a compositor allocates for its clients."""

from __future__ import annotations

from typing import Self

from heapwire.client_lib.buffers.allocation import Allocation
from heapwire.client_lib.wayland import (
    ALLOCATION_MANAGER,
    DEFAULT_TIMEOUT,
    AnyProxy,
    Connection,
    create,
    listen,
    send,
)
from heapwire.protocol.values import FixedBuffer, FormatModifier, Plan, SourceId
from heapwire.protocol.wire import decode_source, encode_buffer


class AllocationManager:
    """The compositor's `xx_dmabuf_allocation_manager_v1`, which `proxy` is.

    `sources` are those that it allocates from for this client; they change only as a
    group, and are none until the first has come.
    """

    def __init__(self, connection: Connection, proxy: AnyProxy) -> None:
        self.sources: frozenset[SourceId] = frozenset()
        self.ready = False
        self._connection = connection
        self._proxy = proxy
        self._pending: set[SourceId] = set()
        connection.on_close(self, self.close)
        listen(
            proxy,
            connection.handler_failed,
            {"source": self._source, "source_gone": self._source_gone, "done": self._done},
        )

    @classmethod
    def offered(cls, connection: Connection, *, timeout: float = DEFAULT_TIMEOUT) -> Self | None:
        """The one for this connection; None if the compositor has none.

        Waits for the list of globals if need be, at most `timeout` seconds.
        """
        if ALLOCATION_MANAGER.name not in connection.globals(timeout=timeout):
            return None
        return connection.shared(
            cls, lambda: cls(connection, connection.bind(ALLOCATION_MANAGER)[0])
        )

    def allocate(self, plan: Plan) -> Allocation:
        """Ask for the objects of one buffer; the caller closes the result."""
        buffer = FixedBuffer(FormatModifier(plan.fourcc, plan.modifier), plan.layout)
        proxy = create(self._proxy, "allocate", *encode_buffer(buffer))
        return Allocation(self._connection, proxy, plan)

    def close(self) -> None:
        """Destroy the object; allocations stay valid."""
        self._connection.forget(self)
        if not self._proxy.destroyed and not self._connection.closed:
            send(self._proxy, "destroy")

    def _source(self, kind: int, major: int, minor: int) -> None:
        self._pending.add(decode_source(kind, major, minor))

    def _source_gone(self, kind: int, major: int, minor: int) -> None:
        self._pending.discard(decode_source(kind, major, minor))

    def _done(self) -> None:
        self.sources = frozenset(self._pending)
        self.ready = True
