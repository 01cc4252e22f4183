"""What a device allocates itself, and where that is, as far as its own reach tells."""

from __future__ import annotations

from collections.abc import Iterable

from heapwire.kernel.description import Device
from heapwire.protocol.late_dataclasses import dataclass, replace
from heapwire.protocol.values import (
    ADDRESS_RANGE,
    DMA_WIDTH,
    DeviceId,
    Provenance,
    Source,
    SourceId,
)


def own_source(device: Device, number: DeviceId) -> Source:
    """What a device allocates itself, as a source; `number` is that of its node."""
    return Source(id=SourceId.device(number), name=device.name, device_local=number)


def within_reach(sources: Iterable[Source], devices: Iterable[Device]) -> tuple[Source, ...]:
    """The sources, those that are devices at addresses that these devices reach.

    A driver allocates for its device what the device can address: memory that its mask of
    DMA addresses (`dma_mask_bits` in sysfs) and the bus that it is on (`dma-ranges` of the
    device tree) admit, or memory on board. So much is known of a device's own memory where
    nobody tells its addresses, on the rung of the one that tells its reach.
    """
    reaches = {device.id: reach for device in devices if (reach := _reach(device)) is not None}
    return tuple(
        replace(
            source,
            address_range=(reach.lowest, reach.highest),
            provenance={**source.provenance, "address_range": reach.provenance},
        )
        if source.address_range is None and (reach := reaches.get(source.device_local)) is not None
        else source
        for source in sources
    )


@dataclass(frozen=True, slots=True)
class _Reach:
    lowest: int
    highest: int
    provenance: Provenance


def _reach(device: Device) -> _Reach | None:
    """The addresses that a device masters in every use; None where nobody says."""
    reach: _Reach | None = None
    for sets in device.sets.values():
        for constraint in (constraint for each in sets for constraint in each.constraints):
            if (bits := DMA_WIDTH.of(constraint)) is not None:
                lowest, highest = 0, (1 << bits) - 1
            elif (limit := ADDRESS_RANGE.of(constraint)) is not None:
                lowest, highest = limit
            else:
                continue
            told = _Reach(lowest, highest, constraint.provenance)
            reach = told if reach is None else _both(reach, told)
    return reach if reach is not None and reach.lowest <= reach.highest else None


def _both(one: _Reach, other: _Reach) -> _Reach:
    """What both reach, as sure as the one of them that is less so."""
    return _Reach(
        max(one.lowest, other.lowest),
        min(one.highest, other.highest),
        min(one.provenance, other.provenance),
    )
