"""Device numbers: how heaps and devices are named on the wire and in plans.

A (major, minor) pair is valid for one boot of one machine: the dma_heap major
is allocated at run time (drivers/dma-buf/dma-heap.c, alloc_chrdev_region), so
the *name* of a heap is its stable identity and a pair must never be stored.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from heapwire.protocol.errors import LocalError

MAX_MAJOR = (1 << 12) - 1  # include/linux/kdev_t.h: a dev_t has 12 major bits
MAX_MINOR = (1 << 20) - 1  # and 20 minor bits


@dataclass(frozen=True, slots=True, order=True)
class DeviceNumber:
    """A (major, minor) pair; `str()` gives `254:0`.

    Raises `LocalError` when a part does not fit a Linux `dev_t`.
    """

    major: int
    minor: int

    def __post_init__(self) -> None:
        if not (0 <= self.major <= MAX_MAJOR and 0 <= self.minor <= MAX_MINOR):
            raise LocalError(f"{self.major}:{self.minor} is not a Linux device number")

    @classmethod
    def from_dev_t(cls, dev_t: int) -> Self:
        """The pair inside a C library's `dev_t`."""
        return cls(os.major(dev_t), os.minor(dev_t))

    @classmethod
    def from_path(cls, path: str | os.PathLike[str]) -> Self:
        """The pair of a device node; `LocalError` if the path is not one."""
        return cls._from_stat(Path(path).stat(), os.fspath(path))

    @classmethod
    def from_fd(cls, fd: int) -> Self:
        """The pair of an open device node; the fd stays the caller's."""
        return cls._from_stat(os.fstat(fd), f"fd {fd}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The pair that `str()` printed, such as `254:0`."""
        major, _, minor = text.partition(":")
        try:
            return cls(int(major), int(minor))
        except ValueError:
            raise LocalError(f"{text!r} is not MAJOR:MINOR") from None

    @classmethod
    def _from_stat(cls, status: os.stat_result, what: str) -> Self:
        if not (stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode)):
            raise LocalError(f"{what} is not a device node")
        return cls.from_dev_t(status.st_rdev)

    @property
    def dev_t(self) -> int:
        """The pair as this C library packs it."""
        return os.makedev(self.major, self.minor)

    def __str__(self) -> str:
        return f"{self.major}:{self.minor}"


class HeapId(DeviceNumber):
    """The device number of a DMA heap, on this boot of this machine."""

    __slots__ = ()


class DeviceId(DeviceNumber):
    """The device number of a device that takes part: a DRM, V4L2 or media node."""

    __slots__ = ()
