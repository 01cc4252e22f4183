"""An open card and its buffers: its own, imported ones, and the framebuffers made of them.

Nothing is shown, nothing needs a master, and nothing outlives the descriptor.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fcntl import ioctl as plain_ioctl

from heapwire.kernel.drm import drm_ioctls as drm
from heapwire.kernel.system import Ioctl, ioctl
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import INVALID

_PLANES = 4


@dataclass(frozen=True, slots=True)
class DumbBuffer:
    """A dumb buffer of an open card: its handle there, and its pitch and size in bytes."""

    handle: int
    pitch: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Framebuffer:
    """What a framebuffer is to be like: offset and pitch in bytes of each plane."""

    width: int
    height: int
    fourcc: int
    modifier: int
    planes: tuple[tuple[int, int], ...]


@contextmanager
def open_card(node: str, *, master: bool = False) -> Iterator[int]:
    """The descriptor of a card for the time of a block. Raises `OSError`.

    Whoever opens a card that has no master becomes it. That is given up at once, so that a
    compositor that starts now finds the card free; unless `master` asks to be it if it can.
    """
    fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)
    try:
        if not master:
            with suppress(OSError):  # somebody else is, or it is no card that can be shown on
                plain_ioctl(fd, drm.DROP_MASTER)
        yield fd
    finally:
        os.close(fd)


class Card:
    """The questions to an open card; `call` asks them of its kernel."""

    def __init__(self, fd: int, call: Ioctl = ioctl) -> None:
        self.fd = fd
        self.call = call

    def takes_modifiers(self) -> bool:
        """Whether a framebuffer can name its modifier."""
        request = bytearray(drm.CAP.pack(drm.CAP_ADDFB2_MODIFIERS, 0))
        try:
            self.call(self.fd, drm.GET_CAP, request)
        except OSError:
            return False
        return bool(drm.CAP.unpack(request)[1])

    def import_memory(self, dma_buf: int) -> int:
        """The handle of a dma-buf here, to be closed. Raises `OSError` where it is refused."""
        request = bytearray(drm.PRIME.pack(0, 0, dma_buf))
        self.call(self.fd, drm.FD_TO_HANDLE, request)
        handle: int = drm.PRIME.unpack(request)[0]
        return handle

    def export_memory(self, handle: int) -> int:
        """A dma-buf of a buffer of its own, which the caller owns. Raises `OSError`."""
        request = bytearray(drm.PRIME.pack(handle, os.O_RDWR | os.O_CLOEXEC, -1))
        self.call(self.fd, drm.HANDLE_TO_FD, request)
        fd: int = drm.PRIME.unpack(request)[2]
        return fd

    def close(self, handle: int) -> None:
        """Let go of what was imported."""
        with suppress(OSError):
            self.call(self.fd, drm.CLOSE, bytearray(drm.GEM_CLOSE.pack(handle, 0)))

    def create_dumb(self, *, width: int, height: int, bits: int) -> DumbBuffer:
        """Make a dumb buffer of so many pixels, each of so many bits. Raises `OSError`."""
        request = bytearray(drm.CREATE_DUMB.pack(height, width, bits, 0, 0, 0, 0))
        self.call(self.fd, drm.MAKE_DUMB, request)
        *_, handle, pitch, size = drm.CREATE_DUMB.unpack(request)
        return DumbBuffer(handle, pitch, size)

    def destroy_dumb(self, buffer: DumbBuffer) -> None:
        """Let go of it; a dma-buf made of it keeps its memory."""
        with suppress(OSError):  # the card is gone, and the buffer with it
            self.call(self.fd, drm.DESTROY_DUMB, bytearray(drm.ROOM.pack(buffer.handle)))

    @contextmanager
    def framebuffer(
        self, handles: Sequence[int], wanted: Framebuffer, *, modifiers: bool
    ) -> Iterator[int]:
        """A framebuffer for the time of a block, by its id. Raises `OSError` where it is refused.

        `handles` are those of the memory that each plane is in. Its modifier is named if there is
        one and `modifiers` says that it can be.
        """
        named = modifiers and wanted.modifier != INVALID
        used = len(wanted.planes)
        unused = (0,) * (_PLANES - used)
        request = bytearray(
            drm.FB_CMD2.pack(
                *(0, wanted.width, wanted.height, wanted.fourcc),
                drm.FB_MODIFIERS if named else 0,
                *(*handles, *unused),
                *(*(pitch for _, pitch in wanted.planes), *unused),
                *(*(offset for offset, _ in wanted.planes), *unused),
                *((wanted.modifier if named else 0,) * used + unused),
            )
        )
        self.call(self.fd, drm.ADD_FB2, request)
        made = request[: drm.ROOM.size]
        try:
            yield drm.ROOM.unpack(made)[0]
        finally:
            with suppress(OSError):
                self.call(self.fd, drm.RM_FB, made)
