"""The areas that heaps take their memory from: CMA areas and regions of the device tree.

Several heaps may be one area: since 6.17 the default one has a heap of its own
name beside `default_cma_region`, vendors add one that is not cached.
"""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path

from heapwire.kernel.discovery.heaps.dma_zone import default_area_range
from heapwire.kernel.discovery.heaps.heap_names import DEFAULT_AREA, DEFAULT_CMA, traits_of
from heapwire.kernel.discovery.heaps.reserved_memory import ReservedRegion, reserved_regions
from heapwire.protocol.late_dataclasses import dataclass

_CMA = Path("sys/kernel/mm/cma")
_CMDLINE_AREA = "reserved"  # kernel/dma/contiguous.c, dma_contiguous_reserve_area


@dataclass(frozen=True)
class MemoryAreas:
    """The areas below a root, on a machine whose heaps have these names."""

    root: Path
    heaps: frozenset[str]

    @cached_property
    def regions(self) -> dict[str, ReservedRegion]:
        """What the device tree reserves, by name."""
        return reserved_regions(self.root)

    @cached_property
    def sizes(self) -> dict[str, int | None]:
        """The bytes of each CMA area that sysfs shows (mm/cma_sysfs.c); None where it is silent."""
        folder = self.root / _CMA
        try:
            names = sorted(entry.name for entry in folder.iterdir())
        except OSError:
            return {}
        return {name: _bytes(folder / name / "total_pages") for name in names}

    @cached_property
    def default(self) -> str:
        """The name of the default CMA area.

        It is a region of the device tree unless the kernel's command line asks
        for another, and then the region is not used (rmem_cma_setup).
        """
        marked = [name for name, region in self.regions.items() if region.default]
        for name in (*marked, _CMDLINE_AREA, *DEFAULT_CMA):
            if name in self.sizes:
                return name
        if _CMDLINE_AREA in self.heaps and not self.heaps & set(marked):
            return _CMDLINE_AREA
        return marked[0] if marked else DEFAULT_AREA

    def of_heap(self, heap: str) -> str:
        """The name of the area that a heap's memory is from; empty where that is not known."""
        named = traits_of(heap).area
        if named == DEFAULT_AREA:
            # Before 6.17 the heap has the name of its area, whatever that is.
            other = heap in self.sizes or (heap in self.regions and self.regions[heap].is_cma)
            return heap if other else self.default
        return heap if heap in self.sizes or heap in self.regions else named

    def addresses(self, area: str) -> tuple[int, int] | None:
        """The first and last address that an area is within, where the kernel says."""
        region = self.regions.get(area)
        if region is not None:
            return region.addresses
        if area == self.default and area in (_CMDLINE_AREA, DEFAULT_AREA):
            return default_area_range(self.root)
        return None

    def capacity(self, area: str) -> int | None:
        """The size of an area, in bytes, where the kernel says."""
        size = self.sizes.get(area)
        region = self.regions.get(area)
        if size is None and region is not None:
            size = region.size
        if size is None and area == self.default:
            size = self._rest()
        return size

    def _rest(self) -> int | None:
        """What is left of all CMA for the default area: never less than it has."""
        total = _cma_total(self.root)
        if total is None:
            return None
        others = (
            self.sizes.get(name) or region.size or 0
            for name, region in self.regions.items()
            if region.is_cma and name != self.default
        )
        left = total - sum(others)
        return left if left > 0 else None


def _bytes(pages: Path) -> int | None:
    try:
        return int(pages.read_text("ascii")) * os.sysconf("SC_PAGE_SIZE") or None
    except (OSError, ValueError):
        return None


def _cma_total(root: Path) -> int | None:
    """The size of all CMA areas together."""
    try:
        text = (root / "proc" / "meminfo").read_text("utf-8")
    except OSError:
        return None
    total = re.search(r"^CmaTotal:\s*(\d+) kB$", text, re.MULTILINE)
    return int(total[1]) << 10 if total and int(total[1]) else None
