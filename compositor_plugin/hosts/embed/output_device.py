"""Which KMS device drives an output, found by the name of its connector.

A compositor's module often knows that an output is `HDMI-A-1`, and not which
device it is of. The kernel knows the connectors of each card
(`/sys/class/drm/card1-HDMI-A-1`), and this process has the card open that it
drives.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from heapwire.protocol.model.identity import DeviceId

_DRM_MAJOR = 226  # Documentation/admin-guide/devices.txt
_PRIMARY_MINORS = 64  # minors below are cards, those of render nodes start at 128


def open_cards(fds: Path = Path("/proc/self/fd")) -> frozenset[DeviceId]:
    """The primary DRM nodes that this process has open."""
    found = set()
    for entry in fds.iterdir():
        try:
            status = entry.stat()
        except OSError:
            continue  # closed in the meantime, as the fd of this listing is
        if stat.S_ISCHR(status.st_mode):
            major, minor = os.major(status.st_rdev), os.minor(status.st_rdev)
            if major == _DRM_MAJOR and minor < _PRIMARY_MINORS:
                found.add(DeviceId(major, minor))
    return frozenset(found)


def card_of_connector(
    name: str, cards: frozenset[DeviceId], drm: Path = Path("/sys/class/drm")
) -> DeviceId | None:
    """The one of `cards` that has a connector of this name; None if none or several have."""
    if not name or "/" in name:
        return None
    found = []
    for card in cards:
        for entry in drm.glob(f"card[0-9]*-{_escaped(name)}"):
            if _number(entry / "device" / "dev") == card:
                found.append(card)
    return found[0] if len(found) == 1 else None


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _number(file: Path) -> DeviceId | None:
    try:
        major, minor = file.read_text("ascii").strip().split(":")
        return DeviceId(int(major), int(minor))
    except (OSError, ValueError):
        return None
