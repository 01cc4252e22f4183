"""A window that shows buffers: an xdg_toplevel, scaled and timed where the compositor can."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from pywayland.protocol.presentation_time import WpPresentation, WpPresentationFeedback
from pywayland.protocol.viewporter import WpViewporter
from pywayland.protocol.wayland import WlCompositor
from pywayland.protocol.xdg_shell import XdgWmBase
from pywayland.protocol_core.interface import Interface

from heapwire.client_lib.buffers.buffer import Buffer
from heapwire.client_lib.buffers.output_names import OutputNames
from heapwire.client_lib.buffers.surface_colours import SurfaceColours
from heapwire.client_lib.buffers.surface_light import Light, SurfaceLight
from heapwire.client_lib.buffers.surface_sync import SurfaceSync
from heapwire.client_lib.wayland import (
    DEFAULT_TIMEOUT,
    AnyProxy,
    CData,
    Connection,
    Handler,
    listen,
)
from heapwire.kernel.system import Owner
from heapwire.protocol import UsageError
from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.values import Colour, Extent

if TYPE_CHECKING:
    from pywayland.protocol.wayland import WlSurfaceProxy  # elsewhere in pywayland 0.4.18

_NANOSECONDS = 1_000_000_000
# wl_output.transform names what was done to the buffer; the compositor undoes it.
_TRANSFORMS = {0: 0, 90: 3, 180: 2, 270: 1}
_DAMAGE_BUFFER_VERSION = 4  # wl_surface.damage_buffer
_COMPOSITOR_VERSION = 6
_WM_BASE_VERSION = 6
_PRESENTATION_VERSION = 2  # from which on outputs whose rate varies have a refresh, too


class Presented(NamedTuple):
    """When a frame reached the screen, in seconds of `clock`, and how long one refresh is.

    Both are 0 where the compositor does not tell. `zero_copy` says that the
    display read the buffer itself; without it the compositor may not have told.
    """

    time: float
    refresh: float
    zero_copy: bool


def bare_surface(connection: Connection) -> WlSurfaceProxy:
    """A surface that is no window, to ask about where there is no xdg-shell."""
    compositor = _bind(connection, WlCompositor, 1, _COMPOSITOR_VERSION)
    surface: WlSurfaceProxy = compositor.create_surface()
    return surface


class Window(Owner):
    """One toplevel surface on a connection.

    `ready` says whether the compositor wants another frame; `close_requested`
    whether the user wants it gone; `mapped` whether it has shown anything;
    `fullscreen` what was asked for; `clock` is the id of the clock of presentation
    times, None where there are none. The compositor has `timeout` seconds for each
    answer until the window is configured. A context manager.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        title: str,
        app_id: str = "heapwire",
        fullscreen: bool = False,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        self.ready = True
        self.close_requested = False
        self.mapped = False
        self.fullscreen = False
        self.clock: int | None = None
        self._connection = connection
        self._configured = False
        self._bounds: Extent | None = None
        self._placed: tuple[Extent, Fraction, int, Extent | None] | None = None
        failed = connection.handler_failed
        globals_ = connection.globals(timeout=timeout)
        self._compositor = _bind(
            connection, WlCompositor, _DAMAGE_BUFFER_VERSION, _COMPOSITOR_VERSION
        )
        self._wm_base = _bind(connection, XdgWmBase, 1, _WM_BASE_VERSION)
        listen(self._wm_base, failed, {"ping": lambda serial: self._wm_base.pong(serial)})
        self.surface: WlSurfaceProxy = self._compositor.create_surface()
        self._outputs = OutputNames(connection, self.surface)
        self._viewporter: CData = None
        self._viewport: CData = None
        if WpViewporter.name in globals_:
            self._viewporter = _bind(connection, WpViewporter, 1, 1)
            self._viewport = self._viewporter.get_viewport(self.surface)
        self._presentation: CData = None
        if WpPresentation.name in globals_:
            self._presentation = _bind(connection, WpPresentation, 1, _PRESENTATION_VERSION)
            listen(self._presentation, failed, {"clock_id": self._clock_id})
        self._colours = SurfaceColours(connection, self.surface)
        self._light = SurfaceLight(connection, self.surface, timeout)
        self._sync: SurfaceSync | None = None
        self._wanted_sync: bool | None = None
        self._xdg_surface: CData = self._wm_base.get_xdg_surface(self.surface)
        listen(self._xdg_surface, failed, {"configure": self._configure})
        self._toplevel: CData = self._xdg_surface.get_toplevel()
        listen(
            self._toplevel,
            failed,
            {"configure": self._configure_toplevel, "close": self._close},
        )
        self._toplevel.set_title(title)
        self._toplevel.set_app_id(app_id)
        self.set_fullscreen(fullscreen)
        self.surface.commit()
        connection.on_close(self, self.close)
        connection.wait(lambda: self._configured, timeout=timeout, what="configure event")

    @property
    def covered(self) -> tuple[str, ...]:
        """The outputs that it fills, by name, or will when it is shown."""
        return self._outputs.names if self.fullscreen else ()

    def set_fullscreen(self, wanted: bool) -> None:
        """Ask for the whole screen, or to be a window again; the compositor may decline."""
        if wanted and not self.fullscreen:
            self._toplevel.set_fullscreen(None)
        elif self.fullscreen and not wanted:
            self._toplevel.unset_fullscreen()
        self.fullscreen = wanted

    def synchronise(self, *, simulated: bool | None) -> None:
        """Have buffers synchronised explicitly from the next `show` on, where that can be.

        They have to be dma-bufs then; None is for those that are not. `simulated` says whether
        their memory is: a compositor that has taken it takes timelines of that kind.
        """
        self._wanted_sync = simulated
        if simulated is None and self._sync is not None:
            self._sync.close()
            self._sync = None

    @property
    def explicit_sync(self) -> bool:
        """Whether points of timelines say when a buffer is released, and not `wl_buffer`."""
        return self._sync is not None

    @property
    def wakes(self) -> tuple[int, ...]:
        """Fds that become readable when a buffer is released; `heard` makes them unreadable."""
        return () if self._sync is None else (self._sync.wake,)

    @property
    def look(self) -> float | None:
        """Seconds after which buffers may have been released without a word; None if none may."""
        return None if self._sync is None else self._sync.look

    def heard(self) -> None:
        """What woke somebody by `wakes` has been seen to."""
        if self._sync is not None:
            self._sync.heard()

    def describe(self, light: Light | None) -> bool:
        """Say of which light the pictures are from the next `show` on, None for that of usual RGB.

        Before the first `show` it holds at once, so that what is planned for the window follows
        it. Returns whether the compositor can be told, who may have to answer first. Raises
        `NoAnswerError` if it does not.
        """
        changes = light != self._light.said
        told = self._light.tell(light)
        if changes and told and not self.mapped:
            self.surface.commit()
        return told

    def show(
        self,
        buffer: Buffer,
        extent: Extent,
        *,
        pixel_aspect: Fraction = Fraction(1),
        rotation: int = 0,
        colour: Colour | None = None,
        shown: Callable[[Presented | None], None],
    ) -> bool:
        """Put an imported buffer with a picture of `extent` on the surface.

        The picture is turned by `rotation` degrees counter-clockwise and scaled
        to the largest size of its shape that the compositor has given the
        window, where it can scale. `colour` is that of a buffer of YCbCr; returns whether
        the compositor can be told of it. The buffer is busy until the compositor
        releases it. `shown` is called once: with the time when the frame is on
        the screen, or None if another came before it. Raises `UsageError` for a buffer
        that has not been imported.
        """
        proxy = _imported(buffer)  # before any state of the surface is set
        self._place(extent, pixel_aspect, rotation)
        told = self._colours.tell(colour)
        self.surface.attach(proxy, 0, 0)
        self.surface.damage_buffer(0, 0, extent.width, extent.height)
        self._await_frame(shown)
        if self._presentation is not None:
            self._await_presentation(shown)
        buffer.busy = True
        if self._wanted_sync is not None and self._sync is None:
            self._sync = SurfaceSync.offered(
                self._connection, self.surface, simulated=self._wanted_sync
            )
            self._wanted_sync = None
        if self._sync is not None:
            self._sync.name_points(buffer)
        self.mapped = True
        self.ready = False
        self.surface.commit()
        return told

    def close(self) -> None:
        """Take the window off the screen and destroy its objects."""
        self._connection.forget(self)
        if self._connection.closed or self._toplevel.destroyed:
            return
        self._toplevel.destroy()
        self._xdg_surface.destroy()
        self._outputs.close()
        self._colours.close()
        self._light.close()
        if self._sync is not None:
            self._sync.close()
            self._sync = None
        for proxy in (self._viewport, self._viewporter, self._presentation):
            if proxy is not None:
                proxy.destroy()
        self.surface.destroy()
        self._wm_base.destroy()

    def _place(self, extent: Extent, pixel_aspect: Fraction, rotation: int) -> None:
        """Turn and scale what is shown from now on; the surface keeps that from frame to frame."""
        placed = (extent, pixel_aspect, rotation, self._bounds)
        if placed == self._placed:
            return
        self._placed = placed
        upright = extent
        if rotation in (90, 270):
            upright, pixel_aspect = Extent(extent.height, extent.width), 1 / pixel_aspect
        width, height = self._fit(upright, pixel_aspect)
        self.surface.set_buffer_transform(_TRANSFORMS[rotation])
        if self._viewport is not None:
            scaled = (width, height) != (upright.width, upright.height)
            self._viewport.set_destination(*((width, height) if scaled else (-1, -1)))
        region = self._compositor.create_region()
        region.add(0, 0, width, height)
        self.surface.set_opaque_region(region)
        region.destroy()

    def _fit(self, extent: Extent, pixel_aspect: Fraction) -> tuple[int, int]:
        """The size of the picture on the surface, in surface coordinates."""
        if self._viewport is None:
            return extent.width, extent.height
        width, height = extent.width * pixel_aspect, Fraction(extent.height)
        if self._bounds is not None:
            scale = min(self._bounds.width / width, self._bounds.height / height)
            width, height = width * scale, height * scale
        return max(1, round(width)), max(1, round(height))

    def _await_frame(self, shown: Callable[[Presented | None], None]) -> None:
        callback: AnyProxy = self.surface.frame()
        self._connection.keep(callback)

        def done(_time: int) -> None:
            self._connection.release(callback)
            self.ready = True
            if self._presentation is None:
                shown(Presented(0.0, 0.0, zero_copy=False))

        listen(callback, self._connection.handler_failed, {"done": done})

    def _await_presentation(self, shown: Callable[[Presented | None], None]) -> None:
        feedback: AnyProxy = self._presentation.feedback(self.surface)
        self._connection.keep(feedback)

        def presented(high: int, low: int, nanoseconds: int, refresh: int, *rest: int) -> None:
            self._connection.release(feedback)
            time = (high << 32 | low) + nanoseconds / _NANOSECONDS
            _, _, flags = rest  # behind the sequence number
            zero_copy = bool(flags & WpPresentationFeedback.kind.zero_copy)
            shown(Presented(time, refresh / _NANOSECONDS, zero_copy))

        def discarded() -> None:
            self._connection.release(feedback)
            shown(None)

        handlers: dict[str, Handler] = {"presented": presented, "discarded": discarded}
        listen(feedback, self._connection.handler_failed, handlers)

    def _clock_id(self, clock: int) -> None:
        self.clock = clock

    def _configure(self, serial: int) -> None:
        self._xdg_surface.ack_configure(serial)
        self._configured = True

    def _configure_toplevel(self, width: int, height: int, _states: bytes) -> None:
        self._bounds = Extent(width, height) if width > 0 and height > 0 else None

    def _close(self) -> None:
        self.close_requested = True


def _bind(connection: Connection, interface: type[Interface], minimum: int, maximum: int) -> CData:
    """A global's proxy, whose requests are methods that pywayland's own stubs do not tell."""
    return connection.bind(interface, minimum=minimum, maximum=maximum)[0]


def _imported(buffer: Buffer) -> CData:
    if buffer.proxy is None:
        raise UsageError("only an imported buffer can be shown")
    return buffer.proxy
