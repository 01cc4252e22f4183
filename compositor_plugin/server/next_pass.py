"""A callback in the loop's next pass, which comes at once."""

from __future__ import annotations

import os
from collections.abc import Callable

from heapwire.compositor_plugin.server.event_loop import EventLoop


class NextPass:
    """Calls back once in the pass of a loop after the one in which it was asked to.

    Neither kind of libwayland's does that: an idle callback that another one adds runs in the
    same pass, and a timer fires after a millisecond at the soonest. An eventfd makes the loop
    come back at once, after whatever else has become ready.
    """

    __slots__ = ("_callback", "_fd", "_source")

    def __init__(self, loop: EventLoop, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        try:
            self._source = loop.add_fd(self._fd, self._begun)
        except BaseException:
            os.close(self._fd)
            raise

    def ask(self) -> None:
        """Call back in the next pass; nothing happens after `close`."""
        if self._fd >= 0:
            os.eventfd_write(self._fd, 1)

    def close(self) -> None:
        """End it; safe to call twice."""
        if self._fd >= 0:
            self._source.remove()
            os.close(self._fd)
            self._fd = -1

    def _begun(self, _mask: int) -> None:
        os.eventfd_read(self._fd)
        self._callback()
