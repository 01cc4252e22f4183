"""The formats of `wl_shm`, and its errors."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from heapwire.compositor_plugin.hosts.reference.scene import READERS
from heapwire.protocol.values import FORMATS, parse_fourcc

# It has numbers of its own for these two, and fourccs for everything else.
_NUMBERED = {0: parse_fourcc("ARGB8888"), 1: parse_fourcc("XRGB8888")}

SHM_FORMATS: Mapping[int, int] = _NUMBERED | {
    code: code
    for code in READERS
    if code not in _NUMBERED.values()
    and len(FORMATS[code].planes) == 1
    and not FORMATS[code].is_yuv
}
"""The fourcc of each number that it offers."""


class ShmError(IntEnum):
    """The errors of `wl_shm`, which objects made through it raise too."""

    INVALID_FORMAT = 0
    INVALID_STRIDE = 1
    INVALID_FD = 2
