"""What a V4L2 device makes or takes, as constraint sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import gcd

from heapwire.kernel.description import DeviceKind
from heapwire.kernel.video import (
    FrameSizes,
    PixelFormat,
    QueueFormat,
    V4l2Device,
    in_one_buffer,
    layout_constraints,
    with_a_buffer_a_plane,
)
from heapwire.protocol.values import (
    BY_NAME,
    FORMATS,
    LINEAR,
    Constraint,
    ConstraintSet,
    FormatModifier,
    Provenance,
    Usage,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecSets:
    """The kind of a V4L2 device, and for its use the sets and whether it imports dma-bufs.

    `usage` is None for a device that neither makes nor takes pictures.
    `bitstreams` are the V4L2 fourccs that a codec reads or writes.
    `contiguous` is a hint: the queue does not take pointers to user memory,
    which often means videobuf2-dma-contig.
    """

    kind: DeviceKind
    usage: Usage | None
    sets: tuple[ConstraintSet, ...] = ()
    bitstreams: tuple[int, ...] = ()
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
        bitstreams=tuple(one.fourcc for one in (*made, *taken) if one.compressed),
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
        separate = with_a_buffer_a_plane(one.fourcc)
        if separate is not None:
            apart.append(FormatModifier(separate, LINEAR))
        known = in_one_buffer(one.fourcc)
        if known is not None:
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


def layout_sets(
    sets: Iterable[ConstraintSet], layouts: Iterable[QueueFormat]
) -> tuple[ConstraintSet, ...]:
    """A device's sets, narrowed to the layouts that its driver has for pictures of one size.

    Each asks for just the pitches of a layout and for room for what is written;
    layouts that ask for the same are one set. The driver's order is kept.
    """
    known = tuple(sets)
    found: dict[tuple[Constraint, ...], list[FormatModifier]] = {}
    for layout in layouts:
        apart = len(layout.sizes) > 1
        code = (with_a_buffer_a_plane if apart else in_one_buffer)(layout.fourcc)
        pair = FormatModifier(code or 0, LINEAR)
        for one in known:
            if pair in one.formats and apart != _ties(one, len(FORMATS[pair.fourcc].planes)):
                demand = (*one.constraints, *layout_constraints(layout))
                found.setdefault(demand, []).append(pair)
                break
    return tuple(
        ConstraintSet(formats=tuple(dict.fromkeys(pairs)), constraints=demand)
        for demand, pairs in found.items()
    )


def _ties(one: ConstraintSet, planes: int) -> bool:
    """Whether a set is for buffers that all planes are in."""
    same = BY_NAME["same-buffer"].type
    return planes == 1 or any(constraint.type == same for constraint in one.constraints)


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
