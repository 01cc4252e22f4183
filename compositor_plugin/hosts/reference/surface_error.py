"""The errors of `wl_surface`."""

from __future__ import annotations

from enum import IntEnum


class SurfaceError(IntEnum):
    """The errors of `wl_surface`."""

    INVALID_SCALE = 0
    INVALID_TRANSFORM = 1
    INVALID_SIZE = 2
    INVALID_OFFSET = 3
    DEFUNCT_ROLE_OBJECT = 4
