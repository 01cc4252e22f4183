"""Waiting for what happens at once on an idle machine."""

from __future__ import annotations

import time
from collections.abc import Callable

# Seconds. Nothing that works takes so long on any machine, however busy it is; every wait
# ends by what it waits for, so only a fault ever uses this up.
PATIENCE = 120.0


def until(
    condition: Callable[[], object], what: str, turn: Callable[[], object] | None = None
) -> None:
    """Take turns until something is so: sleep a little each, unless something is to be done."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} s for {what}"
        if turn is None:
            time.sleep(0.02)
        else:
            turn()
