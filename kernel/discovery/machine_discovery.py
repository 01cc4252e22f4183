"""The machine that this runs on, as a `Platform`.

What the kernel says comes first: heaps and their attributes, links from
devices to heaps, planes and formats of displays, formats and sizes of codecs
and cameras, places on the bus, IOMMUs. Where it has no link, signs stand in for
it (docs/kernel.md, "Without links"): memory that the device tree reserves, an
IOMMU, the width of a device's addresses, the kind of a codec's queue, and the
profiles of shipped platforms for the same driver. Each keeps its provenance.

Nothing is allocated and nothing is set. A node that may not be opened, or a
library that is missing, is a note and not an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from heapwire.kernel.description import (
    Device,
    DeviceKind,
    Link,
    LinkKind,
    Platform,
    profile_constraints,
)
from heapwire.kernel.discovery.codec_sets import CodecSets, codec_sets
from heapwire.kernel.discovery.device_place import dma_bits, iommu_of, is_virtual, place_of
from heapwire.kernel.discovery.device_tree import memory_regions
from heapwire.kernel.discovery.heap_discovery import SUBSYSTEM, list_heaps, udmabuf_source
from heapwire.kernel.discovery.heap_links import linked_by, links_of
from heapwire.kernel.discovery.kms import read_planes, scanout_sets
from heapwire.kernel.discovery.libdrm import DrmDevice, open_drm
from heapwire.kernel.discovery.sysfs import REAL, SysfsDevice, list_devices
from heapwire.kernel.memory import GRANT, LocalMemory
from heapwire.kernel.video import V4l2Device, open_v4l2
from heapwire.protocol import MachineError, words_of
from heapwire.protocol.values import (
    CONTIGUOUS,
    DMA_WIDTH,
    PERMITTED_SOURCES,
    Constraint,
    DeviceId,
    Place,
    Provenance,
    Source,
    SourceId,
    Topology,
    Usage,
)

OpenDrm = Callable[[str], AbstractContextManager[DrmDevice]]
OpenV4l2 = Callable[[str], AbstractContextManager[V4l2Device]]

_CARD = re.compile(r"card\d+")
_RENDER = re.compile(r"renderD\d+")
_VIDEO = re.compile(r"video\d+")
_ADDRESS_BITS = 64


@dataclass(slots=True)
class _Found:
    """What has been found so far."""

    sources: list[Source] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unread: dict[str, list[Device]] = field(default_factory=dict)


def local_platform(
    root: Path = REAL, *, drm: OpenDrm = open_drm, v4l2: OpenV4l2 = open_v4l2
) -> Platform:
    """The machine that this runs on, or the one whose `/sys`, `/dev` and `/proc` are below `root`.

    Loads pyudev, and looks at the nodes of devices; `drm` and `v4l2` open one for
    the time of a `with` block. Raises nothing for what may not be opened or is not
    there: see `Platform.notes`.
    """
    found = _Found()
    heaps = list_heaps(root)
    top = _top_of_memory(root)
    for source, _ in heaps:
        found.sources.append(_within(source, top))
    nodes = {source.id: node for source, node in heaps}
    spare = udmabuf_source(root)
    if spare is not None:
        found.sources.append(_within(spare[0], top))
        nodes[spare[0].id] = spare[1]
    reverse = _reverse_links(root)
    for one in list_devices("drm", root):
        if _CARD.fullmatch(one.name):
            _add(found, one, _display(found, one, drm), reverse)
        elif _RENDER.fullmatch(one.name):
            _add(found, one, _gpu(one), reverse)
    for one in list_devices("video4linux", root):
        if _VIDEO.fullmatch(one.name):
            device = _codec(found, one, v4l2)
            if device is not None:
                _add(found, one, device, reverse)
    anything = {Usage.CPU_READ: (), Usage.CPU_WRITE: ()}
    found.devices.append(Device(id=None, name="cpu", kind=DeviceKind.CPU, sets=anything))
    found.notes += [_unread(why, devices) for why, devices in found.unread.items()]
    memory = LocalMemory(found.sources, nodes)
    barred = nodes.keys() - memory.openable
    closed = [source.name for source in found.sources if source.id in barred]
    if closed:
        found.notes.append(f"this user may not allocate from {', '.join(closed)}: {GRANT}")
    return Platform(
        name="local",
        title=_title(root),
        sources=tuple(found.sources),
        devices=tuple(found.devices),
        memory=memory,
        links=tuple(found.links),
        topology=Topology(
            places={d.id: d.place for d in found.devices if d.id and d.place != Place()}
        ),
        notes=tuple(found.notes),
    )


def _add(found: _Found, one: SysfsDevice, device: Device, reverse: dict[str, list[str]]) -> None:
    """Take a device in, with its links and, where it is a source itself, as a source."""
    names, kind, provenance = _linked(one, reverse)
    itself = SourceId.device(device.id) if device.id is not None else None
    known = {source.name for source in found.sources}
    for rank, name in enumerate(names):
        if name is None and itself is not None and device.name not in known:
            found.sources.append(Source(id=itself, name=device.name, device_local=device.id))
        target = device.name if name is None else name
        if name is None or name in known:
            found.links.append(
                Link(
                    device=device.name,
                    source=target,
                    rank=rank,
                    kind=kind,
                    provenance=provenance,
                )
            )
        else:
            found.notes.append(f"{device.name}: its memory {name!r} is not there")
    found.devices.append(device)


def _linked(
    one: SysfsDevice, reverse: dict[str, list[str]]
) -> tuple[tuple[str | None, ...], LinkKind, Provenance]:
    """What a device names: by links, by heaps that list it, or by the device tree."""
    links = links_of(one)
    if links is not None:
        return links.sources, links.kind, Provenance.KERNEL
    for step in one.lineage():
        if str(step.path) in reverse:
            return tuple(reverse[str(step.path)]), LinkKind.SUPPORTED, Provenance.KERNEL
    return memory_regions(one), LinkKind.PREFERRED, Provenance.KERNEL


def _reverse_links(root: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for heap in list_devices(SUBSYSTEM, root):
        for path in linked_by(heap):
            found.setdefault(path, []).append(heap.name)
    return found


def _device(one: SysfsDevice, kind: DeviceKind) -> Device:
    number = one.number
    return Device(
        id=DeviceId(number.major, number.minor) if number is not None else None,
        name=one.name,
        kind=kind,
        driver=one.physical.driver,
        place=place_of(one),
        iommu=iommu_of(one),
        node=str(one.node) if one.node is not None else None,
    )


def _display(found: _Found, one: SysfsDevice, drm: OpenDrm) -> Device:
    device = _device(one, DeviceKind.DISPLAY)
    if device.node is None:
        return device
    more = _memory_constraints(one, device, Usage.SCANOUT)
    try:
        with drm(device.node) as looked:
            planes = read_planes(looked, more)
            driver = looked.driver
    except (OSError, MachineError) as error:
        found.unread.setdefault(words_of(error), []).append(device)
        return device
    device = replace(device, driver=device.driver or driver)
    sets = scanout_sets(planes)
    if not sets:  # a GPU without a display, such as vgem
        return replace(device, kind=DeviceKind.GPU)
    return replace(device, planes=planes, sets={Usage.SCANOUT: sets})


def _gpu(one: SysfsDevice) -> Device:
    """A render node: which formats it draws only its user-space driver can tell."""
    device = _device(one, DeviceKind.GPU)
    return replace(device, sets={Usage.SAMPLING: (), Usage.RENDER: ()})


def _codec(found: _Found, one: SysfsDevice, v4l2: OpenV4l2) -> Device | None:
    device = _device(one, DeviceKind.CAMERA)
    if device.node is None:
        return None
    try:
        with v4l2(device.node) as looked:
            told = codec_sets(looked)
            title = looked.card
    except OSError as error:
        found.unread.setdefault(words_of(error), []).append(device)
        return device
    device = replace(device, kind=told.kind, title=title, bitstreams=told.bitstreams)
    if told.usage is None or not told.sets:
        return device
    more = list(_memory_constraints(one, device, told.usage))
    more += _queue_constraints(one, device, told)
    sets = tuple(replace(s, constraints=(*s.constraints, *more)) for s in told.sets)
    if not told.imports and device.id is not None:
        found.sources.append(
            Source(id=SourceId.device(device.id), name=device.name, device_local=device.id)
        )
    return replace(device, sets={told.usage: sets})


def _queue_constraints(one: SysfsDevice, device: Device, told: CodecSets) -> Iterable[Constraint]:
    if not told.imports and device.id is not None:
        itself = (SourceId.device(device.id),)
        yield Constraint(type=PERMITTED_SOURCES.type, value=itself, provenance=Provenance.KERNEL)
        return
    links = links_of(one)
    # A list of all that a device supports tells more than the sign; a preference does not.
    listed = links is not None and links.kind is LinkKind.SUPPORTED
    if told.contiguous and device.iommu is not True and not listed:
        yield Constraint(type=CONTIGUOUS.type, value=1, provenance=Provenance.PROFILE)


def _memory_constraints(one: SysfsDevice, device: Device, usage: Usage) -> tuple[Constraint, ...]:
    """What the width of addresses and the profiles say of the memory that a device takes."""
    if is_virtual(one):
        return ()
    more = list(profile_constraints(device.driver, device.kind, usage, iommu=device.iommu))
    bits = dma_bits(one)
    if bits is not None and bits < _ADDRESS_BITS and device.iommu is not True:
        more.append(Constraint(type=DMA_WIDTH.type, value=bits, provenance=Provenance.KERNEL))
    return tuple(more)


def _unread(why: str, devices: list[Device]) -> str:
    """One line for all devices that cannot be looked at for the same reason."""
    nodes = ", ".join(str(device.node) for device in devices)
    return f"{nodes}: {why}: what can be done there is not known"


def _within(source: Source, top: int | None) -> Source:
    """A source whose addresses nobody tells lies within the machine's memory."""
    if top is None or source.address_range is not None:
        return source
    provenance = {**source.provenance, "address_range": Provenance.KERNEL}
    return replace(source, address_range=(0, top - 1), provenance=provenance)


def _top_of_memory(root: Path) -> int | None:
    """The first address beyond all memory, from the hot-plug blocks; None where not told."""
    folder = root / "sys" / "devices" / "system" / "memory"
    try:
        size = int((folder / "block_size_bytes").read_text("ascii"), 16)
        blocks = [int(e.name[6:]) for e in folder.iterdir() if re.fullmatch(r"memory\d+", e.name)]
    except (OSError, ValueError):
        return None
    return (max(blocks) + 1) * size if blocks else None


def _title(root: Path) -> str:
    """What the machine is called by its device tree or its firmware."""
    for path in ("sys/firmware/devicetree/base/model", "sys/class/dmi/id/product_name"):
        try:
            text = (root / path).read_text("utf-8", "replace").strip("\0 \n")
        except OSError:
            continue
        if text:
            return text
    return "this machine"
