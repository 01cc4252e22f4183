"""Profiles: what the shipped platforms know of a driver, for a machine that does not say.

Several boards may have the same driver. What all of them agree on holds for the
driver; what differs is a matter of the board and is left out, and so is what
names memory or devices of a board.
"""

from __future__ import annotations

from functools import cache

from heapwire.kernel.description.device import Device, DeviceKind
from heapwire.kernel.description.platform import read_shipped, shipped
from heapwire.protocol.values import REGISTRY, Constraint, Usage, ValueKind

_OF_A_BOARD = (ValueKind.SOURCES, ValueKind.PAIRS)


def profile_constraints(
    driver: str, kind: DeviceKind, usage: Usage, *, iommu: bool | None
) -> tuple[Constraint, ...]:
    """The constraints that every shipped device with this driver has in all of its sets.

    `iommu` says whether the device at hand has one; unknown counts as none.
    """
    if not driver:
        return ()
    return _agreed(driver, kind, usage, iommu is True)


@cache
def _agreed(driver: str, kind: DeviceKind, usage: Usage, iommu: bool) -> tuple[Constraint, ...]:
    agreed: dict[Constraint, None] | None = None
    for device in _known_devices(iommu):
        if device.driver != driver or device.kind is not kind:
            continue
        for constraint_set in device.sets.get(usage, ()):
            own = dict.fromkeys(filter(_of_the_driver, constraint_set.constraints))
            agreed = own if agreed is None else {c: None for c in agreed if c in own}
    return tuple(agreed or ())


@cache
def _known_devices(iommu: bool) -> tuple[Device, ...]:
    """Every device of every shipped platform, as if all had an IOMMU, or none."""
    return tuple(device for name in shipped() for device in read_shipped(name, iommu=iommu).devices)


def _of_the_driver(constraint: Constraint) -> bool:
    row = REGISTRY.get(constraint.type)
    return row is not None and not row.condition and row.kind not in _OF_A_BOARD
