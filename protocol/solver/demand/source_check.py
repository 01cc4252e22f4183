"""Whether a source of memory meets a demand: one rule for each type that asks about memory.

A property that nobody knows meets no requirement on it. What depends on the
size of an object (its number of segments, the capacity of its heap) is checked
with the layout, in `search.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from heapwire.protocol.make_room import make_room
from heapwire.protocol.solver.demand.demand import Demand
from heapwire.protocol.solver.demand.merge_rule import (
    MergedValue,
    as_number,
    as_pairs,
    as_range,
    as_sources,
)
from heapwire.protocol.solver.step_budget import StepBudget
from heapwire.protocol.values import (
    ADDRESS_ALIGNMENT,
    ADDRESS_RANGE,
    ALLOCATION_FLAGS,
    COHERENCY_DOMAINS,
    CONTIGUOUS,
    CPU_ACCESS,
    DIRTY_LINES,
    DMA_WIDTH,
    MAX_HOPS,
    NO_SNOOP,
    NO_SYNC,
    NOT_LOCAL,
    PEER_LINK,
    PERMITTED_SOURCES,
    PROTECTED,
    SAME_NUMA_NODE,
    CoherencyDomain,
    DeviceId,
    Source,
    SourceKind,
    Topology,
    domains_of,
)

_SCANOUT: Final = 1  # of `ALLOCATION_FLAGS`
_KNOWN: Final = 256  # values; clients can make up any number

Rule: TypeAlias = Callable[[MergedValue, Source, Topology], bool]
"""Whether a source meets a value of one type."""


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
    location = topology.places.get(device)
    return len(location.path) if location is not None and location.path else None


def node_of(source: Source, topology: Topology) -> int | None:
    """The NUMA node of a source: its own, or that of the device it belongs to."""
    if source.numa_node is not None:
        return source.numa_node
    home = home_of(source)
    location = topology.places.get(home) if home is not None else None
    return location.numa_node if location is not None else None


def nearness(sources: Sequence[Source], device: DeviceId, topology: Topology) -> tuple[int, ...]:
    """For each source how many places are nearer to a device; what is unknown is the farthest.

    Its own memory and that of a peer with a link come first, then what is fewer hops away on
    the bus tree, and of these what is on the same NUMA node.
    """
    location = topology.places.get(device)
    own_node = location.numa_node if location is not None else None
    distances = []
    for source in sources:
        home, hops = home_of(source), hops_to(source, device, topology)
        node = node_of(source, topology)
        linked = home is not None and topology.linked(home, device)
        far = (not linked, hops is None, hops or 0, node is None or node != own_node)
        distances.append(far)
    ranks = {far: rank for rank, far in enumerate(sorted(set(distances)))}
    return tuple(ranks[far] for far in distances)


def _contiguous(value: MergedValue, source: Source, topology: Topology) -> bool:
    return source.contiguous is True


def _address_range(value: MergedValue, source: Source, topology: Topology) -> bool:
    lowest, highest = as_range(value)
    addresses = source.address_range
    return addresses is not None and lowest <= addresses[0] and addresses[1] <= highest


def _dma_width(value: MergedValue, source: Source, topology: Topology) -> bool:
    bits = as_number(value)
    addresses = source.address_range
    # 64 bits reach every address, one that nobody knows included.
    return bits >= 64 or (addresses is not None and addresses[1] >> bits == 0)


def _permitted(value: MergedValue, source: Source, topology: Topology) -> bool:
    return source.id in as_sources(value)


def _protected(value: MergedValue, source: Source, topology: Topology) -> bool:
    return source.protected is not None and int(source.protected) == value


def _address_alignment(value: MergedValue, source: Source, topology: Topology) -> bool:
    return source.alignment % as_number(value) == 0


def _domains(value: MergedValue, source: Source, topology: Topology) -> bool:
    return domains_of(source) & as_number(value) != 0


def _cpu_access(value: MergedValue, source: Source, topology: Topology) -> bool:
    return source.protected is False and source.mappable


def _allocation_flags(value: MergedValue, source: Source, topology: Topology) -> bool:
    # A dumb buffer is for scanout, whatever is asked for, and for nothing else.
    return not source.rows_only or not as_number(value) & ~_SCANOUT


def _for_each_device(rule: Callable[[Source, DeviceId, int, Topology], bool]) -> Rule:
    def whole_rule(value: MergedValue, source: Source, topology: Topology) -> bool:
        return all(rule(source, device, number, topology) for device, number in as_pairs(value))

    return whole_rule


def _within_hops(source: Source, device: DeviceId, most: int, topology: Topology) -> bool:
    hops = hops_to(source, device, topology)
    return hops is not None and hops <= most


def _on_node(source: Source, device: DeviceId, number: int, topology: Topology) -> bool:
    location, node = topology.places.get(device), node_of(source, topology)
    return location is not None and node is not None and location.numa_node == node


def _linked(source: Source, device: DeviceId, number: int, topology: Topology) -> bool:
    home = home_of(source)
    return home is not None and topology.linked(home, device)


def _elsewhere(source: Source, device: DeviceId, number: int, topology: Topology) -> bool:
    return home_of(source) != device


RULES: Final[Mapping[int, Rule]] = {
    CONTIGUOUS.type: _contiguous,
    ADDRESS_RANGE.type: _address_range,
    DMA_WIDTH.type: _dma_width,
    PERMITTED_SOURCES.type: _permitted,
    PROTECTED.type: _protected,
    ADDRESS_ALIGNMENT.type: _address_alignment,
    ALLOCATION_FLAGS.type: _allocation_flags,
    COHERENCY_DOMAINS.type: _domains,
    CPU_ACCESS.type: _cpu_access,
    MAX_HOPS.type: _for_each_device(_within_hops),
    SAME_NUMA_NODE.type: _for_each_device(_on_node),
    PEER_LINK.type: _for_each_device(_linked),
    NOT_LOCAL.type: _for_each_device(_elsewhere),
}
"""The types that a source meets or does not, each by itself."""


def is_known(type_: int, source: Source, topology: Topology) -> bool:
    """Whether anybody knows what a rule asks of a source; what nobody knows meets no rule."""
    match type_:
        case CONTIGUOUS.type:
            return source.contiguous is not None
        case PROTECTED.type:
            return source.protected is not None
        case ADDRESS_RANGE.type | DMA_WIDTH.type:
            return source.address_range is not None
        case SAME_NUMA_NODE.type:
            return node_of(source, topology) is not None
    return True


def needs_clean_memory(demand: Demand) -> bool:
    """Whether cached memory would show stale data, unless somebody cleans the caches.

    A device that does not snoop reads RAM, and somebody leaves dirty lines in the
    caches, or touches the memory with the CPU and does not say so.
    """
    return demand.flag(NO_SNOOP) and (demand.flag(DIRTY_LINES) or demand.flag(NO_SYNC))


def is_clean_enough(source: Source, demand: Demand) -> bool:
    """Whether a source will do where clean memory is needed.

    What is not cached has nothing to clean. Of a heap's cached memory the end of CPU
    access cleans the caches for whoever has imported it (dma_buf_ops.end_cpu_access of
    system_heap.c and cma_heap.c), so it is enough that whoever passes the buffer to the
    device that leaves dirty lines and back brackets that with DMA_BUF_IOCTL_SYNC: the
    domain of such a buffer is RAM. What other exporters do then, nobody says.
    """
    if source.cached is not True:
        return source.cached is False
    domains = demand.mask(COHERENCY_DOMAINS)
    in_ram = domains is None or domains >> CoherencyDomain.RAM & 1 == 1
    is_cleaned = source.id.kind is SourceKind.HEAP and source.protected is False
    return is_cleaned and in_ram and not demand.flag(NO_SYNC)


MetValues: TypeAlias = Mapping[tuple[int, MergedValue], int]
"""Values of types, with the sources that meet each."""


class SourceCheck:
    """Which of some sources meet a demand; every answer is worked out once.

    A set of sources is a mask: bit n is `sources[n]`.
    """

    def __init__(
        self,
        sources: tuple[Source, ...],
        topology: Topology,
        budget: StepBudget,
        known: dict[tuple[int, MergedValue], int],
    ) -> None:
        """`known` has what others worked out of these sources, and gets what is new."""
        self.sources = sources
        self._budget = budget
        self._known = known
        self.everything = (1 << len(sources)) - 1
        self._topology = topology
        self._meeting: dict[tuple[int, MergedValue], int] = {}

    @property
    def met(self) -> MetValues:
        """What was worked out, and paid, so far."""
        return dict(self._meeting)

    def add_met(self, met: MetValues) -> None:
        """What was worked out and is paid already."""
        self._meeting |= met

    def meeting(self, type_: int, value: MergedValue) -> int:
        """The sources that meet one value; all of them, where it is not about memory."""
        meeting = self._meeting.get((type_, value))
        if meeting is not None:
            return meeting
        rule = RULES.get(type_)
        if rule is None:
            mask = self.everything
        else:
            # Of a list each device is looked at with each source.
            each = 1 + len(value) if isinstance(value, tuple) else 1
            self._budget.spend(len(self.sources) * each)
            known = self._known.get((type_, value))
            if known is None:
                known = _mask([rule(value, source, self._topology) for source in self.sources])
                make_room(self._known, _KNOWN)
                self._known[type_, value] = known
            mask = known
        self._meeting[type_, value] = mask
        return mask

    def domains(self, demand: Demand, planes: int) -> tuple[int, ...]:
        """For each plane the sources that meet everything demanded of it."""
        whole = self.everything
        if needs_clean_memory(demand):
            # Two types decide this together, so it is no rule of either.
            whole = _mask([is_clean_enough(source, demand) for source in self.sources])
        for type_, value in demand.whole.items():
            if type_ in RULES:
                whole &= self.meeting(type_, value)
        domains = [whole] * planes
        for (type_, plane), value in demand.own.items():
            if type_ in RULES and plane < planes:
                domains[plane] &= self.meeting(type_, value)
        return tuple(domains)


def _mask(these: list[bool]) -> int:
    """The positions of what is true, as bits."""
    mask = 0
    for position, true in enumerate(these):
        if true:
            mask |= 1 << position
    return mask
