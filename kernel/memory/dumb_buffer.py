"""Dumb buffers: what a display's own driver allocates, for CPUs to draw and itself to show.

The one memory of which every display with such buffers takes every piece
(include/uapi/drm/drm_mode.h, "dumb buffers"; drivers/gpu/drm/drm_dumb_buffers.c).
"""

from __future__ import annotations

from heapwire.kernel.drm import Card, DumbBuffer, open_card
from heapwire.kernel.memory.picture_shape import PictureShape
from heapwire.kernel.system import Ioctl, ioctl


def allocate(node: str, shape: PictureShape, call: Ioctl = ioctl) -> tuple[int, DumbBuffer]:
    """A dma-buf of a card's own memory, which the caller owns. Raises `OSError`."""
    with open_card(node) as fd:
        card = Card(fd, call)
        made = card.create_dumb(width=shape.width, height=shape.rows, bits=shape.bits)
        try:
            return card.export_memory(made.handle), made
        finally:
            card.destroy_dumb(made)
