"""Files that are memory only, of a fixed size: memfds with seals (memfd_create(2))."""

from __future__ import annotations

import fcntl
import os

FIXED_SIZE = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
"""The seals of a file whose size nobody can change any more (fcntl(2))."""
UNCHANGEABLE = FIXED_SIZE | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def sealed_memfd(name: str, size: int, *, seals: int = FIXED_SIZE) -> int:
    """A memfd of `size` zeroed bytes, under the F_SEAL_* bits of fcntl(2).

    `name` is what /proc/self/fd shows behind `/memfd:`. The caller owns the fd.
    Raises `OSError`.
    """
    return _sealed(name, size, b"", seals)


def sealed_copy(name: str, content: bytes) -> int:
    """A memfd with some bytes that nobody can change any more, to hand to another process.

    The caller owns the fd; its offset is at the end. Raises `OSError`.
    """
    return _sealed(name, len(content), content, UNCHANGEABLE)


def read_only(fd: int) -> int:
    """The file of an fd once more: opened for reading alone, with an offset of its own.

    A duplicate of `fd` would share offset, status flags and locks with it, and with everybody
    else who was sent one. The caller owns the new fd. Raises `OSError`, also without /proc.
    """
    return os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)


def _sealed(name: str, size: int, content: bytes, seals: int) -> int:
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(fd, size)
        if content:
            with open(fd, "wb", closefd=False) as file:
                file.write(content)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)  # last: a sealed file cannot be written
    except BaseException:
        os.close(fd)
        raise
    return fd
