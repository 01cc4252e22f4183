"""Whether a memfd has holders besides oneself, which its fdinfo does not tell.

The kernel grants a write lease only to a file that nobody else has open (fcntl(2),
F_SETLEASE; fs/locks.c, check_conflicting_open). What it counts are open file
descriptions, with their mappings and with descriptors under way in a socket. So who is
to be told apart has to be given a description of its own: `reopened`. A descriptor that
was passed on without one cannot be seen.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal


def reopened(fd: int) -> int:
    """The same memory through an open file description of its own; the caller owns the fd.

    Raises `OSError`, such as where there is no /proc.
    """
    return os.open(f"/proc/self/fd/{fd}", os.O_RDWR | os.O_CLOEXEC)


def held_by_others(fd: int) -> bool | None:
    """Whether the memory of a `reopened` fd is open elsewhere; None where that is not told."""
    try:
        # Who opens the file while the lease is there breaks it, and its holder gets a signal:
        # SIGIO would end this process, SIGURG is ignored where nobody asked for it (signal(7)).
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False
