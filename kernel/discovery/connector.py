"""Which card has a connector, by the name that outputs go by: `HDMI-A-1`.

The kernel lists the connectors of each card as `/sys/class/drm/card1-HDMI-A-1`.
"""

from __future__ import annotations

from pathlib import Path

from heapwire.kernel.discovery.sysfs import SysfsDevice
from heapwire.protocol.values import DeviceId


def card_of_connector(
    name: str, cards: frozenset[DeviceId], drm: Path = Path("/sys/class/drm")
) -> DeviceId | None:
    """The one of `cards` that has a connector of this name; None if none or several have."""
    if not name or "/" in name:
        return None
    having = []
    for card in cards:
        for entry in drm.glob(f"card[0-9]*-{_escaped(name)}"):
            number = SysfsDevice(entry / "device").number
            if number is not None and DeviceId(number.major, number.minor) == card:
                having.append(card)
    return having[0] if len(having) == 1 else None


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
