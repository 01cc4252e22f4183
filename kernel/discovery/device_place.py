"""What a device is, where it sits and how its DMA gets to memory, from sysfs."""

from __future__ import annotations

from collections.abc import Iterator

from heapwire.kernel.discovery.sysfs import SysfsDevice
from heapwire.protocol.values import Place

# /sys/kernel/iommu_groups/G/type: domains that map pages, so that scattered
# memory looks like one run (drivers/iommu/iommu.c); in others the device sees
# memory as it is.
_MAPPING = ("DMA", "DMA-FQ")

# Devices that are software only, by the name of their parent device: there is
# no DMA to speak of. From 6.14 on such devices sit on a bus of their own, faux.
_VIRTUAL = ("vgem", "vicodec", "vim2m", "vimc", "visl", "vivid", "vkms")
_VIRTUAL_BUSES = ("faux", "virtual")


def place_of(device: SysfsDevice) -> Place:
    """The bus path of the physical device, and its NUMA node where the kernel says one."""
    node = next(
        (
            number
            for ancestor in device.lineage()
            if (number := ancestor.integer("numa_node")) is not None and number >= 0
        ),
        None,
    )
    return Place(device.physical.bus_path, node)


def iommu_of(device: SysfsDevice) -> bool | None:
    """Whether an IOMMU maps the device's DMA; None where no DMA is known of.

    No link to a group means no IOMMU. A group whose type cannot be read is
    unknown, and unknown meets no requirement. A display that is made of several
    devices reads memory by those: by all of a driver of which one has an IOMMU, so
    that with one of them behind none it has none (rockchip_drm_platform_of_probe).
    """
    for ancestor in device.lineage():
        if (ancestor.path / "iommu_group").is_symlink():
            return _is_mapped(ancestor)
    if is_virtual(device):
        return None
    components = tuple(_components(device))
    readers = {one.target("driver") for one in components if one.target("iommu_group")}
    mapped = [_is_mapped(one) for one in components if one.target("driver") in readers]
    if not mapped or False in mapped:
        return False
    return None if None in mapped else True


def _is_mapped(device: SysfsDevice) -> bool | None:
    group = device.target("iommu_group")
    if group is None:
        return False
    kind = SysfsDevice(group, device.root).attribute("type")
    return None if kind is None else kind in _MAPPING


def _components(card: SysfsDevice) -> Iterator[SysfsDevice]:
    """The parts that a display on a SoC is put together from.

    Their drivers are in the module of the display's own (rockchip-vop in
    rockchipdrm), which has a device without hardware behind it.
    """
    bound = card.physical
    driver = bound.target("driver")
    if card.subsystem != "drm" or driver is None or bound.subsystem != "platform":
        return
    drivers = driver / "module" / "drivers"
    for other in sorted(drivers.iterdir()) if drivers.is_dir() else ():
        if other.resolve() != driver:
            for entry in sorted(other.resolve().iterdir()):
                device = SysfsDevice(entry.resolve(), card.root)
                if entry.is_symlink() and device.bus_path:
                    yield device


def compatibles_of(device: SysfsDevice) -> tuple[str, ...]:
    """What the bus says that it is: strings of the device tree, or the modalias of PCI.

    Those of a display that is made of several devices are its parts' too.
    """
    words = [word for step in (device, *_components(device)) for word in _compatibles(step)]
    if words:
        return tuple(dict.fromkeys(words))
    modalias = device.physical.attribute("modalias")
    return (modalias,) if modalias else ()


def _compatibles(device: SysfsDevice) -> tuple[str, ...]:
    for ancestor in device.lineage():
        try:
            raw = (ancestor.path / "of_node" / "compatible").read_bytes()
        except OSError:
            continue
        return tuple(word for word in raw.decode("ascii", "replace").split("\0") if word)
    return ()


def is_virtual(device: SysfsDevice) -> bool:
    """Whether nothing but software is behind the device (vkms, vicodec, vivid)."""
    path = device.physical.bus_path
    return any(part in _VIRTUAL_BUSES or part.split(".")[0] in _VIRTUAL for part in path)


def copies(device: SysfsDevice) -> bool:
    """Whether the CPU copies what the device makes: a USB device does no DMA to pictures.

    Its driver does so by videobuf2-vmalloc (uvcvideo, drivers/media/usb), which leaves
    the caches as they are: vb2's importers make no CPU access known.
    """
    return any(ancestor.subsystem == "usb" for ancestor in device.lineage())


def dma_bits(device: SysfsDevice) -> int | None:
    """The width of the addresses that it can reach, bits; the kernel tells it of PCI only."""
    return next(
        (
            bits
            for ancestor in device.lineage()
            if (bits := ancestor.integer("dma_mask_bits")) is not None and bits > 0
        ),
        None,
    )
