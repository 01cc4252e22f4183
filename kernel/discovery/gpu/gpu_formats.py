"""A platform with what its GPUs sample and draw, as EGL lists it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from heapwire.kernel.description import Device, DeviceKind, Platform, own_sources
from heapwire.kernel.discovery.gpu.egl_device import EglDevice, EglPair
from heapwire.kernel.discovery.gpu.egl_query import TRIAL_PITCH, TRIAL_SIZE
from heapwire.kernel.discovery.gpu.egl_report import read_egl
from heapwire.kernel.discovery.trial_sources import trial_sources
from heapwire.kernel.memory import DmaBuf
from heapwire.protocol import MachineError, NotPossibleError
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import (
    FORMATS,
    INVALID,
    PERMITTED_SOURCES,
    Constraint,
    ConstraintSet,
    FormatModifier,
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
    listed = platform.devices
    devices = [_with_formats(device, listed, found, notes) for device in listed]
    return replace(platform, devices=tuple(devices), notes=tuple(notes))


def gpu_sets(
    device: EglDevice, itself: tuple[SourceId, ...]
) -> Mapping[Usage, tuple[ConstraintSet, ...]]:
    """What a GPU can do with the formats that EGL lists; `itself` is what its card allocates.

    Everything listed is sampled; what is external only is never drawn to. A GPU that refused
    memory which is not its own is promised its own alone.
    """
    own: tuple[Constraint, ...] = ()
    if device.refusal:
        own = (Constraint(type=PERMITTED_SOURCES.type, value=itself, provenance=Provenance.TRIAL),)
    listed = {
        Usage.SAMPLING: tuple(entry.pair for entry in device.pairs),
        Usage.RENDER: _drawn_to(device.pairs),
    }
    return {
        usage: (
            ConstraintSet(
                formats=pairs,
                constraints=own,
                provenance=Provenance.TRIAL,
                source="what EGL lists here",
            ),
        )
        for usage, pairs in listed.items()
        if pairs
    }


def _drawn_to(pairs: Sequence[EglPair]) -> tuple[FormatModifier, ...]:
    """What a GPU draws to, of the pairs that it lists.

    Of a format without modifiers EGL does not say whether it is external only. YUV is then:
    what a driver samples as several textures, or converts, is nothing to draw to (Mesa,
    src/gallium/frontends/dri/dri2.c, dri2_query_dma_buf_modifiers: "using YUV lowering, we need
    it to be samplerExternalOES").
    """
    unsaid = {entry.pair.fourcc for entry in pairs if entry.pair.modifier == INVALID}
    sampled = {code for code in unsaid if code in FORMATS and FORMATS[code].is_yuv}
    return tuple(
        entry.pair
        for entry in pairs
        if not entry.external_only and entry.pair.fourcc not in sampled
    )


def _with_formats(
    device: Device,
    listed: tuple[Device, ...],
    found: tuple[EglDevice, ...],
    notes: list[str],
) -> Device:
    if device.kind is not DeviceKind.GPU or device.id is None or not device.sets:
        return device
    for entry in found:
        if device.node in entry.nodes:
            if entry.refusal:
                notes.append(
                    f"{device.name}: EGL refused memory that is not the GPU's own "
                    f"(error 0x{entry.refusal:04x})"
                )
            return replace(device, sets=gpu_sets(entry, own_sources(device, listed)))
    notes.append(f"{device.name}: EGL tells nothing of it: any format is taken for one it samples")
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
