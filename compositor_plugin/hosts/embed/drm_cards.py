"""Which cards this process drives: those that it has open.

A compositor's module often knows that an output is `HDMI-A-1`, and not which
device it is of. The kernel knows the connectors of each card (kernel/discovery/connector.py),
and of the cards that have one of this name it is one that the compositor has open.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from heapwire.protocol.values import DeviceId

_DRM_MAJOR = 226  # Documentation/admin-guide/devices.txt
_PRIMARY_MINORS = 64  # minors below are cards, those of render nodes start at 128


def open_cards(fds: Path = Path("/proc/self/fd")) -> frozenset[DeviceId]:
    """The primary DRM nodes that this process has open."""
    cards = set()
    for entry in fds.iterdir():
        try:
            status = entry.stat()
        except OSError:
            continue  # closed in the meantime, as the fd of this listing is
        if stat.S_ISCHR(status.st_mode):
            major, minor = os.major(status.st_rdev), os.minor(status.st_rdev)
            if major == _DRM_MAJOR and minor < _PRIMARY_MINORS:
                cards.add(DeviceId(major, minor))
    return frozenset(cards)
