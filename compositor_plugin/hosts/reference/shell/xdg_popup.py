"""`xdg_popup`: a menu or a tooltip on a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.hosts.reference.scene import Rect
from heapwire.compositor_plugin.hosts.reference.shell.wm_base_error import WmBaseError
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.shell.wl_seat import WlSeat
    from heapwire.compositor_plugin.hosts.reference.shell.xdg_positioner import XdgPositioner
    from heapwire.compositor_plugin.hosts.reference.shell.xdg_surface import XdgSurface


class XdgPopup(Resource):
    """A popup; `geometry` is where it is on its parent's window."""

    INTERFACE = interface_table("xdg_popup")
    VERSION = min(4, INTERFACE.version)

    def __init__(
        self, new_id: NewId, xdg_surface: XdgSurface, parent: XdgSurface | None, geometry: Rect
    ) -> None:
        super().__init__(new_id)
        self.xdg_surface: XdgSurface | None = xdg_surface
        self.parent = parent
        self.geometry = geometry
        self._next_geometry = geometry
        if parent is not None:
            parent.popups.append(self)

    def destroy(self) -> None:
        """Destroy it, after the popups on it."""
        if self.xdg_surface is not None and self.xdg_surface.popups:
            raise ViolationError(
                self.xdg_surface.wm_base,
                WmBaseError.NOT_THE_TOPMOST_POPUP,
                "there is a popup on this one",
            )
        self.destroy_resource()

    def grab(self, _seat: WlSeat, _serial: int) -> None:
        """There is no input to grab."""

    def reposition(self, positioner: XdgPositioner, token: int) -> None:
        """Go elsewhere."""
        self._next_geometry = positioner.geometry
        self.send("repositioned", token)
        self.send_configure()

    # What its xdg_surface calls.

    def send_configure(self) -> None:
        """Tell the client where the popup is."""
        xdg_surface = self.xdg_surface
        if xdg_surface is None:
            return
        if self.parent is None or self.parent.window is None:
            raise ViolationError(
                xdg_surface.wm_base, WmBaseError.INVALID_POPUP_PARENT, "the popup has no parent"
            )
        self.send("configure", *self._next_geometry)
        xdg_surface.configure(self._next_geometry)

    def before_commit(self) -> None:
        """A popup has no state of its own that a commit could contradict."""

    def acknowledged(self, state: object) -> None:
        """The client has committed to a place."""
        if isinstance(state, Rect):
            self.geometry = state

    def check_size(self, geometry: Rect) -> None:
        """A popup has any size."""

    def map(self) -> None:
        """The popup appears."""

    def unmap(self) -> None:
        """The popup disappears."""

    def parent_gone(self) -> None:
        """There is nothing left for it to be on."""
        self.send("popup_done")
        if self.parent is not None:
            self.parent.popups.remove(self)
            self.parent = None

    def window_inert(self) -> None:
        """The xdg_surface is gone."""
        self.xdg_surface = None

    def on_destroy(self) -> None:
        """The object is gone."""
        if self.parent is not None:
            self.parent.popups.remove(self)
            self.parent = None
        xdg_surface, self.xdg_surface = self.xdg_surface, None
        if xdg_surface is not None:
            xdg_surface.window_gone()
