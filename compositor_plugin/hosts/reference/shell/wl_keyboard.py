"""`wl_keyboard`: keys that a program presses."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.server import NewId, Resource

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference import WlSurface

_NO_KEYMAP = 0
_RELEASED, _PRESSED = 0, 1
_serials = itertools.count(1)


class Keyboards:
    """The keyboard, as all clients have it; there are as many objects as they made."""

    def __init__(self) -> None:
        self.resources: set[WlKeyboard] = set()

    def press(self, surface: WlSurface, key: int, time: int) -> None:
        """Press and release a key, by its number in linux/input-event-codes.h, over a surface."""
        for keyboard in tuple(self.resources):
            if keyboard.client == surface.client:
                keyboard.press(surface, key, time)


class WlKeyboard(Resource):
    """One client's keyboard, which has no layout: keys go by their places."""

    INTERFACE = interface_table("wl_keyboard")
    VERSION = min(7, INTERFACE.version)

    def __init__(self, new_id: NewId, keyboards: Keyboards) -> None:
        super().__init__(new_id)
        self._keyboards = keyboards
        keyboards.resources.add(self)
        fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.send("keymap", _NO_KEYMAP, fd, 0)
        finally:
            os.close(fd)

    def press(self, surface: WlSurface, key: int, time: int) -> None:
        """The surface has the focus for the time of a key."""
        self.send("enter", next(_serials), surface, b"")
        self.send("modifiers", next(_serials), 0, 0, 0, 0)
        for state in (_PRESSED, _RELEASED):
            self.send("key", next(_serials), time, key, state)
        self.send("leave", next(_serials), surface)

    def release(self) -> None:
        """The client has no more use for it."""
        self.destroy_resource()

    def on_destroy(self) -> None:
        """Nobody is there to be told."""
        self._keyboards.resources.discard(self)
