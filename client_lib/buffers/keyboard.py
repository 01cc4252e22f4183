"""The keys that are pressed over this connection's windows."""

from __future__ import annotations

import os
from collections.abc import Callable

from pywayland.protocol.wayland import WlSeat

from heapwire.client_lib.wayland import CData, Connection, listen

_KEYBOARD = 2  # wl_seat.capability
_PRESSED = 1
_RELEASE_VERSION = 3  # wl_keyboard.release


class Keyboard:
    """Calls `pressed` with each key, by its number in linux/input-event-codes.h.

    Keys go by their places: a layout is not looked at. On a compositor without a seat, or a seat
    without a keyboard, it is never called.
    """

    def __init__(self, connection: Connection, pressed: Callable[[int], None]) -> None:
        self._connection = connection
        self._pressed = pressed
        self._seat: CData = None
        self._keyboard: CData = None
        self._version = 0
        if WlSeat.name in connection.globals():
            self._seat, self._version = connection.bind(WlSeat, maximum=7)
            listen(self._seat, connection.handler_failed, {"capabilities": self._capabilities})

    def close(self) -> None:
        """Destroy its objects."""
        if not self._connection.closed:
            self._forget()
            if self._seat is not None:
                self._seat._destroy()
        self._seat = None

    def _capabilities(self, capabilities: int) -> None:
        if not capabilities & _KEYBOARD:
            self._forget()
        elif self._keyboard is None:
            self._keyboard = self._seat.get_keyboard()
            listen(
                self._keyboard,
                self._connection.handler_failed,
                {"keymap": self._keymap, "key": self._key},
            )

    def _forget(self) -> None:
        keyboard, self._keyboard = self._keyboard, None
        if keyboard is not None:
            if self._version >= _RELEASE_VERSION:
                keyboard.release()
            else:
                keyboard._destroy()

    def _keymap(self, _format: int, fd: int, _size: int) -> None:
        os.close(fd)

    def _key(self, _serial: int, _time: int, key: int, state: int) -> None:
        if state == _PRESSED:
            self._pressed(key)
