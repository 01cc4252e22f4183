"""How a tool ends that somebody ends: nothing that it made for itself is left behind."""

from __future__ import annotations

import signal
import sys
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def unwind_when_ended() -> None:
    """Have SIGTERM, Ctrl-C and a closed terminal end this process by an exception.

    Each `with` is left then, and its folder removed, which may take a while: a second signal
    does not cut that short. The exit status is 128 and the number of the first.
    """
    for number in _ENDING:
        signal.signal(number, _unwind)


def _unwind(number: int, frame: FrameType | None) -> None:
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)
