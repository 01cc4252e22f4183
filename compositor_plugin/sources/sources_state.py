"""What the objects of `xx_dmabuf_sources_v1` share: who extends which feedback object."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.server import Client, EncodedEvents
from heapwire.compositor_plugin.sources.tranche_descriptions import TrancheDescriptions
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.make_room import make_room
from heapwire.protocol.values import (
    PERMITTED_SOURCES,
    FormatModifier,
    Source,
    SourceId,
    SourceKind,
)
from heapwire.protocol.wire import DeviceSet, DmabufFeedback, TrancheMemory, memory_events
from heapwire.protocol.wire.bindings import FeedbackSourcesBatch

if TYPE_CHECKING:
    from heapwire.compositor_plugin.broker import Broker
    from heapwire.compositor_plugin.plugin_state import PluginState
    from heapwire.compositor_plugin.sources.dmabuf_sources import DmabufSources
    from heapwire.compositor_plugin.sources.feedback_sources import FeedbackSources

log = logging.getLogger(__name__)

_NOTHING = EncodedEvents((), (), b"")

MAX_ENCODED = 64  # batches that are kept as events; a host can make up batches without end

_Key = tuple[
    DmabufFeedback, tuple[FormatModifier, ...], FeedbackSourcesBatch, frozenset[SourceId], bool
]


class SourcesState:
    """Made and ended with a `PluginState`, which it asks for the machine and for clients."""

    def __init__(self, plugin: PluginState) -> None:
        self._plugin = plugin
        self._managers: dict[DmabufSources, None] = {}
        self._extensions: dict[int, dict[FeedbackSources, None]] = {}
        self.tell_extended: Callable[[int, bool], None] | None = None
        """Told of each feedback object that is extended, and of each that is no longer."""
        self._broker: Broker | None = None
        self._descriptions: TrancheDescriptions | None = None
        self._encoded: dict[_Key, EncodedEvents] = {}

    def sources_for(self, client: Client) -> tuple[Source, ...]:
        """The sources that a client is told of, in the platform's order.

        An app in a sandbox opens no device nodes, as a rule: unless a rule of the policy says
        otherwise it hears of the memory that it may be given, and of no other.
        """
        grant = self._plugin.grant(client)
        sources = self._plugin.broker.platform.sources
        told = grant.told
        if told is None and self._plugin.identity(client).sandboxed:
            may = self._plugin.broker.allocates_from
            return tuple(one for one in sources if may(one.id) and grant.permits(one))
        return () if told is False else sources

    def batch_ends(self, feedback: int) -> None:
        """The host is about to send `done` to a feedback object; nothing is raised."""
        for extension in tuple(self._extensions.get(feedback, ())):
            try:
                extension.describe(FeedbackSourcesBatch.NEXT)
            except Exception:
                log.exception("a feedback object's sources cannot be told")
                extension.client.post_implementation_error("the sources cannot be told")

    def machine_changed(self) -> None:
        """Sources or devices have come or gone."""
        for manager in self._managers:
            self._plugin.answers.tell_soon(manager.client, manager, manager.announce)
        for extensions in self._extensions.values():
            for extension in extensions:
                work = extension.describe_again
                self._plugin.answers.tell_soon(extension.client, extension, work)

    def events(self, extension: FeedbackSources, batch: FeedbackSourcesBatch) -> EncodedEvents:
        """What an extension's client is told of a batch; nothing if there was none."""
        said = self._plugin.dmabuf_feedback(extension.feedback)
        if said is None:
            return _NOTHING
        client = extension.client
        told = frozenset(source.id for source in self.sources_for(client))
        everything = self._plugin.grant(client).told is not False
        key = (said, said.table, batch, told, everything)
        known = self._encoded.get(key) if self._broker is self._plugin.broker else None
        if known is None:
            described = self._describe(said)
            make_room(self._encoded, MAX_ENCODED)
            known = self._encoded[key] = extension.encode(
                _events(described, batch, told, everything)
            )
        return known

    def add_manager(self, manager: DmabufSources) -> None:
        """A client has bound the global."""
        self._managers[manager] = None

    def remove_manager(self, manager: DmabufSources) -> None:
        """A client's global is gone."""
        self._managers.pop(manager, None)

    def extend(self, extension: FeedbackSources) -> None:
        """A feedback object has one more extension."""
        feedback = extension.feedback
        first = feedback not in self._extensions
        self._extensions.setdefault(feedback, {})[extension] = None
        if first and self.tell_extended is not None:
            self.tell_extended(feedback, True)

    def leave(self, extension: FeedbackSources) -> None:
        """An extension, or the feedback object that it extends, is gone."""
        extensions = self._extensions.get(extension.feedback)
        if extensions is not None:
            extensions.pop(extension, None)
            if not extensions:
                del self._extensions[extension.feedback]
                if self.tell_extended is not None:
                    self.tell_extended(extension.feedback, False)

    def close(self) -> None:
        """Leave no listener with the host."""
        for extensions in tuple(self._extensions.values()):
            for extension in tuple(extensions):
                extension.let_go()
        self._managers.clear()

    def _describe(self, said: DmabufFeedback) -> DmabufFeedback:
        broker = self._plugin.broker
        if self._descriptions is None or self._broker is not broker:
            self._broker = broker
            self._descriptions = TrancheDescriptions(broker.platform, broker.renderer)
            self._encoded.clear()
        return self._descriptions.described(said)


def _events(
    described: DmabufFeedback,
    batch: FeedbackSourcesBatch,
    told: frozenset[SourceId],
    everything: bool,
) -> list[tuple[str, tuple[int | str | bytes, ...]]]:
    index = {pair: position for position, pair in enumerate(described.table)}
    events: list[tuple[str, tuple[int | str | bytes, ...]]] = []
    for tranche in described.tranches:
        memory = tranche.memory
        if memory is None or not everything:
            memory = TrancheMemory()
        sources = tuple(source for source in memory.sources if source in told)
        sets = tuple(_set_of(entry, told) for entry in memory.sets)
        events += memory_events(TrancheMemory(sources, sets), tranche.formats, index)
    return [*events, ("done", (batch,))]


def _set_of(entry: DeviceSet, told: frozenset[SourceId]) -> DeviceSet:
    """A set that permits no heap which the client was not told of, unless none is left then."""
    constraints = []
    for constraint in entry.set.constraints:
        if constraint.type == PERMITTED_SOURCES.type and isinstance(constraint.value, tuple):
            listed = [one for one in constraint.value if isinstance(one, SourceId)]
            kept = tuple(one for one in listed if one in told or one.kind is SourceKind.DEVICE)
            constraint = replace(constraint, value=kept or constraint.value)
        constraints.append(constraint)
    return replace(entry, set=replace(entry.set, constraints=tuple(constraints)))
