"""`xdg_wm_base`: makes windows of surfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference import WlSurface, interface_table
from heapwire.compositor_plugin.hosts.reference.shell.wm_base_error import WmBaseError
from heapwire.compositor_plugin.hosts.reference.shell.xdg_positioner import XdgPositioner
from heapwire.compositor_plugin.hosts.reference.shell.xdg_surface import XdgSurface
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.scene import Desktop


class XdgWmBase(Resource):
    """The bound global.

    Clients that bind whatever version is on offer, weston-presentation-shm for
    one, end at an event that they have no listener for; version 5 makes
    xdg_toplevel.wm_capabilities a duty, so this stops at 4, whose
    configure_bounds need not be sent.
    """

    INTERFACE = interface_table("xdg_wm_base")
    VERSION = min(4, INTERFACE.version)

    def __init__(self, new_id: NewId, desktop: Desktop) -> None:
        super().__init__(new_id)
        self._desktop = desktop
        self.surfaces: set[XdgSurface] = set()

    def destroy(self) -> None:
        """Destroy it, after everything that was made with it."""
        if self.surfaces:
            raise ViolationError(
                self, WmBaseError.DEFUNCT_SURFACES, "there are surfaces left that it made"
            )
        self.destroy_resource()

    def create_positioner(self, new_id: NewId) -> None:
        """Make a positioner."""
        XdgPositioner(new_id)

    def get_xdg_surface(self, new_id: NewId, surface: WlSurface) -> None:
        """Make a window of a surface that has no role and no buffer."""
        role = surface.role_name or "xdg_surface"
        if surface.role is not None or not role.startswith("xdg_"):
            raise ViolationError(
                self, WmBaseError.ROLE, f"the surface is already {surface.role_name}"
            )
        if surface.has_buffer:
            raise ViolationError(
                self, WmBaseError.INVALID_SURFACE_STATE, "the surface has a buffer already"
            )
        XdgSurface(new_id, self, surface, self._desktop)

    def pong(self, _serial: int) -> None:
        """The client is alive."""
