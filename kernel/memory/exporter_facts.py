"""What the kernel's name for an exporter says of the memory of its dma-bufs.

A dma-buf carries the name of who made it (`exp_name` in /proc/self/fdinfo): of a heap's buffer
the name of the heap, else of the module, where a driver says no other. What a module's
memory is follows from its source, which each row names; Linux 6.12.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from heapwire.protocol.late_dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExporterFacts:
    """What is known of an exporter's memory; None where its source does not settle it.

    `contiguous` is as its device sees it: behind an IOMMU that is no promise to another one.
    `mappable` says whether the CPU can reach it. `substitutes_for` names heaps in whose place it
    always serves.
    """

    source: str
    contiguous: bool | None = None
    cached: bool | None = None
    mappable: bool = True
    substitutes_for: tuple[str, ...] = ()


_VB2 = "drivers/media/common/videobuf2"

# Pages of the machine's ordinary memory: who can use those of the system heap, which come from
# anywhere in it (drivers/dma-buf/heaps/system_heap.c, alloc_largest_available), can use these.
# What a device has as coherent memory of its own has no pages, and is not exported.
_PAGES = ("system",)

FACTS_OF_EXPORTERS: Mapping[str, ExporterFacts] = MappingProxyType(
    {
        "videobuf2_dma_contig": ExporterFacts(
            source=f"{_VB2}/videobuf2-dma-contig.c, vb2_dc_alloc: dma_alloc_attrs",
            contiguous=True,
            substitutes_for=_PAGES,
        ),
        "videobuf2_dma_sg": ExporterFacts(
            source=f"{_VB2}/videobuf2-dma-sg.c, vb2_dma_sg_alloc_compacted: pages as they come",
            contiguous=False,
            cached=True,
            substitutes_for=_PAGES,
        ),
        "videobuf2_vmalloc": ExporterFacts(
            source=f"{_VB2}/videobuf2-vmalloc.c, vb2_vmalloc_alloc: vmalloc_user",
            contiguous=False,
            cached=True,
            substitutes_for=_PAGES,
        ),
        "udmabuf": ExporterFacts(
            source="drivers/dma-buf/udmabuf.c, udmabuf_create: the pages of a memfd",
            contiguous=False,
            cached=True,
            substitutes_for=_PAGES,
        ),
        "nv_dmabuf": ExporterFacts(
            # Of a GPU without memory of its own it can be, where who exports it asks for that.
            source="github.com/NVIDIA/open-gpu-kernel-modules, src/nvidia/arch/nvalloc/unix/src/"
            "osapi.c, rm_dma_buf_dup_mem_handle (595.45.04): mmap is allowed only for 0FB chips; "
            "measured: mmap fails with ENOTSUPP (580.159.04, H200)",
            mappable=False,
        ),
    }
)
"""By name; a DRM driver's buffers are all called `drm` (drivers/gpu/drm/drm_prime.c)."""
