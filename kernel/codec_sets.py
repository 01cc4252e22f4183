"""What a V4L2 device makes or takes, as constraint sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import gcd

from heapwire.kernel.device import DeviceKind
from heapwire.kernel.v4l2 import FrameSizes, PixelFormat, V4l2Device
from heapwire.protocol.model.constraint import Constraint, Provenance
from heapwire.protocol.model.constraint_set import ConstraintSet, FormatModifier
from heapwire.protocol.model.constraint_type import BY_NAME
from heapwire.protocol.model.format import FORMATS, fourcc
from heapwire.protocol.model.modifier import LINEAR
from heapwire.protocol.model.participant import Usage

# V4L2's fourccs that drm_fourcc.h spells otherwise (videodev2.h). RGB is named
# by bytes in memory there and by bits of a word here, so it is not the same
# letters; NM12 and its like have a buffer for each plane.
_ALIASES: Mapping[str, str] = {
    "BGR4": "XR24",
    "XR24": "XR24",
    "AR24": "AR24",
    "XB24": "XB24",
    "AB24": "AB24",
    "RGBP": "RG16",
    "RGB3": "BG24",
    "BGR3": "RG24",
}
_SEPARATE: Mapping[str, str] = {
    "NM12": "NV12",
    "NM21": "NV21",
    "NM16": "NV16",
    "NM61": "NV61",
    "YM12": "YU12",
    "YM21": "YV12",
    "YM16": "YU16",
    "YM61": "YV16",
    "YM24": "YU24",
    "YM42": "YV24",
}
_SAME = (
    *("NV12", "NV21", "NV16", "NV61", "NV24", "NV42", "YUYV", "YVYU", "UYVY", "VYUY"),
    *("P010", "P012", "YU12", "YV12"),
)
_ONE_BUFFER = {fourcc(v4l2): fourcc(drm) for v4l2, drm in _ALIASES.items()} | {
    fourcc(name): fourcc(name) for name in _SAME
}
_BUFFER_A_PLANE = {fourcc(v4l2): fourcc(drm) for v4l2, drm in _SEPARATE.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecSets:
    """The kind of a V4L2 device, and for its use the sets and whether it imports dma-bufs.

    `usage` is None for a device that neither makes nor takes pictures.
    `contiguous` is a hint: the queue does not take pointers to user memory,
    which often means videobuf2-dma-contig.
    """

    kind: DeviceKind
    usage: Usage | None
    sets: tuple[ConstraintSet, ...] = ()
    imports: bool = False
    contiguous: bool = False


def codec_sets(device: V4l2Device, more: Iterable[Constraint] = ()) -> CodecSets:
    """What a device does; `more` holds for all of its sets."""
    capture, output = device.capture, device.output
    made = device.formats(capture) if capture is not None else ()
    taken = device.formats(output) if output is not None else ()
    if device.is_memory_to_memory:
        if any(one.compressed for one in taken):
            kind, usage, queue, pictures, coded = (
                DeviceKind.DECODER, Usage.DECODE, capture, made, taken,
            )  # fmt: skip
        elif any(one.compressed for one in made):
            kind, usage, queue, pictures, coded = (
                DeviceKind.ENCODER, Usage.ENCODE, output, taken, taken,
            )  # fmt: skip
        else:
            return CodecSets(kind=DeviceKind.CONVERTER, usage=None)
    elif capture is not None:
        kind, usage, queue, pictures, coded = (
            DeviceKind.CAMERA, Usage.CAMERA, capture, made, made,
        )  # fmt: skip
    else:
        return CodecSets(kind=DeviceKind.CONVERTER, usage=None)
    if queue is None:
        return CodecSets(kind=kind, usage=None)
    limits = _limits(size for one in coded for size in device.frame_sizes(one.fourcc))
    told = device.buffer_capabilities(queue)
    return CodecSets(
        kind=kind,
        usage=usage,
        sets=_sets(pictures, (*limits, *more)),
        imports=told is not None and told.dmabuf,
        contiguous=told is not None and not told.userptr,
    )


def _sets(
    pictures: Iterable[PixelFormat], constraints: tuple[Constraint, ...]
) -> tuple[ConstraintSet, ...]:
    """One set for what fits one buffer, by number of planes, and one with a buffer a plane."""
    tied: dict[int, list[FormatModifier]] = {}
    apart: list[FormatModifier] = []
    for one in pictures:
        if one.compressed:
            continue
        separate = _BUFFER_A_PLANE.get(one.fourcc)
        if separate is not None:
            apart.append(FormatModifier(separate, LINEAR))
        known = _ONE_BUFFER.get(one.fourcc)
        if known is not None and known in FORMATS:
            planes = len(FORMATS[known].planes)
            tied.setdefault(planes, []).append(FormatModifier(known, LINEAR))
    sets = []
    if apart:
        sets.append(ConstraintSet(formats=tuple(dict.fromkeys(apart)), constraints=constraints))
    for planes, pairs in sorted(tied.items()):
        together = _together(planes) if planes > 1 else ()
        sets.append(
            ConstraintSet(
                formats=tuple(dict.fromkeys(pairs)), constraints=(*constraints, *together)
            )
        )
    return tuple(sets)


def _together(planes: int) -> tuple[Constraint, ...]:
    return (
        Constraint(
            type=BY_NAME["same-buffer"].type,
            value=1,
            planes=(1 << planes) - 1,
            provenance=Provenance.KERNEL,
        ),
    )


def _limits(sizes: Iterable[FrameSizes]) -> tuple[Constraint, ...]:
    """The sizes that some format of the device allows; what differs is not held against it."""
    known = list(sizes)
    if not known:
        return ()
    told = {
        "min-width": min(size.min_width for size in known),
        "max-width": max(size.max_width for size in known),
        "min-height": min(size.min_height for size in known),
        "max-height": max(size.max_height for size in known),
        "width-alignment": gcd(*(size.step_width for size in known)),
        "height-alignment": gcd(*(size.step_height for size in known)),
    }
    return tuple(
        Constraint(type=BY_NAME[name].type, value=value, provenance=Provenance.KERNEL)
        for name, value in told.items()
        if value > 1
    )
