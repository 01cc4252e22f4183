"""What a V4L2 device makes or takes, as constraint sets."""

from __future__ import annotations

from collections.abc import Iterable
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
    has_drm_format,
    layout_constraints,
    layout_format,
    v4l2_format_name,
)
from heapwire.protocol.late_dataclasses import dataclass, replace
from heapwire.protocol.values import (
    ADJACENT_PLANES,
    FORMATS,
    SAME_BUFFER,
    TILINGS,
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
    `bitstreams` are the V4L2 fourccs that a codec reads or writes, `nameless` those of pictures
    that DRM has no name for.
    `contiguous` is a hint: the queue does not take pointers to user memory,
    which often means videobuf2-dma-contig.
    """

    kind: DeviceKind
    usage: Usage | None
    sets: tuple[ConstraintSet, ...] = ()
    bitstreams: tuple[int, ...] = ()
    nameless: tuple[int, ...] = ()
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
    else:  # an output, or a node without pictures
        return CodecSets(kind=DeviceKind.UNKNOWN, usage=None)
    if queue is None:
        return CodecSets(kind=kind, usage=None)
    limits = _limits(size for entry in coded for size in device.frame_sizes(entry.fourcc))
    takes = device.buffer_capabilities(queue)
    return CodecSets(
        kind=kind,
        usage=usage,
        sets=_sets(pictures, (*limits, *more)),
        bitstreams=tuple(entry.fourcc for entry in (*made, *taken) if entry.compressed),
        nameless=tuple(
            entry.fourcc
            for entry in pictures
            if not entry.compressed and not has_drm_format(entry.fourcc)
        ),
        imports=takes is not None and takes.dmabuf,
        contiguous=takes is not None and not takes.userptr,
    )


def _sets(
    pictures: Iterable[PixelFormat], constraints: tuple[Constraint, ...]
) -> tuple[ConstraintSet, ...]:
    """One set for what fits one buffer, by how its planes follow, and one with a buffer a plane."""
    tied: dict[tuple[int, bool], list[FormatModifier]] = {}
    apart: list[FormatModifier] = []
    for entry in pictures:
        if entry.compressed:
            continue
        separate = drm_format(entry.fourcc, buffer_a_plane=True)
        if separate is not None:
            apart.append(separate)
        together = drm_format(entry.fourcc, buffer_a_plane=False)
        if together is not None:
            way = len(FORMATS[together.fourcc].planes), together.modifier in TILINGS
            tied.setdefault(way, []).append(together)
    known = ConstraintSet(
        formats=tuple(dict.fromkeys(apart)),
        constraints=constraints,
        provenance=Provenance.KERNEL,
        source="VIDIOC_ENUM_FMT",
    )
    sets = [known] if apart else []
    for (planes, adjacent), pairs in sorted(tied.items()):
        same_buffer = _in_same_buffer(planes, adjacent=adjacent) if planes > 1 else ()
        sets.append(
            replace(
                known,
                formats=tuple(dict.fromkeys(pairs)),
                constraints=(*constraints, *same_buffer),
            )
        )
    return tuple(sets)


def layout_sets(
    sets: Iterable[ConstraintSet], layouts: Iterable[QueueFormat]
) -> tuple[ConstraintSet, ...]:
    """A device's sets, narrowed to the layouts that its driver has for pictures of one size.

    Each asks for the pitches of a layout and for room for what is written;
    layouts that ask for the same are one set. The driver's order is kept.
    """
    candidates = tuple(sets)
    pairs_by_demand: dict[tuple[Constraint, ...], list[FormatModifier]] = {}
    for layout in layouts:
        apart = len(layout.sizes) > 1
        pair = layout_format(layout)
        if pair is None:
            continue
        planes = len(FORMATS[pair.fourcc].planes)
        listed = {pair, drm_format(layout.fourcc, buffer_a_plane=apart)}
        for candidate in candidates:
            if not listed.isdisjoint(candidate.formats) and apart != _is_for_one_buffer(
                candidate, planes
            ):
                said = (*candidate.constraints, *layout_constraints(layout))
                demand = tuple(dict.fromkeys(said))
                pairs_by_demand.setdefault(demand, []).append(pair)
                break  # later sets are the same device's second choice for the pair
    return tuple(
        ConstraintSet(
            formats=tuple(dict.fromkeys(pairs)),
            constraints=demand,
            provenance=Provenance.KERNEL,
            source="the format of its queue",
        )
        for demand, pairs in pairs_by_demand.items()
    )


def _is_for_one_buffer(constraint_set: ConstraintSet, planes: int) -> bool:
    """Whether a set is for buffers that all planes are in."""
    return planes == 1 or any(
        constraint.type == SAME_BUFFER.type for constraint in constraint_set.constraints
    )


def _in_same_buffer(planes: int, *, adjacent: bool) -> tuple[Constraint, ...]:
    together = Constraint(
        type=SAME_BUFFER.type,
        value=1,
        planes=(1 << planes) - 1,
        provenance=Provenance.KERNEL,
    )
    if not adjacent:
        return (together,)
    # V4L2 tells one pitch and no offset: the other planes follow from these.
    after = Constraint(type=ADJACENT_PLANES.type, value=1, provenance=Provenance.KERNEL)
    return (together, after)


def nameless_note(name: str, codec: CodecSets) -> str:
    """That a device has pictures which DRM has no name for, and which."""
    does = "reads" if codec.usage is Usage.ENCODE else "writes"
    codes = dict.fromkeys(map(v4l2_format_name, codec.nameless))
    has = "has no DRM name" if len(codes) == 1 else "have no DRM names"
    return f"{name} {does} {', '.join(codes)}, which {has}"


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
