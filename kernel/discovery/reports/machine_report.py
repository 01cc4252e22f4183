"""A machine that somebody reports, as the tables of a platform's file.

What a report does not tell is left out, or presumed and called so: a stock kernel
has the `system` heap, and one on a system on a chip the default CMA area.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from heapwire.kernel.description import (
    Device,
    DeviceKind,
    Fact,
    Platform,
    read_text_file,
    with_facts_of,
)
from heapwire.kernel.discovery.codec_sets import codec_sets
from heapwire.kernel.discovery.driver_profiles import profiled, speaks_of_memory
from heapwire.kernel.discovery.reports.drm_info import cards_of, is_drm_info
from heapwire.kernel.discovery.reports.json_file import MOST_JSON_BYTES, read_json
from heapwire.kernel.discovery.reports.machine_list import KEY, listed_platform
from heapwire.kernel.discovery.reports.platform_tables import Table, platform_data
from heapwire.kernel.discovery.reports.v4l2_listing import (
    V4l2Listing,
    is_v4l2_listing,
    read_v4l2_listing,
)
from heapwire.kernel.memory import MemfdMemory
from heapwire.protocol import FileError
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import (
    ADDRESS_RANGE,
    CONTIGUOUS,
    DIRTY_LINES,
    Constraint,
    DeviceId,
    HeapId,
    Place,
    Provenance,
    Source,
    SourceId,
    Usage,
)

_VIDEO_MAJOR = 81  # Documentation/admin-guide/devices.txt


def reported_machine(files: Sequence[str], *, name: str) -> Table:
    """The tables of a platform that has what the files tell of.

    A file is the JSON of `drm_info -j`, or what `v4l2-ctl --list-formats-ext` printed; or
    one, and no other, that `heapwire list --json` printed. Raises `FileError`, with file
    and place, for one that is none of these.
    """
    devices: list[Device] = []
    for file in files:
        text = read_text_file(file, most=MOST_JSON_BYTES)
        if text.lstrip().startswith("{"):
            value = read_json(text, file=file)
            if KEY in value.fields and len(files) == 1:
                return platform_data(replace(listed_platform(file), name=name))
            if not is_drm_info(value):
                raise value.fault("this is no dump of drm_info: it has no /dev/dri/card0")
            devices += cards_of(value)
        elif is_v4l2_listing(text):
            listing = read_v4l2_listing(text, file=file)
            devices.append(_codec(listing, len(devices), Path(file).stem))
        else:
            what = "neither the JSON of `drm_info -j` nor a list of `v4l2-ctl --list-formats-ext`"
            raise FileError(file, f"this is {what}")
    anything = {Usage.CPU_READ: (), Usage.CPU_WRITE: ()}
    devices = [_presumed(device) for device in _called_apart(devices)]
    devices.append(Device(id=None, name="cpu", kind=DeviceKind.CPU, sets=anything))
    sources = _sources(devices)
    devices, own = profiled(devices, sources)
    sources = tuple(_reached(source, devices) for source in sources)
    return platform_data(
        Platform(
            name=name,
            sources=(*sources, *own),
            devices=tuple(devices),
            memory=MemfdMemory(sources),
            simulated=True,
        )
    )


def _codec(listing: V4l2Listing, minor: int, stem: str) -> Device:
    on_usb = listing.bus.startswith("usb")
    dirty = Constraint(type=DIRTY_LINES.type, value=1, provenance=Provenance.PROFILE)
    codec = codec_sets(listing, (dirty,) if on_usb else ())
    return Device(
        id=DeviceId(_VIDEO_MAJOR, minor),
        name=listing.driver or stem,
        kind=codec.kind,
        api_driver=listing.driver,
        title=listing.card,
        place=Place(("platform", stem)) if listing.bus.startswith("platform") else Place(),
        sets={codec.usage: codec.sets} if codec.usage is not None and codec.sets else {},
        bitstreams=codec.bitstreams,
    )


def _presumed(device: Device) -> Device:
    """The device with what is taken to hold of memory, where no profile speaks of that.

    Nobody has told of an IOMMU.
    """
    if device.place.path[:1] != ("platform",):
        return device
    contiguous = Constraint(
        type=CONTIGUOUS.type,
        value=1,
        provenance=Provenance.PRESUMPTION,
        source="platform bus, an IOMMU is not known of",
    )
    for usage, sets in device.sets.items():
        if sets and not speaks_of_memory(device, usage):
            device = with_facts_of(device, usage, (Fact(constraint=contiguous),))
    return device


def _called_apart(devices: list[Device]) -> list[Device]:
    """Devices of one name, such as the decoder and the encoder of a driver, with numbers."""
    names = [device.name.replace("/", "-") for device in devices]
    found = []
    for number, (name, device) in enumerate(zip(names, devices, strict=True)):
        earlier = names[:number].count(name)
        found.append(replace(device, name=f"{name}-{earlier + 1}" if earlier else name))
    return found


def _sources(devices: Iterable[Device]) -> tuple[Source, ...]:
    presumed = dict.fromkeys(("contiguous", "cached", "protected"), Provenance.PRESUMPTION)
    system = Source(
        id=SourceId.heap(HeapId(254, 0)),
        name="system",
        contiguous=False,
        cached=True,
        provenance=presumed,
    )
    if not any(device.place.path[:1] == ("platform",) for device in devices):
        return (system,)
    area = Source(
        id=SourceId.heap(HeapId(254, 1)),
        name="default_cma_region",
        contiguous=True,
        cached=True,
        provenance=presumed,
    )
    return system, area


def _reached(source: Source, devices: Iterable[Device]) -> Source:
    """The default CMA area, where each device reaches it.

    The kernel puts it there on 64-bit ARM (heaps/dma_zone.py); that the machine is one is presumed.
    """
    limits = [
        limit
        for device in devices
        for sets in device.sets.values()
        for one in sets
        for constraint in one.constraints
        if (limit := ADDRESS_RANGE.of(constraint)) is not None
    ]
    if source.contiguous is not True or not limits:
        return source
    return replace(
        source,
        address_range=(max(first for first, _ in limits), min(last for _, last in limits)),
        provenance={**source.provenance, "address_range": Provenance.PRESUMPTION},
    )
