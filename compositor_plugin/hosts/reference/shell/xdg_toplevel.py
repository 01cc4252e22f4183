"""`xdg_toplevel`: a window."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.hosts.reference.scene import Rect
from heapwire.compositor_plugin.hosts.reference.shell.wm_base_error import WmBaseError
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError
from heapwire.protocol.late_tuples import NamedTuple

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference import WlOutput
    from heapwire.compositor_plugin.hosts.reference.scene import Output
    from heapwire.compositor_plugin.hosts.reference.shell.wl_seat import WlSeat
    from heapwire.compositor_plugin.hosts.reference.shell.xdg_surface import XdgSurface

_MAXIMIZED, _FULLSCREEN, _ACTIVATED = 1, 2, 4  # xdg_toplevel.state
_LAST_EDGE = 10


class ToplevelError(IntEnum):
    """The errors of `xdg_toplevel`."""

    INVALID_RESIZE_EDGE = 0
    INVALID_PARENT = 1
    INVALID_SIZE = 2


class WindowState(NamedTuple):
    """What a window is configured to be; without a size it is the client's choice."""

    fullscreen: Output | None = None
    maximized: Output | None = None
    size: tuple[int, int] | None = None


class XdgToplevel(Resource):
    """A window; `state` is what it is, and `wanted` what it has been told to become."""

    INTERFACE = interface_table("xdg_toplevel")
    VERSION = min(4, INTERFACE.version)

    def __init__(self, new_id: NewId, xdg_surface: XdgSurface) -> None:
        super().__init__(new_id)
        self.xdg_surface: XdgSurface | None = xdg_surface
        self.state = WindowState()
        self.wanted = WindowState()
        self.position = (0, 0)
        self._parent: XdgToplevel | None = None
        self._minimum = (0, 0)
        self._maximum = (0, 0)
        xdg_surface.desktop.windows.append(self)

    @property
    def shown_state(self) -> WindowState:
        """What decides how it is shown: until it is mapped, what it has been told to be."""
        return self.state if self.xdg_surface and self.xdg_surface.mapped else self.wanted

    # Requests.

    def set_parent(self, parent: XdgToplevel | None) -> None:
        """Belong to another window."""
        ancestor = parent
        while ancestor is not None:
            if ancestor is self:
                raise ViolationError(
                    self, ToplevelError.INVALID_PARENT, "a window cannot be its own ancestor"
                )
            ancestor = ancestor._parent
        self._parent = parent

    def set_title(self, _title: str) -> None:
        """There is nowhere to show it."""

    def set_app_id(self, _app_id: str) -> None:
        """There is nobody to look for it."""

    def show_window_menu(self, _seat: WlSeat, _serial: int, _x: int, _y: int) -> None:
        """There is no menu."""

    def move(self, _seat: WlSeat, _serial: int) -> None:
        """There is no pointer to move it with."""

    def resize(self, _seat: WlSeat, _serial: int, edges: int) -> None:
        """There is no pointer to resize it with."""
        if edges > _LAST_EDGE or edges in (3, 7):
            raise ViolationError(self, ToplevelError.INVALID_RESIZE_EDGE, f"{edges} is no edge")

    def set_max_size(self, width: int, height: int) -> None:
        """Set the largest size that makes sense."""
        self._maximum = self._checked_size(width, height)

    def set_min_size(self, width: int, height: int) -> None:
        """Set the smallest size that makes sense."""
        self._minimum = self._checked_size(width, height)

    def set_maximized(self) -> None:
        """Ask to be as large as possible."""
        output = self._output()
        if output is not None:
            self._want(self.wanted._replace(maximized=output))

    def unset_maximized(self) -> None:
        """Ask to be a usual window."""
        self._want(self.wanted._replace(maximized=None))

    def set_fullscreen(self, wanted: WlOutput | None) -> None:
        """Ask for a whole output."""
        output = self._output()
        if wanted is not None and self.xdg_surface is not None:
            named = wanted.output
            output = named if named in self.xdg_surface.desktop.outputs else output
        if output is not None:
            self._want(self.wanted._replace(fullscreen=output))

    def unset_fullscreen(self) -> None:
        """Ask to be a window again."""
        self._want(self.wanted._replace(fullscreen=None))

    def set_minimized(self) -> None:
        """There is nothing to bring it back with, so it stays."""

    # What its xdg_surface calls.

    def send_configure(self) -> None:
        """Tell the client what the window is to be."""
        xdg_surface = self.xdg_surface
        if xdg_surface is None:
            return
        states = [_ACTIVATED]
        if self.wanted.maximized:
            states.append(_MAXIMIZED)
        if self.wanted.fullscreen:
            states.append(_FULLSCREEN)
        size = self.wanted.size or (0, 0)
        self.send("configure", *size, struct.pack(f"={len(states)}I", *states))
        xdg_surface.configure(self.wanted)

    def before_commit(self) -> None:
        """Refuse limits that contradict each other, now that both are known."""
        for least, most in zip(self._minimum, self._maximum, strict=True):
            if most and least > most:
                raise ViolationError(
                    self, ToplevelError.INVALID_SIZE, "the least size is above the largest"
                )

    def acknowledged(self, state: object) -> None:
        """The client has committed to a configuration."""
        if isinstance(state, WindowState) and (state := self._moved(state)) != self.state:
            self.state = state
            if state.fullscreen is not None and self.xdg_surface is not None:
                self.xdg_surface.desktop.raise_window(self)

    def check_size(self, geometry: Rect) -> None:
        """Refuse a window that is not what a maximised or fullscreen one has to be."""
        size, output = self.state.size, self.state.fullscreen or self.state.maximized
        if size is None or output is None or self.xdg_surface is None:
            return  # of a usual window it is only suggested
        width, height = size
        too_large = geometry.width > width or geometry.height > height
        wrong = (geometry.width, geometry.height) != size and not self.state.fullscreen
        if too_large or wrong:
            raise ViolationError(
                self.xdg_surface.wm_base,
                WmBaseError.INVALID_SURFACE_STATE,
                f"the window is {geometry.width}x{geometry.height} "
                f"and was configured to be {width}x{height}",
            )

    def suggest_size(self, width: int, height: int) -> None:
        """Have a usual window be of a size, which the client may decline; others stay."""
        if self.wanted.fullscreen is None and self.wanted.maximized is None:
            self.wanted = self.wanted._replace(size=(width, height))
            self.send_configure()

    def output_gone(self) -> None:
        """An output was unplugged: what it had for itself it has on another."""
        xdg_surface = self.xdg_surface
        if xdg_surface is None:
            return
        self.state = self._moved(self.state)
        wanted = self._moved(self.wanted)
        if wanted != self.wanted:
            self._want(wanted)
        geometry = xdg_surface.geometry
        place = Rect(*self.position, geometry.width, geometry.height)
        outputs = xdg_surface.desktop.outputs
        if xdg_surface.mapped and not any(place.intersection(one.rect).area for one in outputs):
            self.position = (outputs[0].rect.x, outputs[0].rect.y)

    def map(self) -> None:
        """The window appears."""
        if self.xdg_surface is not None:
            self.xdg_surface.desktop.place_window(self)

    def unmap(self) -> None:
        """The window disappears, and what it was told to be is forgotten."""
        self.state = self.wanted = WindowState()

    def window_inert(self) -> None:
        """The xdg_surface is gone."""
        if self.xdg_surface is not None:
            self.xdg_surface.desktop.remove_window(self)
            self.xdg_surface = None

    def on_destroy(self) -> None:
        """The object is gone."""
        xdg_surface = self.xdg_surface
        if xdg_surface is not None:
            xdg_surface.desktop.remove_window(self)  # which looks at it a last time
            self.xdg_surface = None
            for other in xdg_surface.desktop.windows:
                if other._parent is self:
                    other._parent = self._parent
            xdg_surface.window_gone()
        self._parent = None

    def _want(self, wanted: WindowState) -> None:
        output = wanted.fullscreen or wanted.maximized
        size = (output.rect.width, output.rect.height) if output is not None else None
        self.wanted = wanted._replace(size=size)
        xdg_surface = self.xdg_surface
        if xdg_surface is None:
            return
        if not xdg_surface.awaits_commit:
            self.send_configure()
        # Of one that is there, the state changes when it has followed.
        if not xdg_surface.mapped and xdg_surface.surface is not None:
            xdg_surface.desktop.unmapped_changed(xdg_surface.surface)

    def _moved(self, state: WindowState) -> WindowState:
        """A state that was told of outputs, some of which may be gone, with those that are there.

        The size stays: it is the client's to follow, once it has been told another.
        """
        if self.xdg_surface is None:
            return state
        outputs = self.xdg_surface.desktop.outputs
        return state._replace(
            fullscreen=state.fullscreen and _present(state.fullscreen, outputs),
            maximized=state.maximized and _present(state.maximized, outputs),
        )

    def _output(self) -> Output | None:
        return self.xdg_surface.desktop.output_of(self) if self.xdg_surface else None

    def _checked_size(self, width: int, height: int) -> tuple[int, int]:
        if width < 0 or height < 0:
            raise ViolationError(self, ToplevelError.INVALID_SIZE, f"{width}x{height} is no size")
        return width, height


def _present(output: Output, outputs: tuple[Output, ...]) -> Output:
    """An output, or the first that there is if it is gone."""
    return output if output in outputs else outputs[0]
