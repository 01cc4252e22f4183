"""Who allocated a dma-buf, and what its memory is then as a source."""

from __future__ import annotations

from heapwire.client_lib.exporters.exported_frame import ExportedObject
from heapwire.kernel.description import Platform
from heapwire.kernel.memory import FACTS_OF_EXPORTERS, BufferInfo, ExporterFacts
from heapwire.protocol import InputError
from heapwire.protocol.late_dataclasses import dataclass, replace
from heapwire.protocol.values import DeviceId, Provenance, Source, SourceId


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
            mappable=known.mappable,
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
