"""`xx_dmabuf_heap_manager_v1`: the sources of memory, and the way in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapwire.compositor_plugin.constraint_set import ConstraintSetCreator
from heapwire.compositor_plugin.heap_feedback import HeapFeedback
from heapwire.compositor_plugin.server import ForeignResource, NewId, Resource
from heapwire.protocol.values import REGISTRY, Source
from heapwire.protocol.wire import FEEDBACKS, MANAGERS, clip
from heapwire.protocol.wire.bindings import XX_DMABUF_HEAP_MANAGER_V1, HeapManagerSourceProperty

if TYPE_CHECKING:
    from heapwire.compositor_plugin.plugin_state import PluginState


class HeapManager(Resource):
    """One client's manager."""

    INTERFACE = XX_DMABUF_HEAP_MANAGER_V1

    def __init__(self, new_id: NewId, plugin: PluginState) -> None:
        super().__init__(new_id)
        self._plugin = plugin
        self._use = plugin.uses.of(self.client)
        self._use.managers += 1
        self._announced: dict[Source, None] = {}
        self.announce(first=True)
        plugin.managers.add(self)
        self._bound(self._use.managers, MANAGERS)

    def announce(self, *, first: bool = False) -> None:
        """Send the sources that are new and those that are gone."""
        sources = dict.fromkeys(self._plugin.broker.platform.sources)
        gone = [source for source in self._announced if source not in sources]
        new = [source for source in sources if source not in self._announced]
        for source in gone:
            self.send("source_gone", source.id.kind, source.id.major, source.id.minor)
        for source in new:
            number = (source.id.kind, source.id.major, source.id.minor)
            self.send("source", *number, self._properties(source), clip(source.name))
        self._announced = sources
        if first:
            for type_ in sorted(REGISTRY):
                self.send("supported_type", type_)
        if first or new or gone:
            self.send("done")

    def destroy(self) -> None:
        """The client has no more use for it."""
        self.destroy_resource()

    def create_constraint_set(self, new_id: NewId) -> None:
        """Begin a constraint set."""
        ConstraintSetCreator(new_id, self._plugin)

    def get_default_feedback(self, new_id: NewId) -> None:
        """Feedback that is tied to no surface."""
        self._feedback(new_id, None)

    def get_surface_feedback(self, new_id: NewId, surface: ForeignResource) -> None:
        """Feedback for one surface."""
        self._feedback(new_id, surface)

    def on_destroy(self) -> None:
        """The client's manager is gone; nothing that came from it is."""
        self._use.managers -= 1
        self._plugin.managers.discard(self)
        self._plugin.answers.forget_manager(self)

    def _feedback(self, new_id: NewId, surface: ForeignResource | None) -> None:
        HeapFeedback(new_id, self._plugin, surface)
        self._bound(self._use.feedbacks, FEEDBACKS)

    def _bound(self, number: int, most: int) -> None:
        """End a client that has more than it may, or more than there is room for."""
        if number > most or self._plugin.uses.many(self._use):
            self.client.post_no_memory()

    def _properties(self, source: Source) -> int:
        flags = 0
        if source.contiguous:
            flags |= HeapManagerSourceProperty.CONTIGUOUS
        if source.protected:
            flags |= HeapManagerSourceProperty.PROTECTED
        if source.cached is False:
            flags |= HeapManagerSourceProperty.UNCACHED
        if source.device_local is not None:
            flags |= HeapManagerSourceProperty.DEVICE_LOCAL
        plugin = self._plugin
        if plugin.broker.allocates_from(source.id) and plugin.grant(self.client).permits(source):
            flags |= HeapManagerSourceProperty.ALLOCATABLE
        return flags
