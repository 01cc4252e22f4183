"""What keys do to a player."""

from __future__ import annotations

from collections.abc import Callable

from heapwire.client_lib.player.playback import Controls

# linux/input-event-codes.h
KEY_ESC, KEY_Q, KEY_F, KEY_SPACE = 1, 16, 33, 57
KEY_UP, KEY_LEFT, KEY_RIGHT, KEY_DOWN = 103, 105, 106, 108

_JUMPS = {KEY_LEFT: -10.0, KEY_RIGHT: 10.0, KEY_DOWN: -60.0, KEY_UP: 60.0}
"""Seconds, as in mpv's input.conf but for the small steps."""


def key_handler(
    controls: Controls, *, stop: Callable[[], None], toggle_fullscreen: Callable[[], None]
) -> Callable[[int], None]:
    """What to call with each key: space pauses, arrows jump, f fills the screen, q or Esc ends."""

    def pressed(key: int) -> None:
        if key in (KEY_Q, KEY_ESC):
            stop()
        elif key == KEY_F:
            toggle_fullscreen()
        elif key == KEY_SPACE:
            controls.paused = not controls.paused
        else:
            controls.jump += _JUMPS.get(key, 0.0)

    return pressed
