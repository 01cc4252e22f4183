"""The global through which a compositor says what becomes of buffers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from heapwire.client_lib.buffers.buffer_status import BufferStatus
from heapwire.client_lib.wayland import (
    BUFFER_STATUS_MANAGER,
    DEFAULT_TIMEOUT,
    AnyProxy,
    Connection,
    create,
    end,
    listen,
    send,
)


class BufferStatusManager:
    """The compositor's `xx_dmabuf_buffer_status_manager_v1`, which `proxy` is."""

    def __init__(self, connection: Connection, proxy: AnyProxy) -> None:
        self._connection = connection
        self._proxy = proxy
        connection.on_close(self, self.close)

    @classmethod
    def offered(cls, connection: Connection, *, timeout: float = DEFAULT_TIMEOUT) -> Self | None:
        """The one for this connection; None if the compositor has none.

        Waits for the list of globals if need be, at most `timeout` seconds.
        """
        if BUFFER_STATUS_MANAGER.name not in connection.globals(timeout=timeout):
            return None
        return connection.shared(
            cls, lambda: cls(connection, connection.bind(BUFFER_STATUS_MANAGER)[0])
        )

    def watch(
        self, buffer: AnyProxy, on_status: Callable[[BufferStatus], None]
    ) -> Callable[[], None]:
        """Have `on_status` called when what becomes of a `wl_buffer` changes.

        Call what this returns when the buffer goes.
        """
        connection = self._connection
        proxy = create(self._proxy, "get_buffer_status", buffer)

        def shown(result: int, reason: int) -> None:
            on_status(BufferStatus.received(result, reason))

        def stop() -> None:
            connection.forget(proxy)
            if not proxy.destroyed and not connection.closed:
                send(proxy, "destroy")
                end(proxy)

        listen(proxy, connection.handler_failed, {"shown": shown})
        connection.on_close(proxy, stop)  # and so the proxy lives until then
        return stop

    def close(self) -> None:
        """Destroy the object; buffers that are watched are watched on."""
        self._connection.forget(self)
        if not self._proxy.destroyed and not self._connection.closed:
            send(self._proxy, "destroy")
