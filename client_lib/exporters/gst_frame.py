"""GStreamer's buffers: dma-buf memories, and GstVideoMeta's offsets and strides.

What is read here are the numbers of gst/video/gstvideometa.h and gst/gstmemory.h; nothing of
GStreamer is needed to judge them.
"""

from __future__ import annotations

from collections.abc import Sequence

from heapwire.client_lib.exporters.descriptor import ObjectOf
from heapwire.client_lib.exporters.exported_frame import ExportedFrame
from heapwire.protocol import InputError, shown
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import (
    LINEAR,
    Extent,
    FormatModifier,
    PlaneLayout,
    parse_fourcc,
)

_MAX_MODIFIER = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class GstMemory:
    """A memory of a GstBuffer: the part of a dma-buf that gst_memory_get_sizes tells.

    `size` bytes from `offset` on, of `whole` bytes of the dma-buf (`maxsize`).
    """

    fd: int
    offset: int
    size: int
    whole: int


def read_gst_frame(
    exporter: str,
    drm_format: str,
    extent: Extent,
    memories: Sequence[GstMemory],
    *,
    offsets: Sequence[int],
    strides: Sequence[int],
    object_of: ObjectOf,
) -> ExportedFrame:
    """The frame in a GstBuffer.

    `drm_format` is that of the caps (`drm-format=NV12:0x0100000000000001`), `offsets` and
    `strides` those of GstVideoMeta, in bytes: an offset counts through all memories as if
    they were one. Raises `InputError` for an offset in none of them, and for a format that
    cannot be read.
    """
    if len(offsets) != len(strides):
        raise InputError(f"{len(offsets)} offsets and {len(strides)} strides")
    return ExportedFrame(
        exporter=exporter,
        format=parse_drm_format(drm_format),
        extent=extent,
        objects=tuple(object_of(memory.fd, memory.whole) for memory in memories),
        planes=tuple(
            _plane(memories, offset, stride)
            for offset, stride in zip(offsets, strides, strict=True)
        ),
    )


def parse_drm_format(text: str) -> FormatModifier:
    """`NV12:0x0100000000000001`, or `NV12` for rows; `InputError` for anything else."""
    name, colon, number = text.partition(":")
    try:
        modifier = int(number, 16) if colon else LINEAR
    except ValueError:
        modifier = -1
    if not 0 <= modifier <= _MAX_MODIFIER:
        raise InputError(
            f"{shown(number)} is not a modifier such as 0x0100000000000001, "
            f"from 0x0 to {_MAX_MODIFIER:#x}"
        )
    return FormatModifier(parse_fourcc(name), modifier)


def _plane(memories: Sequence[GstMemory], offset: int, stride: int) -> PlaneLayout:
    """Where an offset that counts through all memories is (gst_buffer_find_memory)."""
    rest = offset
    for index, memory in enumerate(memories):
        if 0 <= rest < memory.size:
            return PlaneLayout(index, memory.offset + rest, stride)
        rest -= memory.size
    raise InputError(f"a plane begins at {offset}, which is in no memory of the buffer")
