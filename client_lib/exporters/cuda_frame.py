"""NVDEC's pictures as dma-bufs: what PyAV's and FFmpeg's `cuda` frames point to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from heapwire.client_lib.exporters.exported_frame import ExportedFrame
from heapwire.client_lib.exporters.exporter_memory import Exporter
from heapwire.kernel.memory import DmaBuf
from heapwire.kernel.system import Owner
from heapwire.protocol import InputError
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import (
    LINEAR,
    PAGE_SIZE,
    Extent,
    FormatModifier,
    PlaneLayout,
)


class CudaMemory(Protocol):
    """What makes dma-bufs of device memory: a `CudaLibrary`."""

    def allocation(self, pointer: int) -> tuple[int, int]:
        """Address and size in bytes of the allocation that a pointer is in."""

    def export(self, base: int, size: int) -> int:
        """A dma-buf of a range of whole pages, once it is written; the caller closes the fd."""


@dataclass(frozen=True, slots=True)
class CudaPlane:
    """A plane as a `cuda` frame has it: an address on the GPU, and the bytes of a row.

    PyAV's are `plane.buffer_ptr` and `plane.line_size`.
    """

    pointer: int
    pitch: int


class CudaFrame(Owner):
    """A picture on the GPU: the `frame`, and the dma-bufs that were made for it.

    The memory stays the decoder's, which may decode into it again once its own frame is
    let go of: hold that as long as anybody looks at this one. Closing it closes the dma-bufs.
    """

    def __init__(self, frame: ExportedFrame, objects: tuple[DmaBuf, ...]) -> None:
        self.frame = frame
        self.objects = objects

    def close(self) -> None:
        """Close the dma-bufs; may be called again."""
        for dma_buf in self.objects:
            dma_buf.close()


def export_cuda_frame(
    cuda: CudaMemory,
    gpu: Exporter,
    fourcc: int,
    extent: Extent,
    planes: Sequence[CudaPlane],
) -> CudaFrame:
    """The dma-bufs of a `cuda` frame, whose rows lie as the decoder wrote them.

    `extent` is the coded size in pixels. Raises `NotPossibleError` for memory that CUDA does
    not export, and `InputError` for planes in allocations that are not whole pages.
    """
    ranges = [cuda.allocation(plane.pointer) for plane in planes]
    for base, size in ranges:
        if base % PAGE_SIZE or size % PAGE_SIZE:
            raise InputError(
                f"{size} bytes at {base:#x} are not whole pages of {PAGE_SIZE} bytes, "
                "and CUDA exports only such"
            )
    distinct = list(dict.fromkeys(ranges))
    objects: list[DmaBuf] = []
    try:
        for base, size in distinct:
            objects.append(DmaBuf(cuda.export(base, size), size=size, name=f"{gpu.name} memory"))
        frame = ExportedFrame(
            exporter=gpu.name,
            format=FormatModifier(fourcc, LINEAR),
            extent=extent,
            objects=tuple(gpu.object_of(one.fd, size=one.size) for one in objects),
            planes=tuple(
                PlaneLayout(distinct.index(range_), plane.pointer - range_[0], plane.pitch)
                for plane, range_ in zip(planes, ranges, strict=True)
            ),
        )
    except BaseException:
        for one in objects:
            one.close()
        raise
    return CudaFrame(frame, tuple(objects))
