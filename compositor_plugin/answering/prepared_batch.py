"""A batch with what it takes to send it, worked out once for all who are told the same."""

from __future__ import annotations

from functools import cached_property

from heapwire.compositor_plugin.server import EncodedEvent, Resource
from heapwire.protocol.values import FormatModifier
from heapwire.protocol.wire import Batch, batch_events, encode_table, format_table

_BATCH_BYTES = 4096
_OBJECT_BYTES = 512  # of an offer, a refusal or an entry of a conflict, with what is in it


class PreparedBatch:
    """What a batch says, without cookie and serial, and its events for those who hold its table.

    The events end before `done` or `failed`, which have the two.
    """

    def __init__(self, content: Batch) -> None:
        self.content = content
        self._events: dict[int, tuple[EncodedEvent, ...]] = {}  # by the receiver's version

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        content = self.content
        objects = sum(2 + len(offer.plan.reasons) for offer in content.offers)
        objects += len(content.refusals) + len(content.conflicts)
        events = sum(event.size for encoded in self._events.values() for event in encoded)
        return _BATCH_BYTES + _OBJECT_BYTES * objects + events

    @cached_property
    def table(self) -> tuple[FormatModifier, ...]:
        """The pairs that the batch refers to."""
        return format_table(self.content)

    @cached_property
    def pairs(self) -> frozenset[FormatModifier]:
        """The same, to see whether a client has them."""
        return frozenset(self.table)

    @cached_property
    def table_file(self) -> bytes:
        """The content of the file of a `format_table` event."""
        return encode_table(self.table)

    def events(
        self, receiver: Resource, table: tuple[FormatModifier, ...]
    ) -> tuple[EncodedEvent, ...]:
        """The events for a client that holds a table."""
        if table != self.table:
            return self._encoded(receiver, table)
        version = receiver.version
        if version not in self._events:
            self._events[version] = self._encoded(receiver, table)
        return self._events[version]

    def _encoded(
        self, receiver: Resource, table: tuple[FormatModifier, ...]
    ) -> tuple[EncodedEvent, ...]:
        return tuple(
            receiver.encode(event, *arguments)
            for event, arguments in batch_events(self.content, table)
            if event not in ("done", "failed")
        )
