"""Whether writing to what nobody reads any more raises a signal, and not an error alone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def told_of_broken_pipes() -> Iterator[list[int]]:
    """The signals that come in a `with` block, as a host in C has them that does not ignore them.

    In programs of Python's SIGPIPE is ignored; that host it ends.
    """
    told: list[int] = []
    before = signal.signal(signal.SIGPIPE, lambda number, _frame: told.append(number))
    try:
        yield told
    finally:
        signal.signal(signal.SIGPIPE, before)
