"""Pictures in a V4L2 device's own buffers (MMAP and VIDIOC_EXPBUF)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from heapwire.client_lib.exporters.exported_frame import ExportedFrame
from heapwire.client_lib.exporters.exporter_memory import Exporter
from heapwire.kernel.description import Platform
from heapwire.kernel.memory import DmaBuf
from heapwire.kernel.system import Owner
from heapwire.kernel.video import QueueFormat, laid_out_planes, layout_format
from heapwire.protocol import MachineError, NotPossibleError, words_of


class CaptureQueue(Protocol):
    """A capture queue that is set to a format: heapwire.kernel.video's `V4l2Queue` is one.

    Its methods raise `OSError` with the driver's word.
    """

    @property
    def format(self) -> QueueFormat:
        """What the queue is set to."""

    def request_own(self, count: int) -> int:
        """Have the driver allocate buffers (REQBUFS with MMAP); how many there are."""

    def export(self, index: int, plane: int = 0) -> int:
        """A dma-buf of a memory plane of a buffer (EXPBUF); the caller closes the fd."""


class V4l2Frames(Owner):
    """The buffers of a queue, exported: a `frame` for each, and its dma-bufs.

    They stay the driver's too, which fills one only while it is queued (`queue_mapped`'s
    rules). Closing it closes the dma-bufs; the queue frees its own when it is stopped.
    """

    def __init__(
        self, frames: tuple[ExportedFrame, ...], objects: tuple[tuple[DmaBuf, ...], ...]
    ) -> None:
        self.frames = frames
        self.objects = objects

    def close(self) -> None:
        """Close the dma-bufs; may be called again."""
        for of_frame in self.objects:
            for dma_buf in of_frame:
                dma_buf.close()


def export_v4l2_frames(
    queue: CaptureQueue, exporter: Exporter, count: int, *, machine: Platform | None = None
) -> V4l2Frames:
    """Have a capture queue allocate about `count` buffers in its current format, and export them.

    Raises `NotPossibleError` for a format that DRM has no name for, or whose layout nobody
    knows, and `MachineError` with the driver's word where it allocates or exports none.
    """
    layout = _checked(queue)
    pair, planes = layout_format(layout), laid_out_planes(layout)
    if pair is None or not planes:
        raise NotPossibleError(f"nobody knows where the planes of {exporter.name}'s format are")
    exported: list[tuple[DmaBuf, ...]] = []
    try:
        for index in range(queue.request_own(count)):
            exported.append(tuple(_objects(queue, exporter, index, layout.sizes)))
        frames = tuple(
            ExportedFrame(
                exporter=exporter.name,
                format=pair,
                extent=layout.extent,
                objects=tuple(
                    exporter.object_of(one.fd, one.size, machine=machine) for one in objects
                ),
                planes=planes,
            )
            for objects in exported
        )
    except BaseException as error:
        V4l2Frames((), tuple(exported)).close()
        if isinstance(error, OSError):
            raise MachineError(f"{exporter.name} exports no buffer: {words_of(error)}") from error
        raise
    return V4l2Frames(frames, tuple(exported))


def _checked(queue: CaptureQueue) -> QueueFormat:
    try:
        return queue.format
    except OSError as error:
        raise MachineError(f"the queue tells no format: {words_of(error)}") from error


def _objects(
    queue: CaptureQueue, exporter: Exporter, index: int, sizes: Iterable[int]
) -> list[DmaBuf]:
    objects: list[DmaBuf] = []
    try:
        for plane, size in enumerate(sizes):
            fd = queue.export(index, plane)
            objects.append(DmaBuf(fd, size=size, name=f"{exporter.name} buffer {index}"))
    except BaseException:
        for one in objects:
            one.close()
        raise
    return objects
