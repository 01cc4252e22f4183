"""Device numbers: how heaps and devices are named on the wire and in plans.

A (major, minor) pair is valid for one boot of one machine: the dma_heap major
is allocated at run time (drivers/dma-buf/dma-heap.c, alloc_chrdev_region), so
the *name* of a heap is its stable identity and a pair must never be stored.
"""

from __future__ import annotations

import os
import re
from typing import Self

from heapwire.protocol.errors import InputError, UsageError, shown
from heapwire.protocol.late_dataclasses import dataclass

MAX_MAJOR = (1 << 12) - 1  # include/linux/kdev_t.h: a dev_t has 12 major bits
MAX_MINOR = (1 << 20) - 1  # and 20 minor bits


@dataclass(frozen=True, slots=True, order=True)
class DeviceNumber:
    """A (major, minor) pair; `str()` gives `254:0`.

    Raises `UsageError` where a part does not fit a Linux `dev_t`: numbers from elsewhere
    go through `fault` first.
    """

    major: int
    minor: int

    def __post_init__(self) -> None:
        fault = self.fault(self.major, self.minor)
        if fault is not None:
            raise UsageError(fault)

    @staticmethod
    def fault(major: int, minor: int) -> str | None:
        """What is wrong with a pair, None if nothing is."""
        if 0 <= major <= MAX_MAJOR and 0 <= minor <= MAX_MINOR:
            return None
        return f"{major}:{minor} is not a Linux device number"

    @classmethod
    def from_dev_t(cls, dev_t: int) -> Self:
        """The pair inside a C library's `dev_t`, which the kernel gave."""
        return cls(os.major(dev_t), os.minor(dev_t))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The pair that `str()` printed, such as `254:0`; `InputError` for anything else."""
        written = re.fullmatch(r"([0-9]+):([0-9]+)", text.strip())
        if written is None:
            raise InputError(f"{shown(text)} is not MAJOR:MINOR")
        major, minor = int(written[1]), int(written[2])
        fault = cls.fault(major, minor)
        if fault is not None:
            raise InputError(fault)
        return cls(major, minor)

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
