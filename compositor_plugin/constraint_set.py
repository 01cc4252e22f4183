"""`xx_dmabuf_constraint_set_creator_v1` and the immutable set that it makes."""

from __future__ import annotations

from heapwire.compositor_plugin.server import NewId, Resource, ViolationError
from heapwire.protocol.values import ConstraintSet
from heapwire.protocol.wire import ConstraintSetBuilder, MisuseError
from heapwire.protocol.wire.bindings import (
    XX_DMABUF_CONSTRAINT_SET_CREATOR_V1,
    XX_DMABUF_CONSTRAINT_SET_V1,
)


class ConstraintSetCreator(Resource):
    """Puts a set together; a misuse is posted with the error that the XML names."""

    INTERFACE = XX_DMABUF_CONSTRAINT_SET_CREATOR_V1

    def __init__(self, new_id: NewId) -> None:
        super().__init__(new_id)
        self._builder = ConstraintSetBuilder()

    def destroy(self) -> None:
        """Give the set up."""
        self.destroy_resource()

    def add_formats(self, cost: int, formats: bytes) -> None:
        """Add (format, modifier) pairs."""
        try:
            self._builder.add_formats(cost, formats)
        except MisuseError as error:
            raise ViolationError(self, error.code, error.message) from None

    def add(self, type_: int, planes: int, flags: int, provenance: int, value: bytes) -> None:
        """Add a constraint."""
        try:
            self._builder.add(type_, planes, flags, provenance, value)
        except MisuseError as error:
            raise ViolationError(self, error.code, error.message) from None

    def create(self, new_id: NewId) -> None:
        """Create the set and end."""
        try:
            constraint_set = self._builder.create()
        except MisuseError as error:
            raise ViolationError(self, error.code, error.message) from None
        ConstraintSetResource(new_id, constraint_set)
        self.destroy_resource()


class ConstraintSetResource(Resource):
    """A client's name for a set; negotiations keep the set itself."""

    INTERFACE = XX_DMABUF_CONSTRAINT_SET_V1

    def __init__(self, new_id: NewId, constraint_set: ConstraintSet) -> None:
        super().__init__(new_id)
        self.constraint_set = constraint_set

    def destroy(self) -> None:
        """The client has no more use for it."""
        self.destroy_resource()
