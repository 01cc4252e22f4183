"""Dumb buffers: what a display's own driver allocates, for CPUs to draw and itself to show.

The one memory of which every display with such buffers takes every piece
(include/uapi/drm/drm_mode.h, "dumb buffers"; drivers/gpu/drm/drm_dumb_buffers.c).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fcntl import ioctl as plain_ioctl

from heapwire.kernel.memory.picture_shape import PictureShape
from heapwire.kernel.system import Ioctl, ioctl

# include/uapi/drm/drm.h and drm_mode.h
_CREATE = struct.Struct("=IIIIIIQ")  # height, width, bpp, flags; handle, pitch, size
_DESTROY = struct.Struct("=I")  # handle
_PRIME = struct.Struct("=IIi")  # handle, flags, fd
_IOCTL_CREATE_DUMB = 0xC02064B2
_IOCTL_DESTROY_DUMB = 0xC00464B4
_IOCTL_HANDLE_TO_FD = 0xC00C642D
_IOCTL_DROP_MASTER = 0x641F


@dataclass(frozen=True, slots=True)
class DumbBuffer:
    """A dumb buffer of an open card: its handle there, and its pitch and size in bytes."""

    handle: int
    pitch: int
    size: int


@contextmanager
def open_card(node: str) -> Iterator[int]:
    """The descriptor of a card for the time of a block, never its master. Raises `OSError`.

    Whoever opens a card that has no master becomes it; that is given up at once.
    """
    fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # somebody else is, or it is no card that can be shown on
            plain_ioctl(fd, _IOCTL_DROP_MASTER)
        yield fd
    finally:
        os.close(fd)


def create_dumb(
    card: int, *, width: int, height: int, bits: int, call: Ioctl = ioctl
) -> DumbBuffer:
    """Make one of so many pixels, each of so many bits. Raises `OSError`."""
    request = bytearray(_CREATE.pack(height, width, bits, 0, 0, 0, 0))
    call(card, _IOCTL_CREATE_DUMB, request)
    *_, handle, pitch, size = _CREATE.unpack(request)
    return DumbBuffer(handle, pitch, size)


def destroy_dumb(card: int, buffer: DumbBuffer, call: Ioctl = ioctl) -> None:
    """Let go of it; a dma-buf made of it keeps its memory."""
    with suppress(OSError):  # the card is gone, and the buffer with it
        call(card, _IOCTL_DESTROY_DUMB, bytearray(_DESTROY.pack(buffer.handle)))


def export_dumb(card: int, buffer: DumbBuffer, call: Ioctl = ioctl) -> int:
    """A dma-buf of it, which the caller owns. Raises `OSError`."""
    request = bytearray(_PRIME.pack(buffer.handle, os.O_RDWR | os.O_CLOEXEC, -1))
    call(card, _IOCTL_HANDLE_TO_FD, request)
    fd: int = _PRIME.unpack(request)[2]
    return fd


def allocate(node: str, shape: PictureShape, call: Ioctl = ioctl) -> tuple[int, DumbBuffer]:
    """A dma-buf of a card's own memory, which the caller owns. Raises `OSError`."""
    with open_card(node) as card:
        made = create_dumb(card, width=shape.width, height=shape.rows, bits=shape.bits, call=call)
        try:
            return export_dumb(card, made, call), made
        finally:
            destroy_dumb(card, made, call)
