"""`wl_seat`: a seat without devices."""

from __future__ import annotations

from enum import IntEnum

from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError


class SeatError(IntEnum):
    """The errors of `wl_seat`."""

    MISSING_CAPABILITY = 0


class WlSeat(Resource):
    """The bound global: it has no capabilities, and never had any."""

    INTERFACE = interface_table("wl_seat")
    VERSION = min(7, INTERFACE.version)

    def __init__(self, new_id: NewId) -> None:
        super().__init__(new_id)
        self.send("capabilities", 0)
        if self.has_event("name"):
            self.send("name", "seat0")

    def get_pointer(self, _new_id: NewId) -> None:
        """There is no pointer."""
        raise self._missing("pointer")

    def get_keyboard(self, _new_id: NewId) -> None:
        """There is no keyboard."""
        raise self._missing("keyboard")

    def get_touch(self, _new_id: NewId) -> None:
        """There is no touch screen."""
        raise self._missing("touch")

    def _missing(self, what: str) -> ViolationError:
        return ViolationError(self, SeatError.MISSING_CAPABILITY, f"the seat has no {what}")
