"""The least of a window that a case needs to have a buffer shown."""

from __future__ import annotations

from heapwire.client_lib.compliance.probe import HEIGHT, WIDTH, Probe
from heapwire.client_lib.compliance.verdict import DeviationError
from heapwire.client_lib.compliance.wire_connection import WireObject

_EVERYTHING = 2**31 - 1


class ProbeWindow:
    """A toplevel: configured, unless a case is about that; `surface` is its `wl_surface`."""

    def __init__(self, probe: Probe, *, configure: bool = True) -> None:
        self._connection = probe.connection
        self._probe = probe
        compositor = probe.bind("wl_compositor", 1)
        base = probe.bind("xdg_wm_base", 1)
        self.surface = self._made(compositor, "create_surface", "wl_surface")
        self.xdg_surface = self._made(base, "get_xdg_surface", "xdg_surface", self.surface)
        self.toplevel = self._made(self.xdg_surface, "get_toplevel", "xdg_toplevel")
        if configure:
            self._connection.request(self.surface, "commit")
            self.acknowledge()

    def acknowledge(self, known: int = 0) -> None:
        """Acknowledge the last configure, once there is one beyond those that are known."""
        xdg_surface = self.xdg_surface
        if not self._connection.wait(
            lambda: len(self._connection.of(xdg_surface, "configure")) > known,
            "xdg_surface.configure",
        ):
            raise DeviationError(expected="xdg_surface.configure", seen=self._probe.ending())
        serial = self._connection.of(xdg_surface, "configure")[-1].number(0)
        self._connection.request(xdg_surface, "ack_configure", serial)

    @property
    def size(self) -> tuple[int, int]:
        """The size that the last configure asks for; that of the cases where it asks for none."""
        told = self._connection.of(self.toplevel, "configure")
        width, height = (told[-1].number(0), told[-1].number(1)) if told else (0, 0)
        return width or WIDTH, height or HEIGHT

    def be_fullscreen(self, fullscreen: bool) -> None:
        """Ask to be fullscreen, or no longer, and acknowledge the configure that this gets."""
        known = len(self._connection.of(self.xdg_surface, "configure"))
        if fullscreen:
            self._connection.request(self.toplevel, "set_fullscreen", None)
        else:
            self._connection.request(self.toplevel, "unset_fullscreen")
        self.acknowledge(known)

    def show(self, buffer: WireObject) -> None:
        """Attach a buffer, and commit."""
        self._connection.request(self.surface, "attach", buffer, 0, 0)
        self._connection.request(self.surface, "damage", 0, 0, _EVERYTHING, _EVERYTHING)
        self._connection.request(self.surface, "commit")

    def present(self, buffer: WireObject) -> None:
        """Show a buffer, and wait for the frame: what changes when it is shown has changed by then.

        Raises `DeviationError` if the compositor ended the connection instead.
        """
        callback = self._made(self.surface, "frame", "wl_callback")
        self.show(buffer)
        connection = self._connection
        if not connection.wait(lambda: connection.of(callback), "wl_callback.done of a frame"):
            raise DeviationError(expected="a frame", seen=self._probe.ending())

    def _made(
        self, of: WireObject, request: str, interface: str, *values: WireObject
    ) -> WireObject:
        made = self._connection.new(interface)
        self._connection.request(of, request, made, *values)
        return made
