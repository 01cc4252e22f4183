"""Where the kernel puts the default CMA area, if nobody asks for a place.

On 64-bit ARM below the end of the zone DMA (arch/arm64/mm/init.c: `bootmem_init` reserves it
under `arm64_dma_phys_limit`, which is that end). The zone ends at the last address that every
device of the device tree reaches (`of_dma_get_max_cpu_address`), so that all of them can use
the area. Other architectures have other limits, or a zone DMA that means something else.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_ARM64 = "sys/devices/system/cpu"  # cpuN/regs/identification/midr_el1, on arm64 alone
_ZONE = re.compile(
    r"^Node \d+, zone +DMA$(?:(?!^Node ).*\n)*? +spanned +(\d+)$(?:(?!^Node ).*\n)*? +"
    r"start_pfn: +(\d+)$",
    re.MULTILINE,
)


def default_area_range(root: Path) -> tuple[int, int] | None:
    """The first and last address that the default area is within; None where nobody says."""
    if not any((root / _ARM64).glob("cpu[0-9]*/regs/identification/midr_el1")):
        return None
    try:
        text = (root / "proc" / "zoneinfo").read_text("utf-8")
    except OSError:
        return None
    ends = [int(spanned) + int(start) for spanned, start in _ZONE.findall(text)]
    return (0, max(ends) * os.sysconf("SC_PAGE_SIZE") - 1) if ends else None
