"""What the name of a heap says of its memory, where nobody says more.

Names are the ABI of heaps (Documentation/userspace-api/dma-buf-heaps.rst): the
kernel's own are documented, those of vendors stand in their kernels. The first
row that fits counts, so the signs of protection come first: a name that hints
at it never stands for ordinary memory.
"""

from __future__ import annotations

import re

from heapwire.protocol.late_dataclasses import dataclass

DEFAULT_AREA = "default"
"""The area of the default CMA area's heap, whose name the machine has to tell."""
PAGES = "pages"
"""The area of heaps that take pages wherever the kernel has some (alloc_pages)."""

DEFAULT_CMA = ("default_cma_region", "linux,cma", "reserved", "default-pool")
"""Names of the default CMA area's heap: since 6.17 the first, before that and beside it
(DMABUF_HEAPS_CMA_LEGACY) that of its area (drivers/dma-buf/heaps/cma_heap.c)."""


@dataclass(frozen=True, slots=True)
class HeapTraits:
    """What a name says; None is "it does not".

    `area` is DEFAULT_AREA, PAGES or empty; `bits` the width of its addresses
    where that is less than all. `source` is where the name is from.
    """

    contiguous: bool | None = None
    cached: bool | None = None
    protected: bool | None = None
    area: str = ""
    bits: int | None = None
    source: str = ""


_UNKNOWN = HeapTraits()

_DEFAULT_NAMES = "|".join(map(re.escape, DEFAULT_CMA))
_TEE = "drivers/tee/tee_heap.c"
_DOCUMENTED = "Documentation/userspace-api/dma-buf-heaps.rst"
_ANDROID = "android common kernel: drivers/dma-buf/heaps/system_heap.c"
_ROCKCHIP = "rockchip-linux/kernel: drivers/dma-buf/heaps/cma_heap.c, system_heap.c"
_NXP = "NXP: drivers/dma-buf/heaps/cma_heap.c"
_MEDIATEK = "MediaTek: drivers/dma-buf/heaps/mtk_sec_heap.c"
_QUALCOMM = "Qualcomm: drivers/dma-buf/heaps/qcom_dma_heap.c"
_SAMSUNG = "Samsung, Google: drivers/dma-buf/heaps/samsung/hpa_dma_heap.c"

_ROWS = (
    # Out of the CPU's reach.
    (r"protected,.*", HeapTraits(True, None, True, source=_TEE)),
    (
        r"mtk_(?:svp|prot|2d_fr|wfd|sapu|tui|sec)\w*_page(?:-\w+)?",
        HeapTraits(False, None, True, source=_MEDIATEK),
    ),
    (
        r"mtk_(?:svp|prot|2d_fr|wfd|sapu|tui|sec)\w*(?:-\w+)?",
        HeapTraits(None, None, True, source=_MEDIATEK),
    ),
    (r"qcom,(?:secure-.*|display|.*_secure)", HeapTraits(None, None, True, source=_QUALCOMM)),
    (
        r"(?:.*[-_,])?vpr(?:[-_@].*)?",
        HeapTraits(True, None, True, source="Tegra VPR heap, in review"),
    ),
    (r"(?:.*[-_,])?secure(?:[-_,@].*)?", HeapTraits(None, None, True, source=_SAMSUNG)),
    (r"(?:.*[-_,])?protected(?:[-_,@].*)?", HeapTraits(None, None, True, source=_DOCUMENTED)),
    # Any pages.
    (r"system", HeapTraits(False, True, False, PAGES, source=_DOCUMENTED)),
    (
        r"system_cc_shared",
        HeapTraits(False, True, False, PAGES, source="drivers/dma-buf/heaps/system_heap.c"),
    ),
    (r"system-uncached", HeapTraits(False, False, False, PAGES, source=_ANDROID)),
    (r"system-dma32", HeapTraits(False, True, False, PAGES, 32, _ROCKCHIP)),
    (r"system-uncached-dma32", HeapTraits(False, False, False, PAGES, 32, _ROCKCHIP)),
    (r"video_system", HeapTraits(False, True, False, PAGES, source=_SAMSUNG)),
    (r"video_system-uncached", HeapTraits(False, False, False, PAGES, source=_SAMSUNG)),
    (r"mtk_mm", HeapTraits(False, True, False, PAGES, source=_MEDIATEK)),
    (r"mtk_mm-uncached", HeapTraits(False, False, False, PAGES, source=_MEDIATEK)),
    (r"qcom,system", HeapTraits(False, True, False, PAGES, source=_QUALCOMM)),
    (r"qcom,system-uncached", HeapTraits(False, False, False, PAGES, source=_QUALCOMM)),
    # One run of addresses.
    (_DEFAULT_NAMES, HeapTraits(True, True, False, DEFAULT_AREA, source=_DOCUMENTED)),
    (
        rf"(?:{_DEFAULT_NAMES})-uncached",
        HeapTraits(
            True, False, False, DEFAULT_AREA, source="NXP: drivers/dma-buf/heaps/cma_heap.c"
        ),
    ),
    (r"cma(?:-dma32)?", HeapTraits(True, True, False, DEFAULT_AREA, source=_ROCKCHIP)),
    (r"cma-uncached(?:-dma32)?", HeapTraits(True, False, False, DEFAULT_AREA, source=_ROCKCHIP)),
    (r"(?:per)?numa\d+", HeapTraits(True, True, False, source="kernel/dma/contiguous.c")),
    (r"(?:per)?numa\d+-uncached", HeapTraits(True, False, False, source="kernel/dma/contiguous.c")),
    # A region of the device tree, which without signs of protection is a reusable pool.
    (r"[^@]+@[0-9a-f]+", HeapTraits(True, True, False, source=_DOCUMENTED)),
    (r".*-contiguous", HeapTraits(True, True, False, source=_DOCUMENTED)),
    # A link that Raspberry Pi OS makes: to the default area, or to the system heap.
    (r"vidbuf_cached", HeapTraits(None, True, False, source="raspberrypi-sys-mods: udev rules")),
    # Carved out of memory for somebody; whether the CPU may look in, the name does not say.
    (r"(?:.*[-_,])?carveout(?:[-_,@].*)?", HeapTraits(True, source="carveout heaps, in review")),
    (
        r"(?:.*[-_,])?coherent(?:[-_,@].*)?",
        HeapTraits(True, False, None, source="coherent heap, in review"),
    ),
    (r".*-uncached.*", HeapTraits(None, False, source=_ANDROID)),
)
_PATTERNS = tuple((re.compile(pattern), traits) for pattern, traits in _ROWS)


def traits_of(name: str) -> HeapTraits:
    """What a heap's name says of it."""
    return next((said for pattern, said in _PATTERNS if pattern.fullmatch(name)), _UNKNOWN)
