"""A process of this program's own, started and collected without waiting for it.

The standard library's `subprocess` does more, and reads seven modules for it. That took a thirtieth
of what a compositor waits for the plugin, and few ever need a process.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from fcntl import F_DUPFD_CLOEXEC, fcntl
from signal import SIGKILL
from typing import Final

PASSED: Final = 3
"""The descriptor by which a process has what it is given."""


class SpawnedProcess:
    """A program that runs beside this one, with arguments and one descriptor.

    It has the descriptor as `PASSED`, reads and writes nothing else but stderr, and is in a session
    of its own: Ctrl-C is for the host. What others let every process inherit it has to close.
    Raises `OSError` if it cannot be started.
    """

    __slots__ = ("_collected", "pid")

    def __init__(self, arguments: Sequence[str], fd: int) -> None:
        # Beyond all that the process is given: one of these may be free here, and then it is `fd`.
        given = fcntl(fd, F_DUPFD_CLOEXEC, PASSED + 1)
        try:
            self.pid = os.posix_spawn(
                arguments[0],
                (*arguments,),
                os.environ,
                file_actions=(
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_DUP2, given, PASSED),
                ),
                setsid=True,
            )
        finally:
            os.close(given)
        self._collected = False

    def has_ended(self) -> bool:
        """Whether it has ended; then it is collected, and its number may be another's."""
        if not self._collected:
            try:
                self._collected = os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
            except ChildProcessError:  # by the host, which collects all that end
                self._collected = True
        return self._collected

    def kill(self) -> None:
        """Have it end now; nothing happens to one that has ended."""
        if not self.has_ended():
            with suppress(ProcessLookupError):
                os.kill(self.pid, SIGKILL)
