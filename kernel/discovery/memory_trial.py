"""Probing: try each source with each device, and make what is learned part of the platform.

Only on request, because it allocates, opens devices and sets formats for a
moment. A trial buffer is a little over 1 MiB to a few MiB, one at a time, and
nothing is left behind. The answer is about this machine and this moment; it
becomes links with the provenance TRIAL.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from heapwire.kernel.description import Device, DeviceKind, Link, LinkKind, Platform
from heapwire.kernel.discovery.libdrm import open_drm
from heapwire.kernel.video import trial_import
from heapwire.protocol import MachineError, NotPossibleError, words_of
from heapwire.protocol.values import Provenance, Source, SourceKind, fourcc

_WIDTH, _HEIGHT, _PITCH = 1024, 768, 4096  # XRGB8888: 3 MiB, pitch a multiple of every alignment
_XRGB = fourcc("XR24")

_VIDEO = (DeviceKind.DECODER, DeviceKind.ENCODER, DeviceKind.CAMERA, DeviceKind.CONVERTER)


@dataclass(frozen=True, slots=True)
class MemoryTrial:
    """One device, one source: taken, refused, or None with the reason why it was not tried."""

    device: str
    source: str
    taken: bool | None
    reason: str = ""


def probe_memory(
    platform: Platform, devices: Iterable[str] | None = None
) -> tuple[MemoryTrial, ...]:
    """Try every source that can be opened with some devices, or with all that have a node.

    `devices` are names; raises `InputError` for one that is not the platform's.
    What fails on the way is the trial's reason.
    """
    chosen = (
        [device for device in platform.devices if device.node is not None]
        if devices is None
        else [platform.device(name) for name in devices]
    )
    sources = [
        source
        for source in platform.sources
        if source.id in platform.memory.openable and source.id.kind is not SourceKind.DEVICE
    ]
    return tuple(_tried(platform, device, source) for device in chosen for source in sources)


def with_trials(platform: Platform, trials: Iterable[MemoryTrial]) -> Platform:
    """The platform with what trials say of each device in place of its links.

    A device of which every tried source was refused, or none could be tried,
    keeps the links that it has: refusals alone do not tell where to go.
    """
    taken: dict[str, list[str]] = {}
    refused: dict[str, set[str]] = {}
    for trial in trials:
        if trial.taken:
            taken.setdefault(trial.device, []).append(trial.source)
        elif trial.taken is False:
            refused.setdefault(trial.device, set()).add(trial.source)
    links = [link for link in platform.links if link.device not in taken]
    for device, sources in taken.items():
        linked = [link.source for link in platform.links_of(device)]
        # What was refused goes; what was not tried (the device itself) stays.
        kept = [name for name in linked if name not in refused.get(device, ())]
        order = [*kept, *(name for name in sources if name not in kept)]
        links += [
            Link(
                device=device,
                source=source,
                rank=rank,
                kind=LinkKind.SUPPORTED,
                provenance=Provenance.TRIAL,
            )
            for rank, source in enumerate(order)
        ]
    return replace(platform, links=tuple(links))


def _tried(platform: Platform, device: Device, source: Source) -> MemoryTrial:
    try:
        taken = _takes(platform, device, source)
    except (OSError, MachineError, NotPossibleError) as error:
        why = words_of(error) or "the driver does not say"
        return MemoryTrial(device.name, source.name, None, why)
    reason = "in use, or no picture is large enough to tell" if taken is None else ""
    return MemoryTrial(device.name, source.name, taken, reason)


def _takes(platform: Platform, device: Device, source: Source) -> bool | None:
    if device.node is None:
        raise MachineError(f"{device.name} has no node")
    if device.kind in _VIDEO:
        return trial_import(
            device.node,
            lambda size: platform.memory.allocate(source.id, size, name="heapwire trial"),
        )
    size = _PITCH * _HEIGHT
    with (
        platform.memory.allocate(source.id, size, name="heapwire trial") as buffer,
        open_drm(device.node) as opened,
    ):
        return opened.takes(buffer.fd, width=_WIDTH, height=_HEIGHT, fourcc=_XRGB, pitch=_PITCH)
