"""A platform with what its GPUs sample and draw, as EGL lists it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from heapwire.kernel.description import Device, DeviceKind, Platform
from heapwire.kernel.discovery.gpu.egl_device import EglDevice
from heapwire.kernel.discovery.gpu.egl_library import TRIAL_PITCH, TRIAL_SIZE
from heapwire.kernel.discovery.gpu.egl_report import read_egl
from heapwire.kernel.discovery.trial_sources import trial_sources
from heapwire.kernel.memory import DmaBuf
from heapwire.protocol import MachineError, NotPossibleError
from heapwire.protocol.values import (
    PERMITTED_SOURCES,
    Constraint,
    ConstraintSet,
    DeviceId,
    Provenance,
    SourceId,
    Usage,
)

ReadEgl = Callable[[int | None], tuple[EglDevice, ...]]


def with_gpu_formats(platform: Platform, read: ReadEgl = read_egl) -> Platform:
    """The platform with the formats that EGL lists for each of its GPUs.

    Where there is one with a node to share buffers by, a process is started for that, and a
    buffer of 16 KiB lent to it if there is memory to try with. A GPU that EGL does not tell of
    stays as it is. What stands in the way is a note.
    """
    if not any(device.kind is DeviceKind.GPU and device.sets for device in platform.devices):
        return platform
    buffer = _trial_buffer(platform)
    try:
        found = read(None if buffer is None else buffer.fd)
    except MachineError as error:
        return replace(platform, notes=(*platform.notes, f"what GPUs sample is not known: {error}"))
    finally:
        if buffer is not None:
            buffer.close()
    notes = list(platform.notes)
    devices = [_with_formats(device, found, notes) for device in platform.devices]
    return replace(platform, devices=tuple(devices), notes=tuple(notes))


def gpu_sets(device: EglDevice, number: DeviceId) -> Mapping[Usage, tuple[ConstraintSet, ...]]:
    """What a GPU can do with the formats that EGL lists; `number` is that of its node.

    Everything listed is sampled; what is external only is never drawn to. A GPU that refused
    memory which is not its own is promised its own alone.
    """
    own: tuple[Constraint, ...] = ()
    if device.refusal:
        itself = (SourceId.device(number),)
        own = (Constraint(type=PERMITTED_SOURCES.type, value=itself, provenance=Provenance.TRIAL),)
    listed = {
        Usage.SAMPLING: tuple(entry.pair for entry in device.pairs),
        Usage.RENDER: tuple(entry.pair for entry in device.pairs if not entry.external_only),
    }
    return {
        usage: (ConstraintSet(formats=pairs, constraints=own),)
        for usage, pairs in listed.items()
        if pairs
    }


def _with_formats(device: Device, found: tuple[EglDevice, ...], notes: list[str]) -> Device:
    if device.kind is not DeviceKind.GPU or device.id is None or not device.sets:
        return device
    for entry in found:
        if device.node in entry.nodes:
            if entry.refusal:
                notes.append(
                    f"{device.name}: EGL refused memory that is not the GPU's own "
                    f"(error 0x{entry.refusal:04x})"
                )
            return replace(device, sets=gpu_sets(entry, device.id))
    return device


def _trial_buffer(platform: Platform) -> DmaBuf | None:
    """A small buffer of any memory that this process can have; None where there is none."""
    for source in trial_sources(platform):
        try:
            size = TRIAL_PITCH * TRIAL_SIZE
            return platform.memory.allocate(source.id, size, name="heapwire trial")
        except (MachineError, NotPossibleError):
            continue
    return None
