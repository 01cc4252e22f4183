"""Whether a source of memory meets a demand: one rule for each type that asks about memory.

A property that nobody knows meets no requirement on it. What depends on the
size of an object (its number of segments, the capacity of its heap) is judged
with the layout, in `search.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, cast

from heapwire.protocol.solver.merge_rule import WHOLE, Merged, MergedValue, T
from heapwire.protocol.values import DeviceId, Source, SourceId, SourceKind, Topology, domains_of

Rule = Callable[[MergedValue, Source, Topology], bool]


def home_of(source: Source) -> DeviceId | None:
    """The device whose memory this is; None for memory of the machine as a whole."""
    if source.device_local is not None:
        return source.device_local
    if source.id.kind is SourceKind.DEVICE:
        return DeviceId(source.id.major, source.id.minor)
    return None


def hops_to(source: Source, device: DeviceId, topology: Topology) -> int | None:
    """Steps on the bus tree from a source to a device; system memory is at the root."""
    home = home_of(source)
    if home is not None:
        return topology.hops(home, device)
    place = topology.places.get(device)
    return len(place.path) if place is not None and place.path else None


def node_of(source: Source, topology: Topology) -> int | None:
    """The NUMA node of a source: its own, or that of the device it belongs to."""
    if source.numa_node is not None:
        return source.numa_node
    home = home_of(source)
    place = topology.places.get(home) if home is not None else None
    return place.numa_node if place is not None else None


def _contiguous(value: MergedValue, source: Source, topology: Topology) -> bool:
    return source.contiguous is True


def _address_range(value: MergedValue, source: Source, topology: Topology) -> bool:
    lowest, highest = cast("tuple[int, int]", value)
    here = source.address_range
    return here is not None and lowest <= here[0] and here[1] <= highest


def _dma_width(value: MergedValue, source: Source, topology: Topology) -> bool:
    bits = cast("int", value)
    here = source.address_range
    return bits >= 64 or (here is not None and here[1] >> bits == 0)


def _permitted(value: MergedValue, source: Source, topology: Topology) -> bool:
    return source.id in cast("frozenset[SourceId]", value)


def _protected(value: MergedValue, source: Source, topology: Topology) -> bool:
    return int(source.protected) == value


def _address_alignment(value: MergedValue, source: Source, topology: Topology) -> bool:
    return source.alignment % cast("int", value) == 0


def _domains(value: MergedValue, source: Source, topology: Topology) -> bool:
    return domains_of(source) & cast("int", value) != 0


def _cpu_access(value: MergedValue, source: Source, topology: Topology) -> bool:
    return not source.protected


def _pairwise(one: Callable[[Source, DeviceId, int, Topology], bool]) -> Rule:
    def rule(value: MergedValue, source: Source, topology: Topology) -> bool:
        pairs = cast("tuple[tuple[DeviceId, int], ...]", value)
        return all(one(source, device, number, topology) for device, number in pairs)

    return rule


def _within_hops(source: Source, device: DeviceId, most: int, topology: Topology) -> bool:
    hops = hops_to(source, device, topology)
    return hops is not None and hops <= most


def _on_node(source: Source, device: DeviceId, number: int, topology: Topology) -> bool:
    place, node = topology.places.get(device), node_of(source, topology)
    return place is not None and node is not None and place.numa_node == node


def _linked(source: Source, device: DeviceId, number: int, topology: Topology) -> bool:
    home = home_of(source)
    return home is not None and topology.linked(home, device)


def _elsewhere(source: Source, device: DeviceId, number: int, topology: Topology) -> bool:
    return home_of(source) != device


RULES: Final[Mapping[int, Rule]] = {
    T["contiguous"]: _contiguous,
    T["address-range"]: _address_range,
    T["dma-width"]: _dma_width,
    T["permitted-sources"]: _permitted,
    T["protected"]: _protected,
    T["address-alignment"]: _address_alignment,
    T["coherency-domains"]: _domains,
    T["cpu-access"]: _cpu_access,
    T["max-hops"]: _pairwise(_within_hops),
    T["same-numa-node"]: _pairwise(_on_node),
    T["peer-link"]: _pairwise(_linked),
    T["not-local"]: _pairwise(_elsewhere),
}
"""The types that a source meets or does not, each by itself."""


def needs_clean_memory(merged: Merged) -> bool:
    """Whether cached memory would show stale data.

    A device that does not snoop reads RAM. If somebody leaves dirty lines in
    the caches, or touches the memory with the CPU and cannot bracket that with
    DMA_BUF_IOCTL_SYNC, only memory that is not cached will do.
    """
    if (T["no-snoop"], WHOLE) not in merged:
        return False
    return (T["dirty-lines"], WHOLE) in merged or (T["no-sync"], WHOLE) in merged


class SourceCheck:
    """Judges a fixed list of sources; every verdict is worked out once.

    A set of sources is a mask: bit n is `sources[n]`.
    """

    def __init__(self, sources: tuple[Source, ...], topology: Topology) -> None:
        self.sources = sources
        self.everything = (1 << len(sources)) - 1
        self._topology = topology
        self._known: dict[tuple[int, MergedValue], int] = {}

    def meeting(self, type_: int, value: MergedValue) -> int:
        """The sources that meet one demand; all of them, where it is not about memory."""
        known = self._known.get((type_, value))
        if known is not None:
            return known
        rule = RULES.get(type_)
        mask = (
            self.everything
            if rule is None
            else self._mask(lambda source: rule(value, source, self._topology))
        )
        self._known[type_, value] = mask
        return mask

    def domains(self, merged: Merged, planes: int) -> tuple[int, ...]:
        """For each plane the sources that meet everything demanded of it."""
        whole = self.everything
        if needs_clean_memory(merged):
            whole = self._mask(lambda source: source.cached is False)
        own = [self.everything] * planes
        for (type_, plane), value in merged.items():
            if type_ in RULES:
                mask = self.meeting(type_, value)
                if plane == WHOLE:
                    whole &= mask
                elif plane < planes:
                    own[plane] &= mask
        return tuple(whole & mask for mask in own)

    def _mask(self, test: Callable[[Source], bool]) -> int:
        mask = 0
        for position, source in enumerate(self.sources):
            if test(source):
                mask |= 1 << position
        return mask
