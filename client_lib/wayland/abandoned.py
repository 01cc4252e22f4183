"""What becomes of a display whose `Connection` nobody holds any more.

Displays end after their proxies: a proxy that is freed later writes to memory that is gone.
`Display.disconnect` sees to that for the proxies that it knows of, by weak references. Those
to garbage are cleared before any of it is freed, so during a collection it knows of none of
the proxies that are about to be freed. A display that is abandoned then is ended when the
collection is over.
"""

from __future__ import annotations

import gc

from pywayland.client.display import Display

_waiting: list[Display] = []
_collecting = False


def end_when_abandoned(display: Display) -> None:
    """Disconnect a display that nobody uses any more, as soon as that is safe."""
    if _collecting:
        _waiting.append(display)
    else:
        display.disconnect()


def watch_collections() -> None:
    """Know from now on when a collection is under way; safe to call twice."""
    if _note_collection not in gc.callbacks:
        gc.callbacks.append(_note_collection)


def _note_collection(phase: str, _: dict[str, int]) -> None:
    global _collecting
    _collecting = phase == "start"
    while _waiting and not _collecting:
        _waiting.pop().disconnect()
