"""What a V4L2 device makes or takes, as constraint sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import gcd
from typing import Protocol

from heapwire.kernel.description import DeviceKind
from heapwire.kernel.discovery.size_limits import size_limits
from heapwire.kernel.video import (
    BufferCapabilities,
    FrameSizes,
    PixelFormat,
    Queue,
    QueueFormat,
    drm_format,
    layout_constraints,
)
from heapwire.protocol.values import (
    ADJACENT_PLANES,
    FORMATS,
    LINEAR,
    SAME_BUFFER,
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


class CodecQueries(Protocol):
    """The part of `V4l2Device` that is looked at here."""

    @property
    def is_memory_to_memory(self) -> bool:
        """See `V4l2Device.is_memory_to_memory`."""

    @property
    def capture(self) -> Queue | None:
        """See `V4l2Device.capture`."""

    @property
    def output(self) -> Queue | None:
        """See `V4l2Device.output`."""

    def formats(self, queue: Queue) -> tuple[PixelFormat, ...]:
        """See `V4l2Device.formats`."""

    def frame_sizes(self, fourcc: int) -> tuple[FrameSizes, ...]:
        """See `V4l2Device.frame_sizes`."""

    def buffer_capabilities(self, queue: Queue) -> BufferCapabilities | None:
        """See `V4l2Device.buffer_capabilities`."""


def codec_sets(device: CodecQueries, more: Iterable[Constraint] = ()) -> CodecSets:
    """What a device does; `more` holds for all of its sets."""
    capture, output = device.capture, device.output
    made = device.formats(capture) if capture is not None else ()
    taken = device.formats(output) if output is not None else ()
    if device.is_memory_to_memory:
        if any(entry.compressed for entry in taken):
            kind, usage, queue, pictures, coded = (
                DeviceKind.DECODER, Usage.DECODE, capture, made, taken,
            )  # fmt: skip
        elif any(entry.compressed for entry in made):
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
    limits = _limits(size for entry in coded for size in device.frame_sizes(entry.fourcc))
    takes = device.buffer_capabilities(queue)
    return CodecSets(
        kind=kind,
        usage=usage,
        sets=_sets(pictures, (*limits, *more)),
        bitstreams=tuple(entry.fourcc for entry in (*made, *taken) if entry.compressed),
        imports=takes is not None and takes.dmabuf,
        contiguous=takes is not None and not takes.userptr,
    )


def _sets(
    pictures: Iterable[PixelFormat], constraints: tuple[Constraint, ...]
) -> tuple[ConstraintSet, ...]:
    """One set for what fits one buffer, by number of planes, and one with a buffer a plane."""
    tied: dict[int, list[FormatModifier]] = {}
    apart: list[FormatModifier] = []
    for entry in pictures:
        if entry.compressed:
            continue
        separate = drm_format(entry.fourcc, buffer_a_plane=True)
        if separate is not None:
            apart.append(FormatModifier(separate, LINEAR))
        together = drm_format(entry.fourcc, buffer_a_plane=False)
        if together is not None:
            planes = len(FORMATS[together].planes)
            tied.setdefault(planes, []).append(FormatModifier(together, LINEAR))
    sets = []
    if apart:
        sets.append(ConstraintSet(formats=tuple(dict.fromkeys(apart)), constraints=constraints))
    for planes, pairs in sorted(tied.items()):
        same_buffer = _in_same_buffer(planes) if planes > 1 else ()
        sets.append(
            ConstraintSet(
                formats=tuple(dict.fromkeys(pairs)), constraints=(*constraints, *same_buffer)
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
    candidates = tuple(sets)
    pairs_by_demand: dict[tuple[Constraint, ...], list[FormatModifier]] = {}
    for layout in layouts:
        apart = len(layout.sizes) > 1
        code = drm_format(layout.fourcc, buffer_a_plane=apart)
        if code is None:
            continue
        pair, planes = FormatModifier(code, LINEAR), len(FORMATS[code].planes)
        for candidate in candidates:
            if pair in candidate.formats and apart != _is_for_one_buffer(candidate, planes):
                demand = (*candidate.constraints, *layout_constraints(layout))
                pairs_by_demand.setdefault(demand, []).append(pair)
                break  # later sets are the same device's second choice for the pair
    return tuple(
        ConstraintSet(formats=tuple(dict.fromkeys(pairs)), constraints=demand)
        for demand, pairs in pairs_by_demand.items()
    )


def _is_for_one_buffer(constraint_set: ConstraintSet, planes: int) -> bool:
    """Whether a set is for buffers that all planes are in."""
    return planes == 1 or any(
        constraint.type == SAME_BUFFER.type for constraint in constraint_set.constraints
    )


def _in_same_buffer(planes: int) -> tuple[Constraint, ...]:
    return (
        Constraint(
            type=SAME_BUFFER.type,
            value=1,
            planes=(1 << planes) - 1,
            provenance=Provenance.KERNEL,
        ),
        # V4L2 tells one pitch and no offset: the other planes follow from these.
        Constraint(type=ADJACENT_PLANES.type, value=1, provenance=Provenance.KERNEL),
    )


def _limits(sizes: Iterable[FrameSizes]) -> tuple[Constraint, ...]:
    """The sizes that some format of the device allows; what differs is not held against it."""
    allowed = list(sizes)
    if not allowed:
        return ()
    return size_limits(
        min_width=min(size.min_width for size in allowed),
        max_width=max(size.max_width for size in allowed),
        min_height=min(size.min_height for size in allowed),
        max_height=max(size.max_height for size in allowed),
        width_step=gcd(*(size.step_width for size in allowed)),
        height_step=gcd(*(size.step_height for size in allowed)),
    )
