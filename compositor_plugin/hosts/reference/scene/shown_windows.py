"""What is where: windows, popups and subsurfaces, from bottom to top.

Coordinates are logical: those that all outputs share, before an output's scale.
Nothing here recurses, because clients decide how deep things are nested.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from heapwire.compositor_plugin.hosts.reference import WlSurface
from heapwire.compositor_plugin.hosts.reference.scene.output import Output
from heapwire.compositor_plugin.hosts.reference.scene.region import Rect
from heapwire.compositor_plugin.hosts.reference.shell import XdgSurface, XdgToplevel
from heapwire.protocol.late_dataclasses import dataclass

_STEP = 32  # logical pixels between the windows of a cascade
_PLACES = 8


@dataclass(frozen=True, slots=True)
class ShownSurface:
    """A surface that is on the screen, and where."""

    surface: WlSurface
    rect: Rect


@dataclass(frozen=True, slots=True)
class ShownWindow:
    """A window that is on the screen and everything that belongs to it, bottom to top.

    `output` is the one that it is synchronised to; `fullscreen` says whether it
    has that output for itself, on black.
    """

    window: XdgToplevel
    root: WlSurface
    output: Output
    fullscreen: bool
    surfaces: tuple[ShownSurface, ...]

    def visible_on(self, output: Output) -> Iterator[ShownSurface]:
        """Its surfaces that an output shows a part of, bottom to top, found as asked for."""
        return (shown for shown in self.surfaces if shown.rect.intersection(output.rect).area)


def shown_windows(windows: Sequence[XdgToplevel], outputs: Sequence[Output]) -> list[ShownWindow]:
    """All windows that are mapped, from bottom to top."""
    shown = []
    for window in windows:
        xdg_surface = window.xdg_surface
        if xdg_surface is None or xdg_surface.surface is None or not xdg_surface.mapped:
            continue
        x, y = origin(window, xdg_surface)
        shown.append(
            ShownWindow(
                window=window,
                root=xdg_surface.surface,
                output=main_output(window, outputs),
                fullscreen=window.state.fullscreen is not None,
                surfaces=tuple(_surfaces_of_window(xdg_surface, x, y)),
            )
        )
    return shown


def main_output(window: XdgToplevel, outputs: Sequence[Output]) -> Output:
    """The output that shows most of a window; the first, where none does."""
    state = window.shown_state
    if state.fullscreen is not None or state.maximized is not None:
        return state.fullscreen or state.maximized or outputs[0]
    size = window.xdg_surface.geometry if window.xdg_surface else Rect(0, 0, 0, 0)
    rect = Rect(*window.position, size.width, size.height)
    return max(outputs, key=lambda output: output.rect.intersection(rect).area)


def window_of(surface: WlSurface) -> XdgToplevel | None:
    """The window that a surface is part of, popups left aside."""
    root = surface
    while root.parent is not None:
        root = root.parent
    window = root.role.window if isinstance(root.role, XdgSurface) else None
    return window if isinstance(window, XdgToplevel) and window.xdg_surface is not None else None


def origin(window: XdgToplevel, xdg_surface: XdgSurface) -> tuple[int, int]:
    """Where the upper left corner of the window's geometry is."""
    output = window.state.fullscreen or window.state.maximized
    if output is None:
        return window.position
    geometry, whole = xdg_surface.geometry, output.rect
    return (
        whole.x + (whole.width - geometry.width) // 2,
        whole.y + (whole.height - geometry.height) // 2,
    )


def cascade(number: int, output: Output, window: Rect) -> tuple[int, int]:
    """Where the window of a number goes: each a step further, all on the output if they fit."""
    step = _STEP * (number % _PLACES)
    room = output.rect
    return (
        room.x + max(0, min(step, room.width - window.width)),
        room.y + max(0, min(step, room.height - window.height)),
    )


def _with_subsurfaces(surface: WlSurface, x: int, y: int) -> Iterator[ShownSurface]:
    """A surface and its subsurfaces, those below it first."""
    waiting = [(surface, x, y, False)]
    while waiting:
        visited, left, top, itself = waiting.pop()
        if visited.size is None:
            continue  # and with it all that is on it
        if itself:
            yield ShownSurface(visited, Rect(left, top, *visited.size))
            continue
        # The last one put there is taken first: so the top of the stack goes in first.
        for member in reversed(visited.stack):
            if member is visited:
                waiting.append((visited, left, top, True))
            elif member.subsurface is not None:
                across, down = member.subsurface.position
                waiting.append((member, left + across, top + down, False))


def _surfaces_of_window(xdg_surface: XdgSurface, x: int, y: int) -> Iterator[ShownSurface]:
    waiting = [(xdg_surface, x, y)]
    while waiting:
        part, left, top = waiting.pop()
        if part.surface is None or not part.mapped:
            continue
        geometry = part.geometry
        yield from _with_subsurfaces(part.surface, left - geometry.x, top - geometry.y)
        for popup in reversed(part.popups):
            if popup.xdg_surface is not None:
                waiting.append((popup.xdg_surface, left + popup.geometry.x, top + popup.geometry.y))
