"""The content of a dma-buf: its planes, and the one owner of their file descriptors."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np

from heapwire.compositor_plugin import StatusReason
from heapwire.compositor_plugin.hosts.reference.dmabuf.buffer_attributes import BufferAttributes
from heapwire.compositor_plugin.hosts.reference.dmabuf.object_memory import ObjectMemory
from heapwire.compositor_plugin.hosts.reference.scene import Colours, Image, PlaneBytes, read_image
from heapwire.protocol.values import FORMATS, TILINGS, Colour, Extent


class DmabufContent:
    """An imported buffer. The objects close their fds when it is let go of.

    `taken_by_display` says that its driver took just this buffer when it was asked.
    `verdicts` remembers what the display says of it, by its transform and colour. What is not
    `readable` is protected from whoever would draw it, and drawn as black.
    """

    __slots__ = ("__weakref__", "attributes", "objects", "readable", "taken_by_display", "verdicts")

    def __init__(
        self,
        attributes: BufferAttributes,
        objects: Sequence[ObjectMemory],
        *,
        readable: bool = True,
    ) -> None:
        self.attributes = attributes
        self.readable = readable
        self.objects = tuple(objects)
        self.taken_by_display = False
        self.verdicts: dict[tuple[int, Colour | None], StatusReason] = {}

    @property
    def extent(self) -> Extent:
        """Its size in pixels."""
        return self.attributes.extent

    @property
    def fourcc(self) -> int:
        """Its pixel format."""
        return self.attributes.format.fourcc

    @property
    def has_alpha(self) -> bool:
        """Whether the format has alpha."""
        pixel_format = FORMATS.get(self.fourcc)
        return pixel_format is None or pixel_format.has_alpha

    def image(self, colour: Colour | None = None) -> Image:
        """The pixels as they are now; what a client has cut off is zero."""
        if not self.readable:
            return _black(self.extent)
        with ExitStack() as stack:
            data = [
                stack.enter_context(memory.bytes(length))
                for memory, length in zip(self.objects, self._lengths(), strict=True)
            ]
            planes = [
                PlaneBytes(data[plane.object], plane.offset, plane.pitch)
                for plane in self.attributes.planes
            ]
            image = read_image(
                planes,
                self.fourcc,
                self.extent.width,
                self.extent.height,
                modifier=self.attributes.format.modifier,
                colours=Colours(*colour or ()),
            )
            del planes
            data.clear()
            return image

    def _lengths(self) -> list[int]:
        """How much of each object has pixels in it, in bytes."""
        lengths = [1] * len(self.objects)
        shapes = FORMATS[self.fourcc].planes
        tiling = TILINGS.get(self.attributes.format.modifier)
        for plane, shape in zip(self.attributes.planes, shapes, strict=True):
            rows = shape.rows(self.extent.height)
            end = plane.offset + plane.pitch * (rows - 1) + shape.row_bytes(self.extent.width)
            whole = 1 if tiling is None else tiling.size_of(shape)[1]
            if whole > 1:  # the last tiles are
                end = plane.offset + plane.pitch * -(-rows // whole) * whole
            lengths[plane.object] = max(lengths[plane.object], end)
        return lengths


def _black(extent: Extent) -> Image:
    """A picture of nothing, opaque."""
    image = np.zeros((extent.height, extent.width, 4), np.uint8)
    image[..., 3] = 255
    return image
