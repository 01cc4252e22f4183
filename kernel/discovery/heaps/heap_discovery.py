"""The heaps of a machine, and what is known of each and from where.

A patched kernel says in sysfs whether a heap is contiguous, on which NUMA node
it is and for which heap it can stand in (docs/kernel.md). A stock one has the
name alone; but the area that a heap of that name takes its memory from may be
known, from the device tree and from the kernel's list of CMA areas, and says
more than a name. What nobody says stays unknown, protection too.
"""

from __future__ import annotations

from pathlib import Path

from heapwire.kernel.discovery.heaps.heap_names import PAGES, traits_of
from heapwire.kernel.discovery.heaps.memory_areas import MemoryAreas
from heapwire.kernel.discovery.sysfs import REAL, SysfsDevice, list_devices
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import HeapId, Provenance, Source, SourceId, SourceKind

SUBSYSTEM = "dma_heap"
"""The class of the heaps in sysfs (drivers/dma-buf/dma-heap.c)."""


def list_heaps(root: Path = REAL) -> tuple[tuple[Source, str], ...]:
    """Each heap as a source, with the path of its node, in the order of their names."""
    devices = list_devices(SUBSYSTEM, root)
    areas = MemoryAreas(root, frozenset(device.name for device in devices))
    heaps = []
    for device in devices:
        number = device.number
        if number is not None:
            node = device.node or root / "dev" / SUBSYSTEM / device.name
            source = _heap_source(device, HeapId(number.major, number.minor), areas)
            heaps.append((source, str(node)))
    return tuple(heaps)


def udmabuf_source(root: Path = REAL) -> tuple[Source, str] | None:
    """What desktops let their users open, and its node; None where the kernel has none."""
    for device in list_devices("misc", root):
        number = device.number
        if device.name == "udmabuf" and number is not None:
            source = Source(
                id=SourceId(SourceKind.UDMABUF, number.major, number.minor),
                name="udmabuf",
                contiguous=False,
                cached=True,
                area=PAGES,
            )
            return source, str(device.node or root / "dev" / "udmabuf")
    return None


@dataclass(frozen=True, slots=True)
class _Traits:
    """How a heap's memory is laid out and mapped, and whether the kernel says so."""

    contiguous: bool | None
    cached: bool | None
    protected: bool | None
    stated: bool = True


def _heap_source(device: SysfsDevice, heap: HeapId, areas: MemoryAreas) -> Source:
    """What is known of one heap."""
    name = device.name
    named = traits_of(name)
    area = areas.of_heap(name)
    traits = _of_area(_Traits(named.contiguous, named.cached, named.protected, False), area, areas)
    contiguous = device.integer("contiguous")
    node = device.integer("numa_node")
    on_node = node is not None and node >= 0
    substitutes = tuple((device.attribute("substitutes_for") or "").split())
    addresses = areas.addresses(area)
    capacity = areas.capacity(area)
    protected = traits.protected
    if protected is None and substitutes:
        protected = False  # it serves whoever has a use for the other
    stated = {
        "contiguous": contiguous is not None or traits.stated,
        "cached": traits.stated,
        "protected": traits.stated or (bool(substitutes) and traits.protected is None),
        "numa_node": on_node,
        "substitutes_for": bool(substitutes),
        "address_range": addresses is not None,
        "capacity": capacity is not None,
    }
    if addresses is None and named.bits is not None:
        addresses = (0, (1 << named.bits) - 1)
    return Source(
        id=SourceId.heap(heap),
        name=name,
        contiguous=traits.contiguous if contiguous is None else contiguous == 1,
        address_range=addresses,
        capacity=capacity,
        cached=traits.cached,
        protected=protected,
        numa_node=node if on_node else None,
        substitutes_for=substitutes,
        area=area,
        provenance={fact: Provenance.KERNEL for fact, is_stated in stated.items() if is_stated},
    )


def _of_area(named: _Traits, area: str, areas: MemoryAreas) -> _Traits:
    """What the area says, where it says more than the heap's name; a sign of protection stays."""
    region = areas.regions.get(area)
    if named.protected:
        return named
    if area in areas.sizes or (region is not None and region.is_cma):
        # Its pages are lent to anybody (mm/cma.c), so the CPU reaches them all.
        return _Traits(contiguous=True, cached=named.cached is not False, protected=False)
    if region is None:
        return named
    if region.no_map and region.pool:
        # The kernel maps it for itself, write-combined (kernel/dma/coherent.c).
        return _Traits(contiguous=True, cached=False, protected=False)
    if region.no_map:
        return _Traits(contiguous=True, cached=None, protected=True)
    return _Traits(contiguous=True, cached=named.cached, protected=None)
