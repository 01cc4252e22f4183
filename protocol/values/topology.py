"""Where devices are: hops on a bus tree, NUMA nodes, links between peers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from heapwire.protocol.values.device_number import DeviceId


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device sits: its path from the root of the bus tree and its NUMA node."""

    path: tuple[str, ...] = ()
    numa_node: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The places of devices, and the pairs that have a link of their own (NVLink, XGMI)."""

    places: Mapping[DeviceId, Place] = field(default_factory=dict, hash=False)
    peer_links: frozenset[frozenset[DeviceId]] = frozenset()

    def hops(self, one: DeviceId, other: DeviceId) -> int | None:
        """Steps from one device to the other through their nearest common bridge.

        0 for the same device, None where a place is unknown.
        """
        if one == other:
            return 0
        here, there = self.places.get(one), self.places.get(other)
        if here is None or there is None or not here.path or not there.path:
            return None
        shared = 0
        for mine, yours in zip(here.path, there.path, strict=False):
            if mine != yours:
                break
            shared += 1
        return len(here.path) + len(there.path) - 2 * shared

    def linked(self, one: DeviceId, other: DeviceId) -> bool:
        """Whether two devices are the same one or have a peer link."""
        return one == other or frozenset((one, other)) in self.peer_links
