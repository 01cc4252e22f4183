"""`xx_dmabuf_sources_v1`: the sources of memory, and the way to a feedback object's tranches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapwire.compositor_plugin.manager import Manager
from heapwire.compositor_plugin.server import ForeignResource, NewId, Resource
from heapwire.compositor_plugin.sources.feedback_sources import FeedbackSources
from heapwire.protocol.values import Source
from heapwire.protocol.wire import FEEDBACKS, clip, halves
from heapwire.protocol.wire.bindings import XX_DMABUF_SOURCES_V1, SourcesProperty

if TYPE_CHECKING:
    from heapwire.compositor_plugin.plugin_state import PluginState


class DmabufSources(Manager):
    """One client's global."""

    INTERFACE = XX_DMABUF_SOURCES_V1

    def __init__(self, new_id: NewId, plugin: PluginState) -> None:
        super().__init__(new_id, plugin)
        self._announced: dict[Source, None] = {}
        self._send_sources()
        self.send("done")
        plugin.sources.add_manager(self)
        self._bound_managers()

    def announce(self) -> None:
        """Send the sources that are new and those that are gone."""
        if self._send_sources():
            self.send("done")

    def extend_feedback(self, new_id: NewId, feedback: Resource | ForeignResource) -> None:
        """Tell of the tranches of a feedback object of the host's."""
        FeedbackSources(new_id, self._plugin, feedback)
        self._bound(self._use.feedbacks, FEEDBACKS)

    def on_destroy(self) -> None:
        """The client's object is gone; nothing that came from it is."""
        super().on_destroy()
        self._plugin.sources.remove_manager(self)

    def _send_sources(self) -> bool:
        """Send what has changed; whether anything has."""
        sources = dict.fromkeys(self._plugin.sources.sources_for(self.client))
        gone = [source for source in self._announced if source not in sources]
        new = [source for source in sources if source not in self._announced]
        for source in gone:
            self.send("source_gone", source.id.kind, source.id.major, source.id.minor)
        for source in new:
            number = (source.id.kind, source.id.major, source.id.minor)
            size = halves(source.capacity or 0)
            self.send("source", *number, *_properties(source), *size, clip(source.name))
        self._announced = sources
        return bool(gone or new)


def _properties(source: Source) -> tuple[int, int]:
    """The properties that are true, and those that are known.

    That no device is known to have the memory for its own is no knowledge that none has. What
    the CPU cannot read and nobody protects is neither for these words: nothing is put there.
    """
    protected = source.protected if source.mappable else None
    uncached = None if source.cached is None else not source.cached
    said = {
        SourcesProperty.CONTIGUOUS: source.contiguous,
        SourcesProperty.PROTECTED: protected,
        SourcesProperty.UNCACHED: uncached,
        SourcesProperty.DEVICE_LOCAL: None if source.device_local is None else True,
    }
    true = sum(flag for flag, value in said.items() if value)
    return true, sum(flag for flag, value in said.items() if value is not None)
