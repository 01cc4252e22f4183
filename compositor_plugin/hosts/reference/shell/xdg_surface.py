"""`xdg_surface`: what toplevels and popups have in common: configure, acknowledge, commit."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from heapwire.compositor_plugin.hosts.reference import WlSurface, interface_table
from heapwire.compositor_plugin.hosts.reference.scene import Rect
from heapwire.compositor_plugin.hosts.reference.shell.wm_base_error import WmBaseError
from heapwire.compositor_plugin.hosts.reference.shell.xdg_popup import XdgPopup
from heapwire.compositor_plugin.hosts.reference.shell.xdg_toplevel import XdgToplevel
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.scene import Desktop
    from heapwire.compositor_plugin.hosts.reference.shell.xdg_positioner import XdgPositioner
    from heapwire.compositor_plugin.hosts.reference.shell.xdg_wm_base import XdgWmBase

Window: TypeAlias = XdgToplevel | XdgPopup

_MAX_CONFIGURES = 64  # unacknowledged ones that are remembered


class XdgSurfaceError(IntEnum):
    """The errors of `xdg_surface`."""

    NOT_CONSTRUCTED = 1
    ALREADY_CONSTRUCTED = 2
    UNCONFIGURED_BUFFER = 3
    INVALID_SERIAL = 4
    INVALID_SIZE = 5
    DEFUNCT_ROLE_OBJECT = 6


class XdgSurface(Resource):
    """The part of a window that goes for all kinds of windows.

    `mapped` says whether it is on the screen. `geometry` is the window without
    shadows, in surface coordinates.
    """

    INTERFACE = interface_table("xdg_surface")
    VERSION = min(4, INTERFACE.version)

    def __init__(
        self, new_id: NewId, wm_base: XdgWmBase, surface: WlSurface, desktop: Desktop
    ) -> None:
        super().__init__(new_id)
        self.surface: WlSurface | None = surface
        self.desktop = desktop
        self.window: Window | None = None
        self.mapped = False
        self.popups: list[XdgPopup] = []
        self.wm_base = wm_base
        self._geometry: Rect | None = None
        self._next_geometry: Rect | None = None
        self._unacknowledged: list[tuple[int, object]] = []
        self._acknowledged: object | None = None
        self._configured = False
        self._initial = True
        wm_base.surfaces.add(self)
        surface.take_role(self, surface.role_name or "xdg_surface")

    @property
    def geometry(self) -> Rect:
        """The window in surface coordinates."""
        if self.surface is None:
            return Rect(0, 0, 0, 0)
        if self._geometry is None:
            return self.surface.bounds()
        return self._geometry

    # Requests.

    def destroy(self) -> None:
        """Destroy it, after its role object."""
        if self.window is not None:
            raise ViolationError(
                self, XdgSurfaceError.DEFUNCT_ROLE_OBJECT, "the role object is still there"
            )
        self.destroy_resource()

    def get_toplevel(self, new_id: NewId) -> None:
        """Be a toplevel."""
        self._check_free("xdg_toplevel")
        self.window = XdgToplevel(new_id, self)
        self._named("xdg_toplevel")

    def get_popup(
        self, new_id: NewId, parent: XdgSurface | None, positioner: XdgPositioner
    ) -> None:
        """Be a popup."""
        self._check_free("xdg_popup")
        if not positioner.complete:
            raise ViolationError(
                self.wm_base,
                WmBaseError.INVALID_POSITIONER,
                "the positioner has no size or no anchor rectangle",
            )
        self.window = XdgPopup(new_id, self, parent, positioner.geometry)
        self._named("xdg_popup")

    def set_window_geometry(self, x: int, y: int, width: int, height: int) -> None:
        """Set the window without its shadows."""
        self._check_constructed()
        if width <= 0 or height <= 0:
            raise ViolationError(self, XdgSurfaceError.INVALID_SIZE, f"{width}x{height} is no size")
        self._next_geometry = Rect(x, y, width, height)

    def ack_configure(self, serial: int) -> None:
        """The next commit is to a configure event."""
        self._check_constructed()
        serials = [sent for sent, _ in self._unacknowledged]
        if serial not in serials:
            raise ViolationError(
                self, XdgSurfaceError.INVALID_SERIAL, f"there was no configure {serial}"
            )
        position = serials.index(serial)
        self._acknowledged = self._unacknowledged[position][1]
        del self._unacknowledged[: position + 1]
        self._configured = True

    # What the role objects call.

    def configure(self, state: object) -> None:
        """End a configure sequence; `state` comes back when the client has committed to it."""
        serial = self.desktop.display.next_serial()
        self._unacknowledged.append((serial, state))
        del self._unacknowledged[:-_MAX_CONFIGURES]
        self.send("configure", serial)

    @property
    def awaits_commit(self) -> bool:
        """Whether the client has not made its initial commit yet."""
        return self._initial

    def window_gone(self) -> None:
        """The role object was destroyed."""
        self.window = None
        self._unmap()
        self.desktop.scene_changed()

    # What the surface calls.

    def before_commit(self) -> None:
        """Refuse a commit that the protocol does not allow."""
        surface = self.surface
        if surface is None:
            return
        if self.window is None:
            if surface.attaching:
                raise ViolationError(
                    self, XdgSurfaceError.NOT_CONSTRUCTED, "the surface has no role object yet"
                )
            return
        if surface.attaching and not self._configured:
            raise ViolationError(
                self,
                XdgSurfaceError.UNCONFIGURED_BUFFER,
                "a buffer before the first configure was acknowledged",
            )
        self.window.before_commit()

    def committed(self) -> None:
        """The surface's new state is in effect."""
        if self.window is not None and self.surface is not None:
            geometry, self._next_geometry = self._next_geometry, None
            acknowledged, self._acknowledged = self._acknowledged, None
            self._take_effect(geometry, acknowledged)

    def set_aside(self) -> Callable[[], None]:
        """Take out what is pending; what is returned has it take effect."""
        geometry, self._next_geometry = self._next_geometry, None
        acknowledged, self._acknowledged = self._acknowledged, None
        return partial(self._take_effect, geometry, acknowledged)

    def _take_effect(self, geometry: Rect | None, acknowledged: object | None) -> None:
        window, surface = self.window, self.surface
        if window is None or surface is None:
            return
        if geometry is not None:
            self._geometry = geometry
        if acknowledged is not None:
            window.acknowledged(acknowledged)
        if surface.size is not None:
            window.check_size(self.geometry)
            if not self.mapped:
                self.mapped = True
                window.map()
        elif self.mapped:
            self._unmap()
        elif self._initial:
            self._initial = False
            window.send_configure()
        else:
            self.desktop.unmapped_changed(surface)

    def surface_gone(self) -> None:
        """The surface was destroyed before its role (which a client may do up to version 5)."""
        self._unmap()
        self.surface = None

    def on_destroy(self) -> None:
        """The object is gone."""
        self.wm_base.surfaces.discard(self)
        self._unmap()
        if self.window is not None:
            self.window.window_inert()
            self.window = None
        for popup in tuple(self.popups):
            popup.parent_gone()
        if self.surface is not None:
            self.surface.lose_role()
            self.surface = None

    def _unmap(self) -> None:
        """Be as if nothing had been committed yet."""
        if self.mapped:
            self.mapped = False
            if self.window is not None:
                self.window.unmap()
        self._initial = True
        self._configured = False
        self._geometry = self._next_geometry = None
        self._unacknowledged.clear()
        self._acknowledged = None

    def _named(self, name: str) -> None:
        if self.surface is not None:
            self.surface.role_name = name

    def _check_free(self, name: str) -> None:
        if self.window is not None:
            raise ViolationError(
                self, XdgSurfaceError.ALREADY_CONSTRUCTED, "there is a role object already"
            )
        role = self.surface.role_name if self.surface is not None else None
        if role not in (None, "xdg_surface", name):
            raise ViolationError(self.wm_base, WmBaseError.ROLE, f"the surface is already {role}")

    def _check_constructed(self) -> None:
        if self.window is None:
            raise ViolationError(
                self, XdgSurfaceError.NOT_CONSTRUCTED, "the surface has no role object yet"
            )
