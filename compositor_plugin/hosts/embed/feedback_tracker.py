"""What the feedback objects of the host's own linux-dmabuf say, from the events that it sends.

`heapwire.c` hands each event on before it is queued; nothing else of the host's reaches
Python.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from heapwire.compositor_plugin.hosts.embed.host_table import CData, pointer_value
from heapwire.compositor_plugin.server import Client, ForeignResource, Listener, ffi, library
from heapwire.protocol import PeerError
from heapwire.protocol.values import FormatModifier
from heapwire.protocol.wire import (
    DMABUF_FEEDBACK,
    TABLE_BYTES,
    DmabufFeedback,
    FeedbackDecoder,
    decode_formats,
)

log = logging.getLogger(__name__)

MAX_TABLES = 16  # kept; a host can make up tables without end
_EVENTS = [event.name for event in DMABUF_FEEDBACK.events]


class _Object:
    """One feedback object of the host's."""

    def __init__(self, resource: CData) -> None:
        lib = library()
        self.decoder = FeedbackDecoder(lib.wl_resource_get_version(resource))
        self.client = Client(lib.wl_resource_get_client(resource))
        self.said: DmabufFeedback | None = None
        self.listener: Listener | None = None


class FeedbackTracker:
    """Listens to feedback objects from their first event on.

    `batch_ends` is called with the address of one before its `done` is queued, `learned` after
    that if it is the first that was heard of this host, or says another main device.
    """

    def __init__(
        self, batch_ends: Callable[[int], None], learned: Callable[[DmabufFeedback], None]
    ) -> None:
        self._batch_ends = batch_ends
        self._learned = learned
        self._objects: dict[int, _Object] = {}
        self._clients: dict[Client, tuple[DmabufFeedback, Listener]] = {}
        self._newest: DmabufFeedback | None = None
        self._tables: dict[bytes, tuple[FormatModifier, ...]] = {}
        self._complained = False

    def said(self, feedback: int) -> DmabufFeedback | None:
        """What a feedback object said last, or is saying; None if nothing is known of it."""
        known = self._objects.get(feedback)
        return known.said if known is not None else None

    def said_to(self, client: int) -> DmabufFeedback | None:
        """What a `wl_client` was told last, else what anybody was; None if nobody was."""
        told = self._clients.get(Client(ffi.cast("struct wl_client *", client)))
        return told[0] if told is not None else self._newest

    def event(self, resource: CData, opcode: int, arguments: CData) -> None:
        """An event of a feedback object; a host that breaks linux-dmabuf's rules is passed over."""
        if not 0 <= opcode < len(_EVENTS):
            return  # of a version that is still to come
        address = pointer_value(resource)
        known = self._objects.get(address)
        if known is None:
            known = self._objects[address] = self._begin(address, resource)
        values = ffi.cast("union wl_argument *", arguments)
        try:
            self._decode(known, address, _EVENTS[opcode], values)
        except (PeerError, OSError) as error:
            known.decoder.reset()
            if not self._complained:
                self._complained = True
                log.warning("the compositor's linux-dmabuf feedback is not understood: %s", error)

    def close(self) -> None:
        """Leave no listener with the host."""
        for known in self._objects.values():
            if known.listener is not None:
                known.listener.remove()
        for _, listener in self._clients.values():
            listener.remove()
        self._objects.clear()
        self._clients.clear()

    def _begin(self, address: int, resource: CData) -> _Object:
        made = _Object(ffi.cast("struct wl_resource *", resource))
        made.listener = ForeignResource(resource).on_destroy(lambda: self._gone(address))
        return made

    def _gone(self, address: int) -> None:
        self._objects.pop(address, None)

    def _decode(self, known: _Object, address: int, event: str, values: CData) -> None:
        decoder = known.decoder
        match event:
            case "format_table":
                decoder.use_table(self._table(values[0].h, values[1].u))
            case "main_device" | "tranche_target_device" | "tranche_formats":
                array = values[0].a
                getattr(decoder, event)(bytes(ffi.buffer(array.data, array.size)))
            case "tranche_flags":
                decoder.tranche_flags(values[0].u)
            case "tranche_done":
                decoder.tranche_done()
            case "done":
                known.said = decoder.done()
                self._told(known.client, known.said)
                self._batch_ends(address)

    def _told(self, client: Client, said: DmabufFeedback) -> None:
        before, self._newest = self._newest, said
        entry = self._clients.get(client)
        if entry is None:
            listener = client.on_destroy(lambda: self._client_gone(client))
        else:
            listener = entry[1]
        self._clients[client] = (said, listener)
        if before is None or before.main_device != said.main_device:
            self._learned(said)

    def _client_gone(self, client: Client) -> None:
        self._clients.pop(client, None)

    def _table(self, fd: int, size: int) -> tuple[FormatModifier, ...]:
        """The pairs of a table; the fd is the host's, and so is its position."""
        if size > TABLE_BYTES:
            raise PeerError(f"a format table of {size} bytes")
        content = os.pread(fd, size, 0)
        table = self._tables.get(content)
        if table is None:
            if len(self._tables) >= MAX_TABLES:
                self._tables.clear()
            table = self._tables[content] = decode_formats(content)
        return table
