"""`xdg_positioner`: where a popup goes."""

from __future__ import annotations

from enum import IntEnum

from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.hosts.reference.scene import Rect
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError

# Anchors and gravities, xdg-shell.xml: which of them pull to an edge.
_LEFTS, _RIGHTS = (3, 5, 6), (4, 7, 8)
_TOPS, _BOTTOMS = (1, 5, 7), (2, 6, 8)
_LAST = 8
_ALL_ADJUSTMENTS = 63


class PositionerError(IntEnum):
    """The errors of `xdg_positioner`."""

    INVALID_INPUT = 0


class XdgPositioner(Resource):
    """The rules for one popup. Popups are not moved to stay on the output."""

    INTERFACE = interface_table("xdg_positioner")
    VERSION = min(4, INTERFACE.version)

    def __init__(self, new_id: NewId) -> None:
        super().__init__(new_id)
        self._size: tuple[int, int] | None = None
        self._anchor_rect: Rect | None = None
        self._anchor = self._gravity = 0
        self._offset = (0, 0)

    @property
    def complete(self) -> bool:
        """Whether size and anchor rectangle are set."""
        return self._size is not None and self._anchor_rect is not None

    @property
    def geometry(self) -> Rect:
        """The popup, from the upper left corner of the parent's window geometry."""
        width, height = self._size or (1, 1)
        anchor = self._anchor_rect or Rect(0, 0, 0, 0)
        x = _along(self._anchor, anchor.x, anchor.width, _LEFTS, _RIGHTS) + self._offset[0]
        y = _along(self._anchor, anchor.y, anchor.height, _TOPS, _BOTTOMS) + self._offset[1]
        # Gravity is where the popup extends to from the anchor.
        x -= _along(self._gravity, 0, width, _RIGHTS, _LEFTS)
        y -= _along(self._gravity, 0, height, _BOTTOMS, _TOPS)
        return Rect(x, y, width, height)

    def set_size(self, width: int, height: int) -> None:
        """Set the size of the popup."""
        self._check(width > 0 and height > 0, f"{width}x{height} is no size")
        self._size = (width, height)

    def set_anchor_rect(self, x: int, y: int, width: int, height: int) -> None:
        """Set what the popup belongs to, on its parent."""
        self._check(width >= 0 and height >= 0, f"{width}x{height} is no size")
        self._anchor_rect = Rect(x, y, width, height)

    def set_anchor(self, anchor: int) -> None:
        """Set the edge or corner of that rectangle."""
        self._check(anchor <= _LAST, f"{anchor} is no anchor")
        self._anchor = anchor

    def set_gravity(self, gravity: int) -> None:
        """Set where the popup extends to from there."""
        self._check(gravity <= _LAST, f"{gravity} is no gravity")
        self._gravity = gravity

    def set_constraint_adjustment(self, adjustment: int) -> None:
        """Say how it may be moved."""
        self._check(adjustment <= _ALL_ADJUSTMENTS, f"{adjustment:#x} is no adjustment")

    def set_offset(self, x: int, y: int) -> None:
        """Move it."""
        self._offset = (x, y)

    def set_reactive(self) -> None:
        """Nothing moves by itself."""

    def set_parent_size(self, _width: int, _height: int) -> None:
        """Popups go by the parent as it is."""

    def set_parent_configure(self, _serial: int) -> None:
        """Popups go by the parent as it is."""

    def _check(self, valid: bool, message: str) -> None:
        if not valid:
            raise ViolationError(self, PositionerError.INVALID_INPUT, message)


def _along(
    edge: int, start: int, length: int, at_start: tuple[int, ...], at_end: tuple[int, ...]
) -> int:
    """The coordinate of an edge, or of the middle, on one axis."""
    if edge in at_start:
        return start
    return start + length if edge in at_end else start + length // 2
