"""A platform with what was learned of its devices by asking them, on the rungs of that.

`tried` asks what is not known yet: it opens nodes, allocates a little over 1 MiB at a time,
and shows nothing. It blocks for some milliseconds a device, so a compositor has it done off its
loop, and begins with `remembered`, which asks nothing.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from heapwire.kernel.description import (
    Device,
    DeviceKind,
    Platform,
    profiles_of,
)
from heapwire.kernel.discovery.own_memory import own_source, within_reach
from heapwire.kernel.discovery.sysfs import REAL
from heapwire.kernel.discovery.trial.display_trial import Allocate, Sizes, try_display
from heapwire.kernel.discovery.trial.learned_facts import learned
from heapwire.kernel.discovery.trial.taken_links import with_taken_links
from heapwire.kernel.discovery.trial.trial_store import TrialStore, device_key
from heapwire.kernel.discovery.trial.verdict import DeviceRecord, Verdict
from heapwire.kernel.discovery.trial_sources import trial_sources
from heapwire.kernel.drm import Card, DrmDevice, PlaneTests, open_card
from heapwire.kernel.memory import DmaBuf, LocalMemory
from heapwire.kernel.video import trial_import
from heapwire.protocol import MachineError, NotPossibleError
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import (
    CONTIGUOUS,
    LEAST_HEIGHT,
    LEAST_WIDTH,
    MAX_HEIGHT,
    MAX_WIDTH,
    Provenance,
    Source,
    SourceId,
    Usage,
)

MOST_DEVICES = 16
"""Devices that are asked unasked; a machine has a handful."""
MOST_SOURCES = 16
"""Sources that each is asked about."""

_LARGEST = 1 << 16  # pixels of a side, where a driver names no limit

OpenCard = Callable[[str, bool], AbstractContextManager[Card]]
"""Opens the node of a card; true, to be its master if that can be."""
TryQueue = Callable[[str, Callable[[int], DmaBuf]], int | None]
"""Tries a V4L2 node: the errno of its refusal, 0 for none, None where that is not known now."""


def remembered(platform: Platform, store: TrialStore, root: Path = REAL) -> Platform:
    """The platform with what the store knows of it already."""
    sources = tuple(source.name for source in trial_sources(platform)[:MOST_SOURCES])
    records = {
        device.name: record
        for device in platform.devices
        if (record := store.record(device_key(device, sources, root))) is not None
    }
    return with_records(platform, records)


def tried(platform: Platform, store: TrialStore, root: Path = REAL) -> Platform:
    """The platform with what its devices say when they are asked; see `ask_devices`."""
    return with_records(platform, ask_devices(platform, store, root))


def ask_devices(
    platform: Platform,
    store: TrialStore,
    root: Path = REAL,
    *,
    again: bool = False,
    cards: OpenCard | None = None,
    queue: TryQueue = trial_import,
) -> dict[str, DeviceRecord]:
    """What devices say of the memory that this process may allocate, by their names.

    Asked are displays, and codecs, which have a queue for each descriptor. What the store
    knows is not asked again, unless `again` says so. Then cameras are asked too, each of which
    has one format for everybody, that is set for a moment; and the planes of displays that no
    compositor has, which takes being the card's master for that moment. `cards` opens a card,
    `queue` tries a V4L2 node. Raises nothing: what cannot be opened, or is busy, stays unknown.
    """
    sources = tuple(source.name for source in trial_sources(platform)[:MOST_SOURCES])
    asked = [device for device in platform.devices if _is_asked(device, cameras=again)]
    records: dict[str, DeviceRecord] = {}
    for device in asked[:MOST_DEVICES]:
        key = device_key(device, sources, root)
        record = None if again else store.record(key)
        if record is None:
            record = _ask(platform, device, sources, cards or _opened, queue, planes=again)
            if record is not None:
                store.keep(key, record)
        if record is not None:
            records[device.name] = record
    store.save()
    return records


def with_records(platform: Platform, records: Mapping[str, DeviceRecord]) -> Platform:
    """The platform with the facts of records of devices, by their names.

    A display whose own pictures can be handed on becomes a source of memory.
    """
    records = {
        device.name: _proof(device, records[device.name])
        for device in platform.devices
        if device.name in records
    }
    platform = with_taken_links(_with_own_memory(platform, records), records)
    absent, notes = dict(platform.absent), list(platform.notes)
    devices = []
    known = {source.id for source in platform.sources}
    for device in platform.devices:
        record = records.get(device.name)
        if record is not None:
            device, said = learned(platform, device, record)
            notes += said
            if device.id is not None and SourceId.device(device.id) not in known:
                absent[SourceId.device(device.id)] = device.name
        devices.append(device)
    return replace(platform, devices=tuple(devices), absent=absent, notes=tuple(notes))


def _proof(device: Device, record: DeviceRecord) -> DeviceRecord:
    """What a record proves: all that it has, by most drivers.

    Some take memory that they cannot show. Of such a display it is known what it refuses, and
    that it shows what it makes itself.
    """
    uses = [profile.uses.get(Usage.SCANOUT) for profile in profiles_of(device)]
    if not any(use is not None and use.import_is_no_proof for use in uses):
        return record
    proved = (each for each in record.verdicts if not each.taken or each.source == device.name)
    return replace(record, verdicts=tuple(proved))


def _is_asked(device: Device, *, cameras: bool) -> bool:
    if device.node is None or not device.sets:
        return False
    kinds = {DeviceKind.DISPLAY, DeviceKind.DECODER, DeviceKind.ENCODER}
    return device.kind in (kinds | {DeviceKind.CAMERA} if cameras else kinds)


@contextmanager
def _opened(node: str, master: bool) -> Iterator[Card]:
    with open_card(node, master=master) as fd:
        yield Card(fd)


def _ask(
    platform: Platform,
    device: Device,
    sources: tuple[str, ...],
    cards: OpenCard,
    queue: TryQueue,
    *,
    planes: bool,
) -> DeviceRecord | None:
    """What a device says; None where it cannot be asked now."""

    def allocate(source: str, size: int) -> DmaBuf:
        return platform.memory.allocate(platform.source(source).id, size, name="heapwire trial")

    if device.node is None:
        return None
    if device.kind is not DeviceKind.DISPLAY:
        return _ask_queue(device.node, sources, allocate, queue)
    pairs = [pair for each in device.sets[Usage.SCANOUT] for pair in each.formats]
    try:
        with cards(device.node, planes) as card:
            return try_display(
                card,
                device.name,
                sources,
                allocate,
                pairs,
                sizes=_framebuffer_sizes(device),
                planes=device.planes,
                tests=_plane_tests(card, device) if planes else None,
            )
    except (OSError, MachineError):
        return None


def _plane_tests(card: Card, device: Device) -> PlaneTests | None:
    crtcs = {plane.id: plane.crtcs or 0 for plane in device.planes if plane.id}
    try:
        return PlaneTests(DrmDevice(card.fd, card.call), crtcs)
    except OSError:  # somebody else is the master, or nothing is connected
        return None


def _ask_queue(
    node: str, sources: tuple[str, ...], allocate: Allocate, queue: TryQueue
) -> DeviceRecord | None:
    verdicts: list[Verdict] = []
    for source in sources:
        try:
            refused = queue(node, partial(allocate, source))
        except (OSError, MachineError, NotPossibleError):
            continue
        if refused is not None:
            said = f"QBUF: {errno.errorcode.get(refused, refused)}" if refused else ""
            verdicts.append(Verdict(source=source, taken=not refused, said=said))
    return DeviceRecord(verdicts=tuple(verdicts)) if verdicts else None


def _framebuffer_sizes(device: Device) -> Sizes:
    """The least and the greatest size that all of its sets allow."""
    limits = {
        LEAST_WIDTH.type: 0,
        LEAST_HEIGHT.type: 0,
        MAX_WIDTH.type: _LARGEST,
        MAX_HEIGHT.type: _LARGEST,
    }
    for each in device.sets[Usage.SCANOUT]:
        for constraint in each.constraints:
            if constraint.type in limits and isinstance(constraint.value, int):
                is_least = constraint.type in (LEAST_WIDTH.type, LEAST_HEIGHT.type)
                narrower = max if is_least else min
                limits[constraint.type] = narrower(limits[constraint.type], constraint.value)
    return (
        (limits[LEAST_WIDTH.type], limits[LEAST_HEIGHT.type]),
        (limits[MAX_WIDTH.type], limits[MAX_HEIGHT.type]),
    )


def _with_own_memory(platform: Platform, records: Mapping[str, DeviceRecord]) -> Platform:
    cards: dict[Source, str] = {}
    known = {source.id for source in platform.sources}
    for device in platform.devices:
        record = records.get(device.name)
        if record is None or not record.own or device.id is None or device.node is None:
            continue
        contiguous = _own_contiguity(platform, device, record)
        own = replace(
            own_source(device, device.id),
            contiguous=None if contiguous is None else True,
            rows_only=True,
            provenance={} if contiguous is None else {"contiguous": contiguous},
        )
        cards[own] = device.node
    if not cards:
        return platform
    memory = platform.memory
    new = [own for own in cards if own.id not in known]
    return replace(
        platform,
        sources=within_reach((*platform.sources, *new), platform.devices),
        memory=memory.with_cards(cards) if isinstance(memory, LocalMemory) else memory,
    )


def _own_contiguity(platform: Platform, device: Device, record: DeviceRecord) -> Provenance | None:
    """The rung on which a display's own memory is contiguous; None where nobody knows.

    What a display shows is contiguous if it can show nothing else: then its own memory is as
    surely contiguous as it needs that.
    """
    taken = {verdict.source for verdict in record.verdicts if verdict.taken}
    if any(source.name in taken and source.contiguous is False for source in platform.sources):
        return None
    rungs = [
        constraint.provenance
        for each in device.sets[Usage.SCANOUT]
        for constraint in each.constraints
        if constraint.type == CONTIGUOUS.type
    ]
    return min(rungs, default=None)
