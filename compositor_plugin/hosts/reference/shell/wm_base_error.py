"""The errors of `xdg_wm_base`, which windows and popups raise on it too."""

from __future__ import annotations

from enum import IntEnum


class WmBaseError(IntEnum):
    """The errors of `xdg_wm_base`."""

    ROLE = 0
    DEFUNCT_SURFACES = 1
    NOT_THE_TOPMOST_POPUP = 2
    INVALID_POPUP_PARENT = 3
    INVALID_SURFACE_STATE = 4
    INVALID_POSITIONER = 5
    UNRESPONSIVE = 6
