"""`xx_dmabuf_feedback_sources_v1`: what is added to the batches of one feedback object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapwire.compositor_plugin.server import ForeignResource, Listener, NewId, Resource
from heapwire.protocol.wire.bindings import XX_DMABUF_FEEDBACK_SOURCES_V1, FeedbackSourcesBatch

if TYPE_CHECKING:
    from heapwire.compositor_plugin.plugin_state import PluginState


class FeedbackSources(Resource):
    """One extension; inert when its feedback object is gone."""

    INTERFACE = XX_DMABUF_FEEDBACK_SOURCES_V1

    def __init__(
        self, new_id: NewId, plugin: PluginState, feedback: Resource | ForeignResource
    ) -> None:
        super().__init__(new_id)
        self._plugin = plugin
        self._use = plugin.uses.of(self.client)
        self._use.feedbacks += 1
        self.feedback = feedback.address
        """The address of the host's feedback object, good as long as it is extended."""
        self._listener: Listener | None = None
        if plugin.closed:
            return
        self._listener = Listener.on_resource(feedback.pointer, self._feedback_gone)
        plugin.sources.extend(self)
        if self.client.takes_more:
            self.describe(FeedbackSourcesBatch.LAST)
        else:  # it has not read what it was sent before, and would be ended for want of room
            plugin.answers.tell_soon(self.client, self, self.describe_again)

    def describe(self, batch: FeedbackSourcesBatch) -> None:
        """Tell of the batch that the host sent last, or is about to end."""
        self.send_encoded(self._plugin.sources.events(self, batch))

    def describe_again(self) -> None:
        """What was told of the last batch is no longer so."""
        if self._listener is not None:
            self.describe(FeedbackSourcesBatch.LAST)

    def let_go(self) -> None:
        """Leave nothing with the host: the object or the plugin is at its end."""
        if self._listener is not None:
            self._listener.remove()
            self._listener = None
            self._plugin.sources.leave(self)

    def on_destroy(self) -> None:
        """The client's object is gone."""
        self._use.feedbacks -= 1
        self.let_go()

    def _feedback_gone(self) -> None:
        self._listener = None  # it has removed itself
        self._plugin.sources.leave(self)
