"""`xx_dmabuf_buffer_status_v1`: what becomes of a buffer, told to whoever asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapwire.compositor_plugin.host import StatusReason
from heapwire.compositor_plugin.manager import Manager
from heapwire.compositor_plugin.server import ForeignResource, Listener, NewId, Resource
from heapwire.protocol.wire import STATUSES
from heapwire.protocol.wire.bindings import (
    XX_DMABUF_BUFFER_STATUS_MANAGER_V1,
    XX_DMABUF_BUFFER_STATUS_V1,
    BufferStatusManagerError,
    BufferStatusResult,
)

if TYPE_CHECKING:
    from heapwire.compositor_plugin.plugin_state import PluginState


class BufferStatusManager(Manager):
    """One client's manager."""

    INTERFACE = XX_DMABUF_BUFFER_STATUS_MANAGER_V1

    def __init__(self, new_id: NewId, plugin: PluginState) -> None:
        super().__init__(new_id, plugin)
        self._bound_managers()

    def get_buffer_status(self, new_id: NewId, buffer: Resource | ForeignResource) -> None:
        """Ask what becomes of a buffer."""
        BufferStatus(new_id, self._plugin, buffer)
        error = BufferStatusManagerError.TOO_MANY
        self._bound(self._use.statuses, STATUSES, error, "buffers to tell of")


class BufferStatus(Resource):
    """One client's question about one buffer."""

    INTERFACE = XX_DMABUF_BUFFER_STATUS_V1

    def __init__(
        self, new_id: NewId, plugin: PluginState, buffer: Resource | ForeignResource
    ) -> None:
        super().__init__(new_id)
        self._plugin = plugin
        self._use = plugin.uses.of(self.client)
        self._use.statuses += 1
        self._told: tuple[int, int] | None = None
        self._buffer: int | None = None
        self._listener: Listener | None = None
        if plugin.closed:
            return
        self._buffer = buffer.address
        self._listener = Listener.on_resource(buffer.pointer, self._buffer_gone)
        told = next((one._told for one in plugin.statuses.of(buffer.address) if one._told), None)
        plugin.statuses.add(buffer.address, self)
        if told is not None:
            self._tell(told)

    def destroy(self) -> None:
        """The client wants to hear no more."""
        self._plugin.answers.destroy(self)

    def shown(self, scanned_out: bool, reason: StatusReason) -> None:
        """Tell the client what became of the buffer, if it does not know."""
        result = BufferStatusResult.SCANOUT if scanned_out else BufferStatusResult.COMPOSITED
        if self._told != (result, reason):
            self._tell((result, reason))

    def let_go(self) -> None:
        """Leave nothing with the host: the object, the buffer or the plugin is at its end."""
        if self._listener is not None:
            self._listener.remove()
            self._listener = None
        self._hear_no_more()

    def on_destroy(self) -> None:
        """The client's object is gone; it may have hundreds, which all end with it."""
        self._use.statuses -= 1
        self._hear_no_more()  # now: there is nobody left to be told
        self._plugin.answers.end_soon(self)

    def end(self) -> None:
        """Let go of everything: the object is gone for some time."""
        super().end()
        self.let_go()

    def _hear_no_more(self) -> None:
        if self._buffer is not None:
            self._plugin.statuses.remove(self._buffer, self)
            self._buffer = None

    def _buffer_gone(self) -> None:
        self._listener = None  # it has removed itself
        self.let_go()

    def _tell(self, told: tuple[int, int]) -> None:
        self._told = told
        self.send("shown", *told)
        if self._plugin.client_log.wanted:
            result, reason = BufferStatusResult(told[0]), StatusReason(told[1])
            line = f"a buffer was {result.name.lower()}: reason {_words(reason)}"
            self._plugin.client_log.say(self.client, (line,))


class StatusIndex:
    """Those who want to hear of a buffer, by the address of its resource."""

    def __init__(self) -> None:
        self._by_buffer: dict[int, dict[BufferStatus, None]] = {}

    def __contains__(self, buffer: int) -> bool:
        """Whether any wants to hear of a buffer; cheap, for the repaint path."""
        return buffer in self._by_buffer

    def of(self, buffer: int) -> tuple[BufferStatus, ...]:
        """Those that want to hear of a buffer; a copy, since telling one may end others."""
        return tuple(self._by_buffer.get(buffer, ()))

    def all(self) -> tuple[BufferStatus, ...]:
        """Every one that waits to hear something."""
        return tuple(one for entries in self._by_buffer.values() for one in entries)

    def add(self, buffer: int, status: BufferStatus) -> None:
        """Somebody wants to hear of a buffer."""
        self._by_buffer.setdefault(buffer, {})[status] = None

    def remove(self, buffer: int, status: BufferStatus) -> None:
        """Somebody has heard enough of a buffer."""
        entries = self._by_buffer.get(buffer)
        if entries is not None:
            entries.pop(status, None)
            if not entries:
                del self._by_buffer[buffer]  # or `in` would be true for one that nobody waits for


def _words(reason: StatusReason) -> str:
    return reason.name.lower().replace("_", " ")
