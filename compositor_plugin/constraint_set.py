"""`xx_dmabuf_constraint_set_creator_v1` and the immutable set that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapwire.compositor_plugin.answering import SetRecording
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError
from heapwire.protocol.values import ConstraintSet
from heapwire.protocol.wire import (
    ARRAY_FACTOR,
    CLIENT_SET_BYTES,
    REQUEST_OVERHEAD,
    SET_OVERHEAD,
    ConstraintSetBuilder,
    MisuseError,
)
from heapwire.protocol.wire.bindings import (
    XX_DMABUF_CONSTRAINT_SET_CREATOR_V1,
    XX_DMABUF_CONSTRAINT_SET_V1,
    ConstraintSetCreatorError,
)

if TYPE_CHECKING:
    from heapwire.compositor_plugin.clients import ClientUse
    from heapwire.compositor_plugin.plugin_state import PluginState


class ConstraintSetCreator(Resource):
    """Puts a set together; a misuse is posted with the error that the XML names."""

    INTERFACE = XX_DMABUF_CONSTRAINT_SET_CREATOR_V1

    def __init__(self, new_id: NewId, plugin: PluginState, use: ClientUse) -> None:
        super().__init__(new_id)
        self._plugin = plugin
        self._use = use
        self._size = 0  # bytes, as the limit counts them
        self._begun: ConstraintSetBuilder | None = None
        self._count(SET_OVERHEAD)

    def destroy(self) -> None:
        """Give the set up."""
        self._plugin.answers.destroy(self)

    def add_formats(self, cost: int, formats: bytes) -> None:
        """Add (format, modifier) pairs."""
        try:
            (self._begun or self._begin()).add_formats(cost, formats)
        except MisuseError as error:
            raise self._violation(error) from None
        self._recording.add_formats(cost, formats)
        self._count(len(formats) * ARRAY_FACTOR + REQUEST_OVERHEAD)

    def add(self, type_: int, planes: int, flags: int, provenance: int, value: bytes) -> None:
        """Add a constraint."""
        try:
            (self._begun or self._begin()).add(type_, planes, flags, provenance, value)
        except MisuseError as error:
            raise self._violation(error) from None
        self._recording.add(type_, planes, flags, provenance, value)
        self._count(len(value) * ARRAY_FACTOR + REQUEST_OVERHEAD)

    def create(self, new_id: NewId) -> None:
        """Create the set and end."""
        self._plugin.answers.describing(self.client)
        try:
            constraint_set = (self._begun or self._begin()).create()
        except MisuseError as error:
            raise self._violation(error) from None
        self._plugin.records.add(constraint_set, self._recording.create())
        self._plugin.uses.count_while_used(constraint_set, self._use, self._size)
        self._size = 0
        ConstraintSetResource(new_id, self._plugin, constraint_set)
        self._plugin.answers.destroy(self)

    def on_destroy(self) -> None:
        """What was never made a set is kept no longer."""
        self._plugin.uses.give_back(self._use, self._size)

    def _begin(self) -> ConstraintSetBuilder:
        """Made when it is first needed: a client may ask for hundreds of creators at once."""
        self._begun = ConstraintSetBuilder()
        self._recording = SetRecording()
        return self._begun

    def _violation(self, error: MisuseError) -> ViolationError:
        return ViolationError(self, error.code, error.message)

    def _count(self, size: int) -> None:
        """Count what the client has had us keep."""
        self._size += size
        if self._plugin.uses.take(self._use, size):
            self._bound()

    def _bound(self) -> None:
        """End a client that is beyond the limits.

        What destroyed objects still have is not held against it, whoever had them: of that as
        much goes now as is in the way, which is little more than what has just come.
        """
        uses, use, end_while = self._plugin.uses, self._use, self._plugin.answers.end_while

        end_while(lambda: uses.greedy(use))
        if uses.greedy(use):
            text = f"more than {CLIENT_SET_BYTES} bytes of constraint sets"
            raise ViolationError(self, ConstraintSetCreatorError.TOO_MANY, text)
        end_while(lambda: uses.crowded(use))
        if uses.crowded(use):
            self.client.post_no_memory()


class ConstraintSetResource(Resource):
    """A client's name for a set; negotiations keep the set itself."""

    INTERFACE = XX_DMABUF_CONSTRAINT_SET_V1

    def __init__(self, new_id: NewId, plugin: PluginState, constraint_set: ConstraintSet) -> None:
        super().__init__(new_id)
        self._plugin = plugin
        self.constraint_set = constraint_set

    def destroy(self) -> None:
        """The client has no more use for it."""
        self._plugin.answers.destroy(self)
