"""`wl_seat`: a seat that has a keyboard at most."""

from __future__ import annotations

from enum import IntEnum

from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.hosts.reference.shell.wl_keyboard import Keyboards, WlKeyboard
from heapwire.compositor_plugin.server import NewId, Resource, ViolationError

_KEYBOARD = 2  # wl_seat.capability


class SeatError(IntEnum):
    """The errors of `wl_seat`."""

    MISSING_CAPABILITY = 0


class WlSeat(Resource):
    """The bound global; without `keyboards` it has no capabilities, and never had any."""

    INTERFACE = interface_table("wl_seat")
    VERSION = min(7, INTERFACE.version)

    def __init__(self, new_id: NewId, keyboards: Keyboards | None = None) -> None:
        super().__init__(new_id)
        self._keyboards = keyboards
        self.send("capabilities", 0 if keyboards is None else _KEYBOARD)
        if self.has_event("name"):
            self.send("name", "seat0")

    def get_pointer(self, _new_id: NewId) -> None:
        """There is no pointer."""
        raise self._missing("pointer")

    def get_keyboard(self, new_id: NewId) -> None:
        """Hear of keys."""
        if self._keyboards is None:
            raise self._missing("keyboard")
        WlKeyboard(new_id, self._keyboards)

    def get_touch(self, _new_id: NewId) -> None:
        """There is no touch screen."""
        raise self._missing("touch")

    def _missing(self, what: str) -> ViolationError:
        return ViolationError(self, SeatError.MISSING_CAPABILITY, f"the seat has no {what}")
