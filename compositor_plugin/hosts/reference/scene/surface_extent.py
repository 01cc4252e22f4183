"""How large a surface is, from its buffer and how that is presented."""

from __future__ import annotations

from enum import IntEnum

from heapwire.compositor_plugin.hosts.reference.scene.surface_commit import Presenting
from heapwire.protocol import PeerError
from heapwire.protocol.values import MAX_EXTENT, Extent


class ViewportError(IntEnum):
    """The errors of `wp_viewport`."""

    BAD_VALUE = 0
    BAD_SIZE = 1
    OUT_OF_BUFFER = 2
    NO_SURFACE = 3


class SizeError(PeerError):
    """A buffer that does not go with the scale (`of_viewport` is False), or the viewport."""

    def __init__(self, message: str, code: ViewportError | None = None) -> None:
        super().__init__(message)
        self.of_viewport = code is not None
        self.code = code if code is not None else 0


def screen_extent(width: int, height: int) -> Extent:
    """A size on the screen; a viewport can stretch a surface beyond what buffers can have."""
    return Extent(min(width, MAX_EXTENT), min(height, MAX_EXTENT))


def logical_size(extent: Extent, presenting: Presenting) -> tuple[int, int]:
    """The buffer in surface coordinates, before the viewport; raises `SizeError`."""
    width, height = extent.width, extent.height
    if presenting.transform % 2:
        width, height = height, width
    if width % presenting.scale or height % presenting.scale:
        raise SizeError(f"{extent} is no multiple of the scale {presenting.scale}")
    return width // presenting.scale, height // presenting.scale


def surface_size(extent: Extent, presenting: Presenting) -> tuple[int, int]:
    """Width and height of the surface; raises `SizeError`."""
    width, height = logical_size(extent, presenting)
    crop = presenting.crop
    if crop is not None and (crop.x + crop.width > width or crop.y + crop.height > height):
        raise SizeError(
            f"the source {crop.width:g}x{crop.height:g} at {crop.x:g},{crop.y:g} is not within "
            f"{width}x{height}",
            ViewportError.OUT_OF_BUFFER,
        )
    if presenting.destination is not None:
        return presenting.destination
    if crop is not None:
        if crop.width % 1 or crop.height % 1:
            raise SizeError(
                f"without a destination the source {crop.width:g}x{crop.height:g} has to be whole",
                ViewportError.BAD_SIZE,
            )
        return int(crop.width), int(crop.height)
    return width, height
