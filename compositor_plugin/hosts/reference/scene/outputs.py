"""The outputs that there are: side by side, and each may be unplugged while another stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference.scene.output import Output, OutputMode
from heapwire.compositor_plugin.hosts.reference.scene.region import Rect
from heapwire.compositor_plugin.server import EventLoop
from heapwire.protocol import UsageError

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference import WlSurface


class Outputs:
    """All outputs, in the order in which they came; `tick` is called with each that refreshes.

    Raises `UsageError` if there is none to begin with, or two of one name.
    """

    def __init__(
        self, modes: Sequence[OutputMode], loop: EventLoop, tick: Callable[[Output], None]
    ) -> None:
        self._loop = loop
        self._tick = tick
        self.now: tuple[Output, ...] = ()
        for mode in modes:
            self.plug(mode)

    def plug(self, mode: OutputMode) -> Output:
        """Another output, in the leftmost place that it fits into."""
        if any(output.name == mode.name for output in self.now):
            raise UsageError(f"there is an output {mode.name} already")
        x = 0
        for rect in sorted((output.rect for output in self.now), key=lambda rect: rect.x):
            if rect.x - x >= -(-mode.extent.width // mode.scale):
                break
            x = rect.x + rect.width
        output = Output(mode, x, self._loop, self._tick)
        self.now = (*self.now, output)
        return output

    def unplug(self, output: Output) -> None:
        """One is gone, and what it showed is given back; `UsageError` for the last."""
        others = tuple(other for other in self.now if other is not output)
        if not others:
            raise UsageError("the last output cannot be unplugged")
        self.now = others
        output.close()

    def named(self, name: str | None) -> Output:
        """The output of a name, the first for None; raises `UsageError` if there is none."""
        for output in self.now:
            if name in (None, output.name):
                return output
        names = ", ".join(output.name for output in self.now)
        raise UsageError(f"there is no output {name}: there is {names}")

    def enter(self, surface: WlSurface, rect: Rect | None) -> None:
        """Tell a surface which outputs it has come to and left; `rect` is where it is now."""
        now = tuple(
            output
            for output in self.now
            if rect is not None and rect.intersection(output.rect).area
        )
        if now == surface.outputs:
            return
        before, surface.outputs = surface.outputs, now
        for output in before:
            if output not in now:
                _tell(surface, "leave", output)
        for output in now:
            if output not in before:
                _tell(surface, "enter", output)

    def leave(self, surfaces: Iterable[WlSurface], gone: Output) -> None:
        """Tell surfaces that an output is none of theirs any more."""
        for surface in surfaces:
            if gone in surface.outputs:
                surface.outputs = tuple(one for one in surface.outputs if one is not gone)
                _tell(surface, "leave", gone)

    def close(self) -> None:
        """Stop all of them."""
        for output in self.now:
            output.close()

    def __iter__(self) -> Iterator[Output]:
        return iter(self.now)


def _tell(surface: WlSurface, event: str, output: Output) -> None:
    for resource in output.resources_of(surface.client):
        surface.send(event, resource)
