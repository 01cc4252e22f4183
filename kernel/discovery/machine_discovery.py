"""The machine that this runs on, as a `Platform`.

What the kernel says comes first: heaps and their attributes, links from
devices to heaps, planes and formats of displays, formats and sizes of codecs
and cameras, places on the bus, IOMMUs. Where it has no link, signs stand in for
it (docs/kernel.md, "Without links"): memory that the device tree reserves, an
IOMMU, the width of a device's addresses, the kind of a codec's queue, and the
profiles of drivers (kernel/profiles). Each keeps its provenance.

Nothing is allocated and nothing is set. A node that may not be opened, or a
library that is missing, is a note and not an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from heapwire.kernel.description import (
    Device,
    DeviceKind,
    Fact,
    Link,
    LinkKind,
    Platform,
    scanout_sets,
    with_facts_of,
)
from heapwire.kernel.discovery.codec_sets import codec_sets, nameless_note
from heapwire.kernel.discovery.device_place import (
    compatibles_of,
    copies,
    dma_bits,
    iommu_of,
    is_virtual,
    place_of,
)
from heapwire.kernel.discovery.driver_profiles import profiled, speaks_of_memory
from heapwire.kernel.discovery.gpu import NvidiaGpu, list_nvidia
from heapwire.kernel.discovery.heaps import (
    SUBSYSTEM,
    is_coherent,
    linked_by,
    links_of,
    list_heaps,
    memory_regions,
    udmabuf_source,
)
from heapwire.kernel.discovery.kms import read_planes
from heapwire.kernel.discovery.own_memory import own_source, within_reach
from heapwire.kernel.discovery.presumption import presumed_memory
from heapwire.kernel.discovery.sysfs import REAL, SysfsDevice, list_devices
from heapwire.kernel.drm import DrmDevice, open_drm
from heapwire.kernel.memory import LocalMemory, grant
from heapwire.kernel.video import V4l2Device, open_v4l2
from heapwire.protocol import MachineError, words_of
from heapwire.protocol.late_dataclasses import dataclass, field, replace
from heapwire.protocol.values import (
    DIRTY_LINES,
    DMA_WIDTH,
    NO_SNOOP,
    PERMITTED_SOURCES,
    Constraint,
    DeviceId,
    Place,
    Provenance,
    Source,
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
class _Discovery:
    """What is known so far; `unread` has devices by the reason why their nodes cannot be read."""

    sources: list[Source] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    unread: dict[str, list[Device]] = field(default_factory=dict)


def local_platform(
    root: Path = REAL, *, drm: OpenDrm = open_drm, v4l2: OpenV4l2 = open_v4l2
) -> Platform:
    """The machine that this runs on, or the one whose `/sys`, `/dev` and `/proc` are below `root`.

    Loads pyudev, and looks at the nodes of devices; `drm` and `v4l2` open one for
    the time of a `with` block. Raises nothing for what may not be opened or is not
    there: see `Platform.notes`.
    """
    discovery = _Discovery()
    heaps = list_heaps(root)
    top = _top_of_memory(root)
    for source, _ in heaps:
        discovery.sources.append(_within(source, top))
    nodes = {source.id: node for source, node in heaps}
    spare = udmabuf_source(root)
    if spare is not None:
        discovery.sources.append(_within(spare[0], top))
        nodes[spare[0].id] = spare[1]
    reverse = _reverse_links(root)
    for entry in list_devices("drm", root):
        if _CARD.fullmatch(entry.name):
            _add(discovery, entry, _display(discovery, entry, drm), reverse)
        elif _RENDER.fullmatch(entry.name):
            _add(discovery, entry, _gpu(entry), reverse)
    for nvidia in list_nvidia(root):
        if not (nvidia.entry.path / "drm").is_dir():
            device = _gpu_without_drm(nvidia)
            _add(discovery, nvidia.entry, device, reverse)
            discovery.notes.append(
                f"{device.name} has no DRM node (nvidia-drm is not loaded): it imports nothing, "
                "and exports what it decodes only if it is of a kind that does"
            )
    for entry in list_devices("video4linux", root):
        if _VIDEO.fullmatch(entry.name):
            codec = _codec(discovery, entry, v4l2)
            if codec is not None:
                _add(discovery, entry, codec, reverse)
    anything = {Usage.CPU_READ: (), Usage.CPU_WRITE: ()}
    discovery.devices.append(Device(id=None, name="cpu", kind=DeviceKind.CPU, sets=anything))
    discovery.devices, itself = profiled(discovery.devices, discovery.sources)
    discovery.sources = list(within_reach([*discovery.sources, *itself], discovery.devices))
    discovery.notes += [_unread(why, devices) for why, devices in discovery.unread.items()]
    memory = LocalMemory(discovery.sources, nodes)
    barred = nodes.keys() - memory.openable
    closed = [source.name for source in discovery.sources if source.id in barred]
    if closed:
        granting = grant(source.kind for source in barred)
        discovery.notes.append(f"this user may not allocate from {', '.join(closed)}: {granting}")
    return Platform(
        name="local",
        title=_title(root),
        sources=tuple(discovery.sources),
        devices=tuple(discovery.devices),
        memory=memory,
        links=tuple(discovery.links),
        topology=Topology(
            places={d.id: d.place for d in discovery.devices if d.id and d.place != Place()}
        ),
        notes=tuple(discovery.notes),
        remarks=tuple(discovery.remarks),
    )


def _add(
    discovery: _Discovery, entry: SysfsDevice, device: Device, reverse: dict[str, list[str]]
) -> None:
    """Take a device in, with its links and, where it is a source itself, as a source."""
    names, kind, provenance = _linked(entry, reverse)
    source_names = {source.name for source in discovery.sources}
    for rank, name in enumerate(names):
        if name is None and device.id is not None and device.name not in source_names:
            discovery.sources.append(own_source(device, device.id))
        target = device.name if name is None else name
        if name is None or name in source_names:
            discovery.links.append(
                Link(
                    device=device.name,
                    source=target,
                    rank=rank,
                    kind=kind,
                    provenance=provenance,
                )
            )
        else:
            discovery.notes.append(f"{device.name}: its memory {name!r} is not there")
    discovery.devices.append(device)


def _linked(
    entry: SysfsDevice, reverse: dict[str, list[str]]
) -> tuple[tuple[str | None, ...], LinkKind, Provenance]:
    """What a device names: by links, by heaps that list it, or by the device tree."""
    links = links_of(entry)
    if links is not None:
        # A driver that copies with the CPU says what is best, and can write to anything.
        kind = LinkKind.PREFERRED if copies(entry) else links.kind
        return links.sources, kind, Provenance.KERNEL
    for step in entry.lineage():
        if str(step.path) in reverse:
            return tuple(reverse[str(step.path)]), LinkKind.SUPPORTED, Provenance.KERNEL
    return memory_regions(entry), LinkKind.PREFERRED, Provenance.KERNEL


def _reverse_links(root: Path) -> dict[str, list[str]]:
    heaps_by_device: dict[str, list[str]] = {}
    for heap in list_devices(SUBSYSTEM, root):
        for path in linked_by(heap):
            heaps_by_device.setdefault(path, []).append(heap.name)
    return heaps_by_device


def _device(entry: SysfsDevice, kind: DeviceKind) -> Device:
    number = entry.number
    return Device(
        id=DeviceId(number.major, number.minor) if number is not None else None,
        name=entry.name,
        kind=kind,
        driver=entry.physical.carried_driver,
        compatibles=compatibles_of(entry),
        place=place_of(entry),
        iommu=iommu_of(entry),
        node=str(entry.node) if entry.node is not None else None,
    )


def _display(discovery: _Discovery, entry: SysfsDevice, drm: OpenDrm) -> Device:
    device = _device(entry, DeviceKind.DISPLAY)
    if device.node is None:
        return device
    try:
        with drm(device.node) as card:
            planes = read_planes(card)
            driver = card.driver
    except (OSError, MachineError) as error:
        discovery.unread.setdefault(words_of(error), []).append(device)
        # A card with connectors has a display, whoever may look at it.
        connected = any(entry.path.glob(f"{entry.path.name}-*"))
        return device if connected else replace(device, kind=DeviceKind.UNKNOWN)
    device = replace(device, driver=device.driver or driver, api_driver=driver)
    sets = scanout_sets(planes)
    if not sets:  # a GPU without a display, such as vgem
        return replace(device, kind=DeviceKind.GPU)
    device = replace(device, planes=planes, sets={Usage.SCANOUT: sets})
    return with_facts_of(device, Usage.SCANOUT, _memory_facts(entry, device, Usage.SCANOUT))


def _gpu(entry: SysfsDevice) -> Device:
    """A render node: which formats it draws only its user-space driver can tell."""
    device = _device(entry, DeviceKind.GPU)
    return replace(device, sets={Usage.SAMPLING: (), Usage.RENDER: ()})


def _gpu_without_drm(gpu: NvidiaGpu) -> Device:
    """A GPU that only its own driver knows: it has no use that another process can share in.

    EGL lists formats there, and refuses each import without a DRM node to import through.
    """
    return replace(
        _device(gpu.entry, DeviceKind.GPU),
        id=gpu.number,
        name=gpu.node.rpartition("/")[2],
        title=gpu.title,
        node=gpu.node,
    )


def _codec(discovery: _Discovery, entry: SysfsDevice, v4l2: OpenV4l2) -> Device | None:
    device = _device(entry, DeviceKind.UNKNOWN)
    if device.node is None:
        return None
    try:
        with v4l2(device.node) as node:
            codec = codec_sets(node)
            title, driver = node.card, node.driver
    except OSError as error:
        discovery.unread.setdefault(words_of(error), []).append(device)
        return device
    device = replace(
        device, kind=codec.kind, title=title, api_driver=driver, bitstreams=codec.bitstreams
    )
    if codec.nameless:
        discovery.remarks.append(nameless_note(device.name, codec))
    if codec.usage is None or not codec.sets:
        return device
    device = replace(device, sets={codec.usage: codec.sets})
    if codec.imports or device.id is None:
        facts = _memory_facts(entry, device, codec.usage, queue_hint=codec.contiguous)
    else:
        own = own_source(device, device.id)
        facts = [
            Fact(
                constraint=Constraint(
                    type=PERMITTED_SOURCES.type,
                    value=(own.id,),
                    provenance=Provenance.KERNEL,
                    source="the queue imports nothing",
                )
            )
        ]
        discovery.sources.append(own)
    return with_facts_of(device, codec.usage, facts)


def _memory_facts(
    entry: SysfsDevice, device: Device, usage: Usage, *, queue_hint: bool = False
) -> list[Fact]:
    """What is known, or else presumed, of the memory that a device takes for a use.

    By the width of its addresses, its caches, and the kind of a codec's queue, if
    `queue_hint` says that it takes no pointers to user memory. Profiles come later
    (`profiled`), and leave nothing to presume.
    """
    if is_virtual(entry) and not queue_hint:
        return []
    known: list[Constraint] = []
    if not is_virtual(entry) and is_coherent(entry) is False:
        known.append(Constraint(type=NO_SNOOP.type, value=1, provenance=Provenance.KERNEL))
    if copies(entry):  # the CPU writes: no DMA reaches the buffer, and no memory is out of reach
        known.append(Constraint(type=DIRTY_LINES.type, value=1, provenance=Provenance.PROFILE))
        return [Fact(constraint=constraint) for constraint in known]
    bits = dma_bits(entry)
    if bits is not None and bits < _ADDRESS_BITS and device.iommu is not True:
        known.append(
            Constraint(
                type=DMA_WIDTH.type,
                value=bits,
                provenance=Provenance.KERNEL,
                source="dma_mask_bits",
            )
        )
    links = links_of(entry)
    # A list of all that a device supports tells more than a sign; a preference does not.
    listed = links is not None and links.kind is LinkKind.SUPPORTED
    if not listed and not speaks_of_memory(device, usage):
        known += presumed_memory(entry, device, known, queue_hint=queue_hint)
    return [Fact(constraint=constraint) for constraint in known]


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
