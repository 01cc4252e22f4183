"""Log records, one line each, into the host's log."""

from __future__ import annotations

import logging
import threading
from collections import deque

from heapwire.compositor_plugin.hosts.embed.host_table import CData, ffi
from heapwire.protocol import InputError

LEVELS = {
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}


def level_number(name: str) -> int:
    """The level that a word names; `InputError` if none does."""
    if name not in LEVELS:
        raise InputError(f"the log level {name!r} is none of {', '.join(LEVELS)}")
    return LEVELS[name]


def one_line(text: str) -> bytes:
    """A text as a host's functions take it, before the NUL."""
    return text.replace("\n", " ").replace("\0", " ").encode("utf-8", "replace")


class HostLog(logging.Handler):
    """Hands lines to a host's `log`.

    Called on the host's thread only: what another thread says waits for the
    next line from that one. A traceback becomes the line of its exception; at
    the level `debug` its lines follow.
    """

    def __init__(self, host: CData) -> None:
        super().__init__()
        self._host = host
        self._thread = threading.get_ident()
        self._waiting: deque[logging.LogRecord] = deque(maxlen=64)

    def emit(self, record: logging.LogRecord) -> None:
        """Say it, or keep it."""
        if threading.get_ident() != self._thread:
            self._waiting.append(record)
            return
        while self._waiting:
            self._say(self._waiting.popleft())
        self._say(record)

    def _say(self, record: logging.LogRecord) -> None:
        try:
            lines = [record.getMessage()]
            if record.exc_info and record.exc_info[1] is not None:
                error = record.exc_info[1]
                lines[0] += f": {type(error).__name__}: {error}"
                if logging.getLogger(record.name).isEnabledFor(logging.DEBUG):
                    lines += logging.Formatter().formatException(record.exc_info).splitlines()
            for line in lines:
                text = ffi.new("char[]", one_line(line))
                self._host.log(self._host.data, _host_level(record.levelno), text)
        except Exception:
            self.handleError(record)


def _host_level(level: int) -> int:
    """The number in `enum heapwire_log_level`."""
    descending = list(LEVELS.values())
    numbers = (number for number, least in enumerate(descending) if level >= least)
    return next(numbers, len(descending) - 1)
