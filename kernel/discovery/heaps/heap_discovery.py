"""The heaps of a machine, and what is known of each and from where.

A patched kernel describes a heap's memory in sysfs (heap_files.py). A stock one has the
name alone; but the area that a heap of that name takes its memory from may be
known, from the device tree and from the kernel's list of CMA areas, and says
more than a name. What nobody says stays unknown, protection too.
"""

from __future__ import annotations

from pathlib import Path

from heapwire.kernel.discovery.heaps.heap_files import HeapFiles, heap_files
from heapwire.kernel.discovery.heaps.heap_names import PAGES, traits_of
from heapwire.kernel.discovery.heaps.memory_areas import MemoryAreas
from heapwire.kernel.discovery.sysfs import REAL, list_devices
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
            heap = HeapId(number.major, number.minor)
            source = _heap_source(heap, device.name, heap_files(device, devices), areas)
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


def _heap_source(heap: HeapId, name: str, said: HeapFiles, areas: MemoryAreas) -> Source:
    """What is known of one heap."""
    named = traits_of(name)
    area = said.region or areas.of_heap(name)
    traits = _of_area(_Traits(named.contiguous, named.cached, named.protected, False), area, areas)
    addresses = areas.addresses(area)
    capacity = said.size or areas.capacity(area)
    protected = traits.protected if said.protected is None else said.protected
    serves = protected is None and bool(said.substitutes_for)
    if serves:
        protected = False  # it serves whoever has a use for the other
    stated = {
        "contiguous": said.contiguous is not None or traits.stated,
        "cached": said.cached is not None or traits.stated,
        "protected": said.protected is not None or traits.stated or serves,
        "numa_node": said.numa_node is not None,
        "substitutes_for": bool(said.substitutes_for),
        "address_range": addresses is not None,
        "capacity": capacity is not None,
        "area": bool(said.region),
    }
    if addresses is None and named.bits is not None:
        addresses = (0, (1 << named.bits) - 1)
    return Source(
        id=SourceId.heap(heap),
        name=name,
        contiguous=traits.contiguous if said.contiguous is None else said.contiguous,
        address_range=addresses,
        capacity=capacity,
        cached=traits.cached if said.cached is None else said.cached,
        protected=protected,
        numa_node=said.numa_node,
        substitutes_for=said.substitutes_for,
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
