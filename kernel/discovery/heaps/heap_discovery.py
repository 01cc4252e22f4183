"""The heaps of a machine, and what is known of each and from where.

A patched kernel says in sysfs whether a heap is contiguous, on which NUMA node
it is and for which heap it can stand in (docs/kernel.md). Of a stock kernel's
heaps the names are documented (Documentation/userspace-api/dma-buf-heaps.rst),
and the name is all there is to go by.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from heapwire.kernel.discovery.heaps.device_tree import DEFAULT_CMA, pool_range
from heapwire.kernel.discovery.sysfs import REAL, SysfsDevice, list_devices
from heapwire.protocol.values import HeapId, Provenance, Source, SourceId, SourceKind

SUBSYSTEM = "dma_heap"
"""The class of the heaps in sysfs (drivers/dma-buf/dma-heap.c)."""

_CONTIGUOUS = re.compile(
    rf"(?:{'|'.join(map(re.escape, DEFAULT_CMA))}|numa\d+|pernuma\d+)(?:-uncached)?"
    r"|.*-contiguous|protected,.*"
)
_SCATTERED = re.compile(r"system(?:-uncached|_cc_shared)?")


def list_heaps(root: Path = REAL) -> tuple[tuple[Source, str], ...]:
    """Each heap as a source, with the path of its node, in the order of their names."""
    heaps = []
    for device in list_devices(SUBSYSTEM, root):
        number = device.number
        if number is not None:
            node = device.node or root / "dev" / SUBSYSTEM / device.name
            source = heap_source(device, HeapId(number.major, number.minor), root)
            heaps.append((source, str(node)))
    return tuple(heaps)


def heap_source(device: SysfsDevice, heap: HeapId, root: Path = REAL) -> Source:
    """What is known of one heap."""
    name = device.name
    provenance: dict[str, Provenance] = {}
    contiguous: bool | None
    stated = device.integer("contiguous")
    if stated is not None:
        contiguous = stated == 1
        provenance["contiguous"] = Provenance.KERNEL
    else:
        contiguous = _by_name(name)
    node = device.integer("numa_node")
    if node is not None and node >= 0:
        provenance["numa_node"] = Provenance.KERNEL
    substitutes = device.attribute("substitutes_for")
    if substitutes:
        provenance["substitutes_for"] = Provenance.KERNEL
    capacity = _cma_bytes(root) if name in DEFAULT_CMA else None
    if capacity is not None:
        provenance["capacity"] = Provenance.KERNEL
    addresses = pool_range(name, root)
    if addresses is not None:
        provenance["address_range"] = Provenance.KERNEL
    return Source(
        id=SourceId.heap(heap),
        name=name,
        contiguous=contiguous,
        address_range=addresses,
        capacity=capacity,
        cached=_cached(name),
        protected=name.startswith("protected,"),
        numa_node=node if node is not None and node >= 0 else None,
        substitutes_for=tuple(substitutes.split()) if substitutes else (),
        provenance=provenance,
    )


def udmabuf_source(root: Path = REAL) -> tuple[Source, str] | None:
    """The source of last resort and its node, None where the kernel has none."""
    for device in list_devices("misc", root):
        number = device.number
        if device.name == "udmabuf" and number is not None:
            source = Source(
                id=SourceId(SourceKind.UDMABUF, number.major, number.minor),
                name="udmabuf",
                contiguous=False,
                cached=True,
            )
            return source, str(device.node or root / "dev" / "udmabuf")
    return None


def _by_name(name: str) -> bool | None:
    if _CONTIGUOUS.fullmatch(name):
        return True
    return False if _SCATTERED.fullmatch(name) else None


def _cached(name: str) -> bool | None:
    """Heaps are cached unless their name says otherwise; protected ones have no CPU mapping."""
    if name.startswith("protected,"):
        return None
    return not name.endswith("-uncached") if _by_name(name) is not None else None


def _cma_bytes(root: Path) -> int | None:
    """The size of all CMA areas together: never less than that of the default one."""
    try:
        lines = (root / "proc" / "meminfo").read_text("utf-8").splitlines()
    except OSError:
        return None
    entries: Mapping[str, str] = dict(line.split(":", 1) for line in lines if ":" in line)
    total = re.fullmatch(r"\s*(\d+) kB", entries.get("CmaTotal", ""))
    return int(total[1]) << 10 if total and int(total[1]) else None
