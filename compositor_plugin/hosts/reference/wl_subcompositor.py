"""`wl_subcompositor`: makes surfaces part of others."""

from __future__ import annotations

from enum import IntEnum
from itertools import chain, islice

from heapwire.compositor_plugin.hosts.reference.interface_tables import interface_table
from heapwire.compositor_plugin.hosts.reference.wl_subsurface import ROLE, WlSubsurface
from heapwire.compositor_plugin.hosts.reference.wl_surface import WlSurface
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError

MOST_PARTS = 32
"""Surfaces that may be part of one another: what one request costs may grow with them."""


class SubcompositorError(IntEnum):
    """The errors of `wl_subcompositor`."""

    BAD_SURFACE = 0
    BAD_PARENT = 1


class WlSubcompositor(Resource):
    """The bound global."""

    INTERFACE = interface_table("wl_subcompositor")
    VERSION = 1

    def get_subsurface(self, new_id: NewId, surface: WlSurface, parent: WlSurface) -> None:
        """Make a surface part of another."""
        if surface.role is not None or surface.role_name not in (None, ROLE):
            raise ViolationError(
                self,
                SubcompositorError.BAD_SURFACE,
                f"the surface is already {surface.role_name}",
            )
        root = parent
        ancestor: WlSurface | None = parent
        while ancestor is not None:
            if ancestor is surface:
                raise ViolationError(
                    self,
                    SubcompositorError.BAD_PARENT,
                    "a surface cannot be its own parent or that of one it is part of",
                )
            root, ancestor = ancestor, ancestor.parent
        parts = chain(root.tree(), surface.tree())
        if any(True for _ in islice(parts, MOST_PARTS, None)):
            raise MemoryError(f"more than {MOST_PARTS} surfaces that are part of one another")
        WlSubsurface(new_id, surface, parent)
