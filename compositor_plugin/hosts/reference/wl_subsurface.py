"""`wl_subsurface`: a surface that is part of another.

Position and order are the parent's state: they take effect when the parent's
state does. Where a subsurface is synchronised, or its parent is, so does what
it commits itself, which waits in `WlSurface.cached`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from heapwire.compositor_plugin.hosts.reference.interface_tables import interface_table
from heapwire.compositor_plugin.hosts.reference.wl_surface import WlSurface
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError

ROLE = "wl_subsurface"


class SubsurfaceError(IntEnum):
    """The errors of `wl_subsurface`."""

    BAD_SURFACE = 0


class WlSubsurface(Resource):
    """The role of a subsurface; inert once the surface or its parent is gone."""

    INTERFACE = interface_table("wl_subsurface")
    VERSION = 1

    def __init__(self, new_id: NewId, surface: WlSurface, parent: WlSurface) -> None:
        super().__init__(new_id)
        self.surface: WlSurface | None = surface
        self.synchronised = True
        self.position = (0, 0)
        self.next_position = (0, 0)
        surface.take_role(self, ROLE)
        surface.subsurface = self
        surface.parent = parent
        parent.add_child(surface)

    # Requests.

    def set_position(self, x: int, y: int) -> None:
        """Where the surface is to be on its parent, when that is next committed."""
        self.next_position = (x, y)
        if self.surface is not None and self.surface.parent is not None:
            self.surface.parent.part_changed()

    def place_above(self, sibling: WlSurface) -> None:
        """Put it right above a sibling or the parent."""
        self._place(sibling, above=True)

    def place_below(self, sibling: WlSurface) -> None:
        """Put it right below a sibling or the parent."""
        self._place(sibling, above=False)

    def set_sync(self) -> None:
        """Let commits wait for the parent's."""
        self.synchronised = True

    def set_desync(self) -> None:
        """Let commits take effect on their own, unless the parent's wait."""
        self.synchronised = False
        if self.surface is not None:
            self.surface.desynchronised()

    # What the surface calls.

    def parent_applied(self) -> None:
        """The parent's state has taken effect."""
        self.position = self.next_position

    def before_commit(self) -> None:
        """A subsurface may commit anything at any time."""

    def committed(self) -> None:
        """Nothing more is needed for a subsurface to be shown than a parent that is."""

    def set_aside(self) -> Callable[[], None]:
        """What a subsurface has pending is its parent's."""
        return self.committed

    def surface_gone(self) -> None:
        """The surface was destroyed: the object has no effect any more."""
        self.surface = None

    def on_destroy(self) -> None:
        """The surface is no part of its parent any more, at once."""
        surface, self.surface = self.surface, None
        if surface is not None:
            surface.leave_parent()
            surface.lose_role()

    def _place(self, sibling: WlSurface, *, above: bool) -> None:
        surface = self.surface
        if surface is None or surface.parent is None:
            return
        parent = surface.parent
        if sibling is surface or (sibling is not parent and sibling.parent is not parent):
            raise ViolationError(
                self,
                SubsurfaceError.BAD_SURFACE,
                "the surface is neither a sibling nor the parent",
            )
        parent.place_child(surface, sibling, above=above)
