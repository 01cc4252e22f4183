"""What a device allocates itself, and where that is, as far as its own reach tells."""

from __future__ import annotations

from collections.abc import Iterable

from heapwire.kernel.description import Device
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import DMA_WIDTH, DeviceId, Provenance, Source, SourceId


def own_source(device: Device, number: DeviceId) -> Source:
    """What a device allocates itself, as a source; `number` is that of its node."""
    return Source(id=SourceId.device(number), name=device.name, device_local=number)


def within_reach(sources: Iterable[Source], devices: Iterable[Device]) -> tuple[Source, ...]:
    """The sources, those that are devices at addresses that these devices reach.

    A driver allocates for its device what the device can address: memory that its mask of
    DMA addresses (`dma_mask_bits` in sysfs) admits, or memory on board. So much is known of
    a device's own memory where nobody tells its addresses.
    """
    bits = {device.id: width for device in devices if (width := _width(device)) is not None}
    return tuple(
        replace(
            source,
            address_range=(0, (1 << bits[source.device_local]) - 1),
            provenance={**source.provenance, "address_range": Provenance.KERNEL},
        )
        if source.address_range is None and source.device_local in bits
        else source
        for source in sources
    )


def _width(device: Device) -> int | None:
    """The bits of addresses that a device masters; None where nobody says."""
    widths = (
        DMA_WIDTH.of(constraint)
        for sets in device.sets.values()
        for each in sets
        for constraint in each.constraints
        if constraint.type == DMA_WIDTH.type
    )
    return min((width for width in widths if width is not None), default=None)
