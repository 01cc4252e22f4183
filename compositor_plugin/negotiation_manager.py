"""`xx_dmabuf_negotiation_manager_v1`: the sources of memory, and the way in."""

from __future__ import annotations

from collections.abc import Iterable

from heapwire.compositor_plugin.constraint_set import ConstraintSetCreator
from heapwire.compositor_plugin.manager import SourceManager
from heapwire.compositor_plugin.negotiation_object import NegotiationObject
from heapwire.compositor_plugin.server import ForeignResource, NewId
from heapwire.protocol.values import REGISTRY, Source
from heapwire.protocol.wire import NEGOTIATIONS, clip
from heapwire.protocol.wire.bindings import (
    XX_DMABUF_NEGOTIATION_MANAGER_V1,
    NegotiationManagerSourceProperty,
)


class NegotiationManager(SourceManager):
    """One client's manager."""

    INTERFACE = XX_DMABUF_NEGOTIATION_MANAGER_V1

    def create_constraint_set(self, new_id: NewId) -> None:
        """Begin a constraint set."""
        self._plugin.answers.describing(self.client)
        ConstraintSetCreator(new_id, self._plugin, self._use)

    def get_default_negotiation(self, new_id: NewId) -> None:
        """A negotiation that is tied to no surface."""
        self._negotiation(new_id, None)

    def get_surface_negotiation(self, new_id: NewId, surface: ForeignResource) -> None:
        """A negotiation for one surface."""
        self._negotiation(new_id, surface)

    def _offered(self) -> Iterable[Source]:
        return self._plugin.broker.platform.sources

    def _send_source(self, source: Source) -> None:
        number = (source.id.kind, source.id.major, source.id.minor)
        self.send("source", *number, _properties(source), clip(source.name))

    def _send_more(self) -> None:
        for type_ in sorted(REGISTRY):
            self.send("supported_type", type_)

    def _negotiation(self, new_id: NewId, surface: ForeignResource | None) -> None:
        self._plugin.answers.describing(self.client)
        NegotiationObject(new_id, self._plugin, surface)
        self._bound(self._use.negotiations, NEGOTIATIONS)


def _properties(source: Source) -> int:
    flags = 0
    if source.contiguous:
        flags |= NegotiationManagerSourceProperty.CONTIGUOUS
    if source.protected:
        flags |= NegotiationManagerSourceProperty.PROTECTED
    if source.cached is False:
        flags |= NegotiationManagerSourceProperty.UNCACHED
    if source.device_local is not None:
        flags |= NegotiationManagerSourceProperty.DEVICE_LOCAL
    return flags
