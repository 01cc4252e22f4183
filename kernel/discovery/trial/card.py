"""An open card, and what is asked of it to learn what its driver takes.

Nothing is shown, nothing needs a master, and nothing outlives the descriptor.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass

from heapwire.kernel.system import Ioctl, ioctl
from heapwire.protocol.values import INVALID

# include/uapi/drm/drm.h and drm_mode.h
_CAP = struct.Struct("=QQ")  # capability, value
_GEM_CLOSE = struct.Struct("=II")  # handle
_PRIME = struct.Struct("=IIi")  # handle, flags, fd
_ADD_FB2 = struct.Struct("=5I4I4I4I4x4Q")  # id, size, format, flags; by plane, and the modifiers
_RM_FB = struct.Struct("=I")
_IOCTL_GET_CAP = 0xC010640C
_IOCTL_GEM_CLOSE = 0x40086409
_IOCTL_FD_TO_HANDLE = 0xC00C642E
_IOCTL_ADD_FB2 = 0xC06864B8
_IOCTL_RM_FB = 0xC00464AF
_CAP_ADDFB2_MODIFIERS = 0x10
_FB_MODIFIERS = 2
_PLANES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Framebuffer:
    """What a framebuffer is to be like: offset and pitch in bytes of each plane, all in one."""

    width: int
    height: int
    fourcc: int
    modifier: int
    planes: tuple[tuple[int, int], ...]


class Card:
    """The questions to an open card; `call` asks them of its kernel."""

    def __init__(self, fd: int, call: Ioctl = ioctl) -> None:
        self.fd = fd
        self.call = call

    def takes_modifiers(self) -> bool:
        """Whether a framebuffer can name its modifier."""
        request = bytearray(_CAP.pack(_CAP_ADDFB2_MODIFIERS, 0))
        try:
            self.call(self.fd, _IOCTL_GET_CAP, request)
        except OSError:
            return False
        return bool(_CAP.unpack(request)[1])

    def import_memory(self, dma_buf: int) -> int:
        """The handle of a dma-buf here, to be closed. Raises `OSError` where it is refused."""
        request = bytearray(_PRIME.pack(0, 0, dma_buf))
        self.call(self.fd, _IOCTL_FD_TO_HANDLE, request)
        handle: int = _PRIME.unpack(request)[0]
        return handle

    def close(self, handle: int) -> None:
        """Let go of what was imported."""
        with suppress(OSError):
            self.call(self.fd, _IOCTL_GEM_CLOSE, bytearray(_GEM_CLOSE.pack(handle, 0)))

    def try_framebuffer(self, handle: int, wanted: Framebuffer, *, modifiers: bool) -> None:
        """Make a framebuffer and take it away. Raises `OSError` where it is refused.

        Its modifier is named if there is one and `modifiers` says that it can be.
        """
        named = modifiers and wanted.modifier != INVALID
        used = len(wanted.planes)
        unused = (0,) * (_PLANES - used)
        request = bytearray(
            _ADD_FB2.pack(
                *(0, wanted.width, wanted.height, wanted.fourcc, _FB_MODIFIERS if named else 0),
                *((handle,) * used + unused),
                *(*(pitch for _, pitch in wanted.planes), *unused),
                *(*(offset for offset, _ in wanted.planes), *unused),
                *((wanted.modifier if named else 0,) * used + unused),
            )
        )
        self.call(self.fd, _IOCTL_ADD_FB2, request)
        with suppress(OSError):
            self.call(self.fd, _IOCTL_RM_FB, request[: _RM_FB.size])
