"""The regions that a device tree reserves: /reserved-memory.

A `shared-dma-pool` that is `reusable` is a CMA area, and becomes a heap that
has the node's name (dma-buf-heaps.rst); one with `no-map` is a pool of coherent
memory, and any other region with `no-map` is one that the kernel does not map.
"""

from __future__ import annotations

import struct
from pathlib import Path

from heapwire.kernel.discovery.sysfs import SysfsDevice
from heapwire.protocol.late_dataclasses import dataclass

_RESERVED = Path("sys/firmware/devicetree/base/reserved-memory")
_MOST_NODES = 256  # regions of one tree; the kernel keeps 64 (MAX_RESERVED_REGIONS)
_MOST_BYTES = 4096  # of one property


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedRegion:
    """One node. `addresses`, first and last, hold the region; `size` is its own, in bytes.

    `default` marks the area that devices without one of their own get.
    """

    name: str
    handle: int | None
    pool: bool
    reusable: bool
    no_map: bool
    default: bool
    addresses: tuple[int, int] | None
    size: int | None

    @property
    def is_cma(self) -> bool:
        """Whether the kernel lends its pages to anybody until a device needs them."""
        return self.pool and self.reusable


def reserved_regions(root: Path) -> dict[str, ReservedRegion]:
    """The regions by the full names of their nodes."""
    folder = root / _RESERVED
    try:
        nodes = sorted(node for node in folder.iterdir() if node.is_dir())[:_MOST_NODES]
    except OSError:
        return {}
    counts = [(cells_of(folder / f"#{kind}-cells") or (1,))[0] for kind in ("address", "size")]
    return {node.name: _region(node, counts[0], counts[1]) for node in nodes}


def memory_regions(device: SysfsDevice) -> tuple[str, ...]:
    """The names of the reusable pools of a device, in the order of the device tree."""
    for ancestor in device.lineage():
        handles = cells_of(ancestor.path / "of_node" / "memory-region")
        if handles:
            pools = {
                region.handle: region.name
                for region in reserved_regions(device.root).values()
                if region.is_cma
            }
            return tuple(pools[handle] for handle in handles if handle in pools)
    return ()


def is_coherent(device: SysfsDevice) -> bool | None:
    """Whether the device's DMA sees the CPU's caches; None without a device tree.

    `dma-coherent` stands in the node of the device or of one of its buses
    (drivers/of/address.c, of_dma_is_coherent); `dma-noncoherent` ends the search.
    """
    for ancestor in device.lineage():
        node = ancestor.path / "of_node"
        if not node.is_dir():
            continue
        node, top = node.resolve(), (device.root / "sys/firmware/devicetree/base").resolve()
        while True:
            if (node / "dma-coherent").exists():
                return True
            if (node / "dma-noncoherent").exists() or node == top or top not in node.parents:
                return False
            node = node.parent
    return None


def cells_of(path: Path) -> tuple[int, ...]:
    """A property's cells: big-endian u32, as in every device tree."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES)
    except OSError:
        return ()
    return struct.unpack(f">{len(data) // 4}I", data[: len(data) // 4 * 4])


def _region(node: Path, address_cells: int, size_cells: int) -> ReservedRegion:
    handle = cells_of(node / "phandle")
    placed = _ranges(cells_of(node / "reg"), address_cells, size_cells)
    movable = _ranges(cells_of(node / "alloc-ranges"), address_cells, size_cells)
    size = _number(cells_of(node / "size")) or None
    addresses = placed[0] if placed else None
    if addresses is not None:
        size = addresses[1] - addresses[0] + 1
    elif movable:
        addresses = (min(first for first, _ in movable), max(last for _, last in movable))
    return ReservedRegion(
        name=node.name,
        handle=handle[0] if handle else None,
        pool="shared-dma-pool" in _words(node / "compatible"),
        reusable=(node / "reusable").exists(),
        no_map=(node / "no-map").exists(),
        default=(node / "linux,cma-default").exists(),
        addresses=addresses,
        size=size,
    )


def _ranges(cells: tuple[int, ...], address_cells: int, size_cells: int) -> list[tuple[int, int]]:
    step = address_cells + size_cells
    if not 0 < step <= len(cells):
        return []
    ranges = []
    for start in range(0, len(cells) - step + 1, step):
        base = _number(cells[start : start + address_cells])
        size = _number(cells[start + address_cells : start + step])
        if size:
            ranges.append((base, base + size - 1))
    return ranges


def _number(cells: tuple[int, ...]) -> int:
    number = 0
    for cell in cells:
        number = number << 32 | cell
    return number


def _words(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("ascii", "replace").split("\0")
    except OSError:
        return []
