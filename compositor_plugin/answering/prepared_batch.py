"""A batch with what it takes to send it, worked out once for all who are told the same."""

from __future__ import annotations

from heapwire.compositor_plugin.server import EncodedEvents, Resource
from heapwire.protocol.values import Source
from heapwire.protocol.wire import Batch, Explanation, batch_events

_BATCH_BYTES = 4096
_OBJECT_BYTES = 512  # of an offer, a refusal or an entry of a conflict, with what is in it


class PreparedBatch:
    """What a batch says, without cookie and serial, and its events, for each level of explanation.

    The events end before `done` or `failed`, which have the two. `sources` are those that its
    plans could be made of, as they were then.
    """

    def __init__(self, content: Batch, sources: tuple[Source, ...] = ()) -> None:
        self.content = content
        self.sources = sources
        self.plans = tuple([offer.plan for offer in content.offers])
        """All plans, best first."""
        self._events: dict[tuple[int, Explanation], EncodedEvents] = {}
        objects = sum([2 + len(plan.reasons) for plan in self.plans])
        objects += len(content.refusals) + len(content.conflicts)
        self.size = _BATCH_BYTES + _OBJECT_BYTES * objects
        """Bytes in memory, about; grows with the events."""

    def events(self, receiver: Resource, explanation: Explanation) -> EncodedEvents:
        """The events for a client that wants so much explained."""
        key = (receiver.version, explanation)
        known = self._events.get(key)
        if known is None:
            events = batch_events(self.content, explanation)
            known = self._events[key] = receiver.encode(events[:-1])  # not `done` or `failed`
            self.size += known.size
        return known
