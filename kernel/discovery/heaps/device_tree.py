"""Memory that a device tree reserves for a device.

A node's `memory-region` points at nodes of /reserved-memory. One that is a
`shared-dma-pool` and `reusable` becomes a heap that has the node's name
(dma-buf-heaps.rst); one with `no-map` does not.
"""

from __future__ import annotations

import struct
from pathlib import Path

from heapwire.kernel.discovery.sysfs import SysfsDevice

# The default CMA area's heap: since 6.17 the first, before that the others
# (dma-buf-heaps.rst; drivers/dma-buf/heaps/cma_heap.c).
DEFAULT_CMA = ("default_cma_region", "linux,cma", "reserved", "default-pool")

_RESERVED = Path("sys/firmware/devicetree/base/reserved-memory")


def memory_regions(device: SysfsDevice) -> tuple[str, ...]:
    """The names of the reusable pools of a device, in the order of the device tree."""
    for ancestor in device.lineage():
        handles = _cells(ancestor.path / "of_node" / "memory-region")
        if handles:
            pools = _pools(device.root / _RESERVED)
            return tuple(pools[handle] for handle in handles if handle in pools)
    return ()


def pool_range(heap: str, root: Path) -> tuple[int, int] | None:
    """The addresses, first and last, that the pool of a heap is kept within.

    The heap has the name of its node, or its node is the default one and the
    heap the default CMA area's. `reg` says where the pool is, `alloc-ranges`
    where the kernel may put it.
    """
    folder = root / _RESERVED
    if not folder.is_dir():
        return None
    default = heap in DEFAULT_CMA
    for node in sorted(folder.iterdir()):
        if node.name == heap or (default and (node / "linux,cma-default").exists()):
            counts = [
                (_cells(folder / f"#{kind}-cells") or (1,))[0] for kind in ("address", "size")
            ]
            numbers = _cells(node / "reg") or _cells(node / "alloc-ranges")
            if len(numbers) >= sum(counts):
                base = _number(numbers[: counts[0]])
                size = _number(numbers[counts[0] : sum(counts)])
                return (base, base + size - 1) if size else None
    return None


def _number(cells: tuple[int, ...]) -> int:
    number = 0
    for cell in cells:
        number = number << 32 | cell
    return number


def _pools(folder: Path) -> dict[int, str]:
    """The reusable pools by their phandles."""
    pools: dict[int, str] = {}
    if not folder.is_dir():
        return pools
    for node in sorted(folder.iterdir()):
        handle = _cells(node / "phandle")
        if handle and (node / "reusable").exists() and "shared-dma-pool" in _words(node):
            pools[handle[0]] = node.name
    return pools


def _words(node: Path) -> list[str]:
    try:
        return (node / "compatible").read_bytes().decode("ascii", "replace").split("\0")
    except OSError:
        return []


def _cells(path: Path) -> tuple[int, ...]:
    """A property's cells: big-endian u32, as in every device tree."""
    try:
        data = path.read_bytes()
    except OSError:
        return ()
    return struct.unpack(f">{len(data) // 4}I", data[: len(data) // 4 * 4])
