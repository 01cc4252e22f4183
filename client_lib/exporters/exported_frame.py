"""A picture that somebody allocated himself, as the solver is asked about it."""

from __future__ import annotations

from collections.abc import Sequence

from heapwire.protocol import InputError
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import (
    FORMATS,
    MAX_PLANES,
    BufferObject,
    Extent,
    FixedBuffer,
    FormatModifier,
    Layout,
    LayoutKind,
    PlaneLayout,
    Source,
    fourcc,
    fourcc_name,
)

# Bytes of a sample in formats that are layers of others and are negotiated by nobody
# (drivers/gpu/drm/drm_fourcc.c, __drm_format_info has none of them; drm_fourcc.h says their bits).
_LAYER_SAMPLES = {fourcc("RG88"): 2, fourcc("GR32"): 4, fourcc("RG32"): 4}


@dataclass(frozen=True, slots=True)
class ExportedObject:
    """One dma-buf of a frame: where its memory comes from, and its size in bytes.

    `fd` is borrowed, and None where only the facts are known: whoever made the frame keeps it.
    """

    source: Source
    size: int
    fd: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFrame:
    """A picture in buffers that an exporter allocated: what it is and where its planes are.

    `extent` is what the buffers have room for, in pixels, `planes` those of the format in
    their order. Raises `InputError` for a layout that contradicts itself.
    """

    exporter: str
    format: FormatModifier
    extent: Extent
    objects: tuple[ExportedObject, ...]
    planes: tuple[PlaneLayout, ...]

    def __post_init__(self) -> None:
        fault = _fault(self.objects, self.planes)
        if fault is not None:
            raise InputError(f"the frame of {self.exporter}: {fault}")

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where its memory comes from, each once."""
        return tuple({entry.source.id: entry.source for entry in self.objects}.values())

    @property
    def fixed(self) -> FixedBuffer:
        """The frame as `Negotiation.set_fixed` and `Problem.fixed` take it."""
        objects = tuple(BufferObject(entry.source.id, entry.size) for entry in self.objects)
        layout = Layout(
            kind=LayoutKind.FIXED, extent=self.extent, objects=objects, planes=self.planes
        )
        return FixedBuffer(self.format, layout)


@dataclass(frozen=True, slots=True)
class FrameLayer:
    """Planes that an exporter calls a picture of their own, by its fourcc.

    FFmpeg and VA-API tell one NV12 as a layer of R8 and one of GR88 as well as one layer.
    """

    fourcc: int
    planes: tuple[PlaneLayout, ...]


def planes_of_layers(
    layers: Sequence[FrameLayer], whole: int | None
) -> tuple[int, tuple[PlaneLayout, ...]]:
    """The fourcc and the planes of a picture that is told in layers.

    `whole` is the fourcc of the picture, where the exporter says that too: of several
    layers nothing else tells NV12 from NV16, because a layer has no size. Raises `InputError`
    where the layers are not the planes of such a picture.
    """
    planes = tuple(plane for layer in layers for plane in layer.planes)
    if len(layers) == 1 and whole in (None, layers[0].fourcc):
        return layers[0].fourcc, planes
    told = " and ".join(fourcc_name(layer.fourcc) for layer in layers) or "no layers"
    if whole is None:
        raise InputError(f"of {told} it does not follow what the picture is: name its format")
    format_ = FORMATS.get(whole)
    samples = [size for layer in layers for size in _sample_bytes(layer.fourcc)]
    if format_ is None or samples != [plane.bytes_per_block for plane in format_.planes]:
        raise InputError(f"{told} are not the planes of {fourcc_name(whole)}")
    return whole, planes


def _sample_bytes(layer: int) -> list[int]:
    """The bytes of a sample of each plane of a layer; none of a format that nobody knows."""
    if layer in _LAYER_SAMPLES:
        return [_LAYER_SAMPLES[layer]]
    known = FORMATS.get(layer)
    return [] if known is None else [plane.bytes_per_block for plane in known.planes]


def _fault(objects: Sequence[ExportedObject], planes: Sequence[PlaneLayout]) -> str | None:
    if not 0 < len(objects) <= MAX_PLANES:
        return f"{len(objects)} objects, which are 1 to {MAX_PLANES}"
    if not 0 < len(planes) <= MAX_PLANES:
        return f"{len(planes)} planes, which are 1 to {MAX_PLANES}"
    for index, entry in enumerate(objects):
        if entry.size <= 0:
            return f"object {index} has no size"
    for index, plane in enumerate(planes):
        if not 0 <= plane.object < len(objects):
            return f"plane {index} is in object {plane.object}, and there are {len(objects)}"
        if plane.pitch <= 0:
            return f"plane {index} has a pitch of {plane.pitch}"
        if not 0 <= plane.offset < objects[plane.object].size:
            return f"plane {index} begins at {plane.offset}, which is not in its object"
    return None
