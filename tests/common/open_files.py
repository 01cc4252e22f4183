"""What this process has open, to be compared."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path


def open_fds() -> frozenset[str]:
    """Each file descriptor and what it is of, without the one that looks: `7 socket:[4711]`."""
    fds = set()
    for fd in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            fds.add(f"{fd.name} {fd.readlink()}")
    return frozenset(fds)


def are_closed(fds: Iterable[int]) -> bool:
    """Whether none of some file descriptors is open."""
    for fd in fds:
        with contextlib.suppress(OSError):
            os.fstat(fd)
            return False
    return True
