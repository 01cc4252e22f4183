"""What is scanned out and what is composited, and why.

An output can scan out one surface: the topmost window, if it is fullscreen
there, opaque, and nothing else of it is to be seen. The plane may scale and
crop; it rotates if its constraint sets say so, and scales as far as they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice

from heapwire.compositor_plugin import StatusReason
from heapwire.compositor_plugin.hosts.reference import WlSurface
from heapwire.compositor_plugin.hosts.reference.dmabuf import BufferCheck, DmabufContent
from heapwire.compositor_plugin.hosts.reference.scene.output import Output
from heapwire.compositor_plugin.hosts.reference.scene.shown_windows import ShownWindow
from heapwire.kernel.description import Platform
from heapwire.protocol.values import Extent, Usage

_FLIPPED = 4  # wl_output.transform: from here on mirrored


class ScanoutCheck:
    """The platform's display: its first device that scans out, if it has one."""

    def __init__(self, platform: Platform) -> None:
        self._check = BufferCheck(platform, Usage.SCANOUT)
        self.device = self._check.device.id if self._check.device is not None else None

    def reason(
        self, surface: WlSurface, output: Output, windows: Sequence[ShownWindow]
    ) -> StatusReason:
        """NONE if the surface's buffer is scanned out on the output, else why it is not."""
        if scanout_candidate(output, windows) is not surface:
            return StatusReason.NOT_A_CANDIDATE
        if self.device is None:
            return StatusReason.NO_PLANE
        hold = surface.current.hold
        if hold is None or not isinstance(hold.content, DmabufContent):
            return StatusReason.MEMORY
        transform, colour = surface.current.presenting.transform, surface.current.presenting.colour
        light = surface.current.presenting.light
        if transform >= _FLIPPED or not (light is None or light.as_displayed):
            return StatusReason.TRANSFORM
        content = hold.content
        reason = content.verdicts.get((transform, colour))
        if reason is None:
            reason = content.verdicts[transform, colour] = self._check.reason(
                content.attributes,
                tuple(memory.size for memory in content.objects),
                rotation=-90 * transform % 360,
                colour=colour,
                taken=tuple(memory.scattered for memory in content.objects)
                if content.taken_by_display
                else None,
            )
        if reason is StatusReason.NONE and not self._check.scales(
            content.attributes.format, _ratios(surface, content.extent, output)
        ):
            return StatusReason.TRANSFORM
        return reason

    def scales(self, surface: WlSurface, output: Output) -> bool:
        """Whether the display scales some format as the surface's viewport wants it."""
        extent = Extent(1, 1)  # of a cropped surface the crop counts
        return self._check.scales(None, _ratios(surface, extent, output))


def _ratios(surface: WlSurface, extent: Extent, output: Output) -> tuple[Fraction, ...]:
    """How many times as large as on the screen the picture is, across and down."""
    presenting, shown = surface.current.presenting, surface.size
    if shown is None:
        return ()
    width, height = extent.width, extent.height
    across: tuple[float, float] = (width, height)
    if presenting.crop is not None:
        crop = presenting.crop
        across = crop.width * presenting.scale, crop.height * presenting.scale
    elif presenting.transform % 2:
        across = height, width
    scale = output.mode.scale
    return tuple(
        Fraction(picture) / (pixels * scale) for picture, pixels in zip(across, shown, strict=True)
    )


def scanout_candidate(output: Output, windows: Sequence[ShownWindow]) -> WlSurface | None:
    """The surface that an output could scan out if its buffer suited the plane."""
    # Asked for every surface of every refresh: it looks no further than it must.
    on_top = next((window for window in reversed(windows) if any(window.visible_on(output))), None)
    if on_top is None or not on_top.fullscreen or on_top.output is not output:
        return None
    visible = list(islice(on_top.visible_on(output), 2))
    if len(visible) != 1 or visible[0].surface is not on_top.root:
        return None
    return on_top.root if is_opaque(on_top.root) else None


def is_opaque(surface: WlSurface) -> bool:
    """Whether nothing shines through a surface."""
    hold = surface.current.hold
    if hold is None:
        return False
    return not hold.content.has_alpha or surface.current.presenting.opaque.covers(surface.bounds())
