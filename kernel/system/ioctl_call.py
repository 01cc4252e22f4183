"""The one way into ioctl: interrupted calls are repeated, structs are changed in place."""

from __future__ import annotations

import errno
import fcntl
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import ctypes

IoctlArgument: TypeAlias = "bytearray | ctypes.Structure"
"""A struct of the kernel's, read and written in place."""
Ioctl: TypeAlias = Callable[[int, int, IoctlArgument], int]
"""An ioctl that can be replaced in a test: descriptor, request number, argument."""


def ioctl(fd: int, number: int, argument: IoctlArgument) -> int:
    """Call an ioctl that reads and writes a struct in place; its return value.

    Repeats what a signal interrupts or the driver asks to repeat (EINTR and
    EAGAIN, as libdrm and the headers of dma-buf have it). Raises `OSError`.
    """
    while True:
        try:
            result: int = fcntl.ioctl(fd, number, argument, True)
        except OSError as error:
            if error.errno not in (errno.EINTR, errno.EAGAIN):
                raise
        else:
            return result
