"""What the kernel's name for an exporter says of the memory of its dma-bufs.

A dma-buf carries the name of who made it (`exp_name` in /proc/self/fdinfo): of a heap's buffer
the name of the heap, else of the module, where a driver says no other. What a module's
memory is follows from its source, which each row names; Linux 6.12.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from heapwire.client_lib.exporters.exported_frame import ExportedObject
from heapwire.kernel.description import Platform
from heapwire.kernel.memory import BufferInfo
from heapwire.protocol import InputError
from heapwire.protocol.late_dataclasses import dataclass, replace
from heapwire.protocol.values import DeviceId, Provenance, Source, SourceId


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
            source="measured: mmap fails with ENOTSUPP (NVIDIA 580.159.04, H200)",
            mappable=False,
        ),
    }
)
"""By name; a DRM driver's buffers are all called `drm` (drivers/gpu/drm/drm_prime.c)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """Who allocated: a device by its name and number; `iommu` says whether it is behind one.

    `iommu` is None where nobody knows, and then its memory is not known to be contiguous.
    """

    name: str
    device: DeviceId
    iommu: bool | None = None

    def memory(self, exporter: str) -> Source:
        """The device's own memory as a source, by the kernel's name for the exporter."""
        known = FACTS_OF_EXPORTERS.get(exporter, ExporterFacts(source=""))
        contiguous = known.contiguous
        if contiguous and self.iommu is not False:
            contiguous = None
        own = Source(
            id=SourceId.device(self.device),
            name=f"{self.name}'s own",
            contiguous=contiguous,
            cached=known.cached,
            # Out of the CPU's reach is no proof that content is safe there: neither is promised.
            protected=False if known.mappable else None,
            device_local=None if known.mappable else self.device,
            substitutes_for=known.substitutes_for,
        )
        rung = Provenance.PROFILE
        told = {"contiguous": contiguous, "cached": known.cached}
        return replace(
            own, provenance={key: rung for key, value in told.items() if value is not None}
        )

    def object_of(
        self, fd: int, size: int = 0, *, machine: Platform | None = None
    ) -> ExportedObject:
        """What a dma-buf is: of a heap or udmabuf of this `machine`, else of the device itself.

        `size` in bytes is taken where the kernel tells none. The fd stays the caller's. Raises
        `InputError` where nobody tells a size: it is no dma-buf.
        """
        info = BufferInfo.of(fd)
        length = size if info is None else info.size
        if not length:
            raise InputError(f"fd {fd} of {self.name} is no dma-buf, and nobody says its size")
        source = None if machine is None else machine.memory.identify(fd)
        if machine is not None and source is not None:
            memory = machine.source(source)
        else:
            memory = self.memory("" if info is None else info.exporter)
        return ExportedObject(memory, length, fd)
