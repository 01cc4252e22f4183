"""Where devices are: hops on a bus tree, NUMA nodes, links between peers."""

from __future__ import annotations

from collections.abc import Mapping

from heapwire.protocol.late_dataclasses import dataclass, field
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

    def hops(self, start: DeviceId, end: DeviceId) -> int | None:
        """Steps from one device to the other through their nearest common bridge.

        0 for the same device, None where a place is unknown.
        """
        if start == end:
            return 0
        from_, to = self.places.get(start), self.places.get(end)
        if from_ is None or to is None or not from_.path or not to.path:
            return None
        shared = 0
        for mine, theirs in zip(from_.path, to.path, strict=False):
            if mine != theirs:
                break  # whatever is equal below this is another bus
            shared += 1
        # Up to the nearest bridge above both, and down from it.
        return len(from_.path) + len(to.path) - 2 * shared

    def linked(self, device: DeviceId, peer: DeviceId) -> bool:
        """Whether two devices are the same one or have a peer link."""
        return device == peer or frozenset((device, peer)) in self.peer_links
