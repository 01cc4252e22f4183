"""Drawing an output on the CPU.

Everything is sampled with the nearest neighbour: a picture that is shown at its
own size comes out bit by bit. Alpha is premultiplied, as Wayland has it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import numpy as np

from heapwire.compositor_plugin.hosts.reference.scene.buffer_hold import BufferContent
from heapwire.compositor_plugin.hosts.reference.scene.light import displayed
from heapwire.compositor_plugin.hosts.reference.scene.output import Output
from heapwire.compositor_plugin.hosts.reference.scene.pixels import Image, to_rgb
from heapwire.compositor_plugin.hosts.reference.scene.region import Rect
from heapwire.compositor_plugin.hosts.reference.scene.shown_windows import ShownWindow
from heapwire.compositor_plugin.hosts.reference.scene.surface_commit import Crop, Presenting
from heapwire.protocol import MachineError, NotPossibleError
from heapwire.protocol.late_tuples import NamedTuple

log = logging.getLogger(__name__)

_FLIPPED = 4  # wl_output.transform: from here on mirrored


class Layer(NamedTuple):
    """A buffer's content and where it is, in the coordinates that all outputs share."""

    content: BufferContent
    presenting: Presenting
    rect: Rect


def layers_of(output: Output, windows: Iterable[ShownWindow]) -> tuple[Layer, ...]:
    """What an output shows, from bottom to top."""
    layers: list[Layer] = []
    for window in windows:
        if window.fullscreen and window.output is output:
            layers.clear()  # it is on black
        for shown in window.visible_on(output):
            current = shown.surface.current
            if current.hold is not None:
                layers.append(Layer(current.hold.content, current.presenting, shown.rect))
    return tuple(layers)


def compose(output: Output, layers: Iterable[Layer]) -> Image:
    """The picture of an output, (height, width, 3)."""
    extent = output.mode.extent
    canvas = np.zeros((extent.height, extent.width, 4), np.uint8)
    canvas[..., 3] = 255
    for layer in layers:
        try:
            _draw(canvas, layer, output)
        except (MachineError, NotPossibleError) as error:
            log.warning("a picture cannot be drawn: %s", error)
    return to_rgb(canvas)


def visible_pixels(content: BufferContent, presenting: Presenting) -> Image:
    """The part of a buffer's picture that is shown, upright and at the buffer's resolution."""
    upright = untransformed(_read(content, presenting), presenting.transform)
    crop = presenting.crop
    if crop is None:
        return upright
    rows = _samples(_scaled(crop, presenting.scale)[1::2], None, upright.shape[0])
    columns = _samples(_scaled(crop, presenting.scale)[0::2], None, upright.shape[1])
    return upright[rows][:, columns]


def untransformed(image: Image, transform: int) -> Image:
    """Undo what a client says it has done to a picture: flipped, then turned to the left."""
    turned = np.rot90(image, -(transform % _FLIPPED))
    return np.fliplr(turned) if transform >= _FLIPPED else turned


def _draw(canvas: Image, layer: Layer, output: Output) -> None:
    presenting = layer.presenting
    source = untransformed(_read(layer.content, presenting), presenting.transform)
    scale = output.mode.scale
    whole = layer.rect.moved(-output.rect.x, -output.rect.y)
    target = Rect(*(value * scale for value in whole))
    shown = target.intersection(Rect(0, 0, canvas.shape[1], canvas.shape[0]))
    if not shown.area:
        return
    height, width = source.shape[:2]
    crop = presenting.crop
    left, top, across, down = (
        (0.0, 0.0, float(width), float(height)) if crop is None else _scaled(crop, presenting.scale)
    )
    columns = _samples((left, across), (target.x, target.width, shown.x, shown.width), width)
    rows = _samples((top, down), (target.y, target.height, shown.y, shown.height), height)
    drawn = source[rows][:, columns]
    below = canvas[shown.y : shown.bottom, shown.x : shown.right]
    if layer.content.has_alpha:
        _blend(below, drawn)
    else:
        below[..., :3] = drawn[..., :3]


def _read(content: BufferContent, presenting: Presenting) -> Image:
    """A buffer's picture in the colours and the light of the display."""
    return displayed(content.image(presenting.colour), presenting.light)


def _blend(below: Image, above: Image) -> None:
    """Put premultiplied pixels over others, rounding to nearest."""
    rest = 255 - above[..., 3:].astype(np.uint16)
    below_part = (below[..., :3] * rest + 127) // 255
    below[..., :3] = np.minimum(above[..., :3] + below_part, 255)


def _scaled(crop: Crop, scale: int) -> tuple[float, float, float, float]:
    return crop.x * scale, crop.y * scale, crop.width * scale, crop.height * scale


def _samples(
    source: tuple[float, ...], target: tuple[int, int, int, int] | None, limit: int
) -> slice | np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The rows or columns of the source that the target shows.

    `source` is start and length in the picture, `target` start and length of
    the whole and of the part that is shown; None: as many as there are.
    """
    start, length = source
    if target is None:
        first = int(start)
        return slice(first, max(first + 1, round(start + length)))
    begin, whole, first, count = target
    if start.is_integer() and length == whole:
        skip = int(start) + first - begin
        return slice(skip, skip + count)
    centres = (np.arange(first - begin, first - begin + count) + 0.5) * (length / whole) + start
    return np.clip(centres.astype(np.intp), 0, limit - 1)
