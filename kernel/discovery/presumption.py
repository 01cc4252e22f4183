"""Presumptions: what is taken to hold of a device of which nothing better is known.

A guess, and called one. It leans to the side on which a picture is composited that could have
been scanned out, and never to the one on which a driver refuses what it was promised.
"""

from __future__ import annotations

from collections.abc import Iterable

from heapwire.kernel.description import Device, DeviceKind, profiles_of
from heapwire.kernel.discovery.device_place import is_virtual
from heapwire.kernel.discovery.sysfs import SysfsDevice
from heapwire.protocol.values import (
    CONTIGUOUS,
    PERMITTED_SOURCES,
    Constraint,
    Provenance,
    SourceId,
    Usage,
)

# Buses without scatter-gather in their devices as a rule: those of systems on a chip. About 40
# display drivers there are made of drm_gem_dma_helper.c, which refuses memory in several runs,
# and most codecs of videobuf2-dma-contig.c, which does too.
_BUSES = ("platform", "amba", "host1x")


def presumed_memory(
    entry: SysfsDevice,
    device: Device,
    known: Iterable[Constraint],
    *,
    queue_hint: bool = False,
) -> tuple[Constraint, ...]:
    """What a display or a codec needs of memory, if nothing that is known speaks of that.

    `queue_hint` says that a V4L2 queue takes no pointers to user memory, which is a sign of
    videobuf2-dma-contig on any bus.
    """
    spoken_of = any(one.type in (CONTIGUOUS.type, PERMITTED_SOURCES.type) for one in known)
    bus = entry.physical.subsystem
    suspect = queue_hint or (bus in _BUSES and not is_virtual(entry))
    if spoken_of or not suspect or device.iommu is True:
        return ()
    iommu = "no IOMMU" if device.iommu is False else "an IOMMU is not known of"
    signs = [f"{bus} bus", iommu, *(["the queue takes no user pointers"] if queue_hint else [])]
    return (
        Constraint(
            type=CONTIGUOUS.type,
            value=1,
            provenance=Provenance.PRESUMPTION,
            source=", ".join(signs),
        ),
    )


def presumed_own_memory(device: Device, own: Iterable[SourceId]) -> tuple[Constraint, ...]:
    """That a display on PCI shows what its card allocates, if its driver is known for nothing.

    `own` are the card's sources. Of the drivers on PCI that the kernel has, most read memory of
    their own and import none (bochs, qxl, virtio_gpu, hibmc, vboxvideo, gma500), or import what
    they never show (amdgpu, radeon, nouveau, loongson, Intel's discrete cards); the others have
    profiles.
    """
    known = any(Usage.SCANOUT in profile.uses for profile in profiles_of(device))
    on_pci = any(name.startswith("pci:") for name in device.compatibles)
    if device.kind is not DeviceKind.DISPLAY or device.id is None or known or not on_pci:
        return ()
    return (
        Constraint(
            type=PERMITTED_SOURCES.type,
            value=tuple(own),
            provenance=Provenance.PRESUMPTION,
            source="PCI, and nothing is known of the driver",
        ),
    )
