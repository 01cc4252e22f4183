"""What the feedback objects of the host's own linux-dmabuf say, as `feedback_log.c` keeps it.

Python hears of a batch when it is the first that says this, or of an object that is extended. What
an object or a client was told last is asked of the C side when somebody wants to know.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable

from heapwire.compositor_plugin.hosts.embed.host_table import CData, ffi, pointer_value
from heapwire.protocol import PeerError
from heapwire.protocol.make_room import make_room
from heapwire.protocol.values import FormatModifier
from heapwire.protocol.wire import (
    DMABUF_FEEDBACK,
    DmabufFeedback,
    FeedbackDecoder,
    decode_formats,
)

log = logging.getLogger(__name__)

MAX_BATCHES = 64  # kept as values, as many as C keeps as bytes
MAX_TABLES = 16  # kept; a host can make up tables without end
_EVENTS = [event.name for event in DMABUF_FEEDBACK.events]
_HEAD = struct.Struct("=II")
_FLAGS = struct.Struct("=I")
# Pointers as numbers: every answer asks, and to make pointers of them takes longer than the call.
_TOLD_OF = ffi.typeof("struct heapwire_batch *(*)(void *, uintptr_t, uintptr_t)")
_TOLD_CLIENT = ffi.typeof("struct heapwire_batch *(*)(void *, uintptr_t)")


class FeedbackTracker:
    """Asks C, and takes what it tells.

    `batch_ends` is called with the address of an object that is extended before its `done` is
    queued, and `learned` with a batch if it is the first that was heard of this host, or says
    another main device.
    """

    def __init__(
        self, batch_ends: Callable[[int], None], learned: Callable[[DmabufFeedback], None]
    ) -> None:
        self._batch_ends = batch_ends
        self._learned = learned
        self._calls: CData | None = None
        self._told: Callable[[int, int], CData] | None = None
        self._extended: dict[int, None] = {}
        self._batches: dict[int, DmabufFeedback] = {}
        self._tables: dict[bytes, tuple[FormatModifier, ...]] = {}
        self._newest: DmabufFeedback | None = None
        self._complained = False

    def ask(self, calls: CData | None) -> None:
        """Ask by these `struct heapwire_calls *` from now on, or nobody."""
        self._calls = calls
        self._told = None if calls is None else _last_told(calls)
        self._batches.clear()  # numbers are one library's
        for feedback in self._extended:
            self._extend(feedback, extended=True)

    def said(self, feedback: int) -> DmabufFeedback | None:
        """What a feedback object said last, or is saying; None if nothing is known of it."""
        if self._calls is None:
            return None
        resource = ffi.cast("struct wl_resource *", feedback)
        return self._known(self._calls.batch_of(self._calls.feedback, resource))

    def said_to(self, client: int, surface: int | None = None) -> DmabufFeedback | None:
        """What a `wl_client` was told last of a surface; None if nobody was told anything.

        Without a surface, or where it was told nothing of that, it is what it was told for none
        in particular, else what anybody was.
        """
        told = self._told
        return None if told is None else self._known(told(client, surface or 0))

    def extend(self, feedback: int, extended: bool) -> None:
        """A feedback object is extended, or is no longer."""
        if extended:
            self._extended[feedback] = None
        else:
            self._extended.pop(feedback, None)
        self._extend(feedback, extended=extended)

    def batch_ended(self, batch: CData, feedback: CData) -> bool:
        """A batch, and the object that says it if that is extended, else NULL.

        False if the host breaks linux-dmabuf's rules: that is passed over.
        """
        said = self._known(batch)
        if said is None:
            return False
        before, self._newest = self._newest, said
        if before is None or before.main_device != said.main_device:
            self._learned(said)
        if feedback != ffi.NULL:
            self._batch_ends(pointer_value(feedback))
        return True

    def _extend(self, feedback: int, *, extended: bool) -> None:
        if self._calls is not None:
            resource = ffi.cast("struct wl_resource *", feedback)
            self._calls.extend(self._calls.feedback, resource, extended)

    def _known(self, batch: CData) -> DmabufFeedback | None:
        if batch == ffi.NULL:
            return None
        known = self._batches.get(batch.number)
        if known is None:
            try:
                known = self._decode(batch)
            except PeerError as error:
                if not self._complained:
                    self._complained = True
                    text = "the compositor's linux-dmabuf feedback is not understood: %s"
                    log.warning(text, error)
                return None
            make_room(self._batches, MAX_BATCHES)
            self._batches[batch.number] = known
        return known

    def _decode(self, batch: CData) -> DmabufFeedback:
        decoder = FeedbackDecoder(batch.version)
        decoder.use_table(self._table(bytes(ffi.buffer(batch.table, batch.table_size))))
        events = bytes(ffi.buffer(batch.events, batch.size))
        offset = 0
        while offset < len(events):
            opcode, size = _HEAD.unpack_from(events, offset)
            offset += _HEAD.size
            argument = events[offset : offset + size]
            offset += -(-size // 4) * 4
            match _EVENTS[opcode]:
                case "tranche_flags":
                    decoder.tranche_flags(*_FLAGS.unpack(argument))
                case "tranche_done":
                    decoder.tranche_done()
                case "main_device" | "tranche_target_device" | "tranche_formats" as event:
                    getattr(decoder, event)(argument)
        return decoder.done()

    def _table(self, content: bytes) -> tuple[FormatModifier, ...]:
        table = self._tables.get(content)
        if table is None:
            make_room(self._tables, MAX_TABLES)
            table = self._tables[content] = decode_formats(content)
        return table


def _last_told(calls: CData) -> Callable[[int, int], CData]:
    """What gives the batch that a client, by its address, was told last of a surface, or of 0."""
    # `calls.feedback` is there only when attaching is over.
    if calls.size > ffi.offsetof("struct heapwire_calls", "batch_to"):
        told = ffi.cast(_TOLD_OF, calls.batch_to)
        return lambda client, surface: told(calls.feedback, client, surface)
    older = ffi.cast(_TOLD_CLIENT, calls.batch_for)
    return lambda client, _surface: older(calls.feedback, client)
