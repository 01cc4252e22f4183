"""A device that somebody names by one of its nodes, put to a use."""

from __future__ import annotations

from heapwire.kernel.description import Platform
from heapwire.kernel.discovery.sysfs import same_device
from heapwire.protocol.values import DeviceId, Participant, Usage


def participant_behind(
    platform: Platform, number: DeviceId | None, usage: Usage
) -> Participant | None:
    """The platform's device behind a node, put to a use; None if the platform has none.

    A compositor may name any node of a device, so on a real machine two numbers
    are also the same device if their nodes belong to one device on the bus.
    """
    if number is None:
        return None
    able = [device for device in platform.devices if usage in device.sets and device.id is not None]
    for device in able:
        if device.id == number:
            return platform.participant(device.name, usage)
    for device in able:
        if not platform.simulated and device.id and same_device(device.id, number):
            return platform.participant(device.name, usage)
    return None
