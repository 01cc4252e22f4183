"""A V4L2 device that captures: a camera, a grabber; into anybody's dma-bufs or its own memory.

It never waits: its fd is polled together with others. A *slot* is a V4L2 buffer: `give` hands one
to the driver, `take` tells of one that it has filled. As a whole it is

    camera.layouts(extent)              # what can be had, to negotiate with
    camera.set_up(layout, slots, how)   # the choice, and whose memory it is
    give(slot, ...) for each slot; take() pictures, and give their slots again
"""

from __future__ import annotations

import errno
import mmap
import os
import select
from collections.abc import Callable, Sequence
from enum import Enum

from heapwire.kernel.memory import DmaBuf
from heapwire.kernel.system import Ioctl, Owner, ioctl
from heapwire.kernel.video.v4l2_colours import v4l2_colour
from heapwire.kernel.video.v4l2_device import V4l2Device, v4l2_format_name
from heapwire.kernel.video.v4l2_queue import Dequeued, QueueFormat, V4l2Queue
from heapwire.protocol import MachineError, NotPossibleError, words_of
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import Colour, Extent


class CaptureMemory(Enum):
    """Whose memory a capture is into."""

    IMPORTED = "imported"
    """Dma-bufs of somebody else's, given with each slot."""
    EXPORTED = "exported"
    """The driver's own, of which dma-bufs are made."""
    MAPPED = "mapped"
    """The driver's own, which the CPU reads."""


class CaptureDevice(Owner):
    """One open camera: opens its node and closes it, with its queue.

    Raises `MachineError` when the node cannot be opened, is none that captures, or is in use.
    `name` is what the driver calls it. Its methods raise `MachineError` with what a person can do
    about it.
    """

    def __init__(
        self, node: str, *, call: Ioctl = ioctl, opened: Callable[[str, int], int] = os.open
    ) -> None:
        self._node = node
        try:
            self._fd = opened(node, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise self._fault(error) from error
        try:
            self._device = V4l2Device(self._fd, call)
            queue = None if self._device.is_memory_to_memory else self._device.capture
            if queue is None:
                raise MachineError(f"{node} is no camera")
            self._kind = queue
            self._queue = V4l2Queue(self._fd, queue, call)
        except BaseException as error:
            os.close(self._fd)
            if isinstance(error, OSError):
                raise self._fault(error) from error
            raise
        self.name = self._device.card
        self._memory = CaptureMemory.IMPORTED
        self._given: set[int] = set()
        self._has_buffers = False
        self._running = False

    def close(self) -> None:
        """Close the node, and with it its queue; safe to call twice."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        try:
            self._queue.close()
        finally:
            os.close(fd)

    def fileno(self) -> int:
        """The fd to poll for reading: readable when `take` has something, or it has failed."""
        return self._fd

    @property
    def colour(self) -> Colour:
        """Matrix and range of YCbCr in the format that it is set to."""
        try:
            return v4l2_colour(*self._queue.colours)
        except OSError as error:
            raise self._fault(error) from error

    def layouts(self, extent: Extent | None = None) -> tuple[QueueFormat, ...]:
        """How the driver would lay out its pictures in each format that is no bitstream.

        `extent` is the size to ask for, in pixels; left out, the one that it is set to. The
        driver's may be another: all layouts have the same. Raises `NotPossibleError` for one that
        makes bitstreams only.
        """
        try:
            wanted = extent or self._queue.format.extent
            formats = self._device.formats(self._kind)
            codes = [entry.fourcc for entry in formats if not entry.compressed]
            if not codes:
                made = ", ".join(v4l2_format_name(entry.fourcc) for entry in formats)
                raise NotPossibleError(
                    f"{self._node} makes no pictures that can be shown as they are, only "
                    f"{made or 'nothing'}"
                )
            said = [(code, self._queue.try_format(code, wanted)) for code in codes]
            own = [layout for code, layout in said if layout.fourcc == code]
            alike = [layout for layout in own if layout.extent == own[0].extent]
            return tuple(self._queue.with_pitches(layout) for layout in alike)
        except OSError as error:
            raise self._fault(error) from error

    def with_pitch(self, layout: QueueFormat, pitch: int) -> QueueFormat:
        """What the driver would make of a layout with another pitch, in bytes."""
        return self._queue.try_format(layout.fourcc, layout.extent, pitch=pitch)

    def set_up(self, layout: QueueFormat, slots: int, memory: CaptureMemory) -> int:
        """Take the layout and make room for about so many slots; how many there are."""
        try:
            if self._has_buffers:
                self._queue.stop()
            self._running = self._has_buffers = False
            self._given.clear()
            wish = layout.pitches[0] if len(layout.pitches) == 1 else 0
            granted = self._queue.set_format(layout.fourcc, layout.extent, pitch=wish)
            if granted != replace(layout, pitch_step=0, most_pitch=0):
                raise MachineError(f"{self._node} has changed its mind: {granted} for {layout}")
            self._memory = memory
            self._has_buffers = True
            if memory is CaptureMemory.IMPORTED:
                room = self._queue.request_dmabuf(slots)
            elif memory is CaptureMemory.EXPORTED:
                room = self._queue.request_own(slots)
            else:
                room = self._queue.request_mapped(slots)
        except OSError as error:
            raise self._fault(error) from error
        if not room:
            raise MachineError(f"{self._node} has room for no buffer")
        return room

    def export(self, slot: int, planes: Sequence[int]) -> tuple[DmaBuf, ...]:
        """Dma-bufs of a slot's own memory, one for each memory plane, of these sizes in bytes."""
        objects: list[DmaBuf] = []
        try:
            for plane, size in enumerate(planes):
                fd = self._queue.export(slot, plane)
                objects.append(DmaBuf(fd, size=size, name=f"{self.name} {slot}"))
        except OSError as error:
            for one in objects:
                one.close()
            raise self._fault(error) from error
        return tuple(objects)

    def mapped(self, slot: int) -> mmap.mmap:
        """The memory of a slot that the CPU reads."""
        return self._queue.mapped(slot)

    def give(self, slot: int, objects: Sequence[DmaBuf] = ()) -> None:
        """Give a slot to the driver; `objects` are its memory where that is imported.

        They stay the caller's, and must live until `take` tells of the slot. The first slot
        begins the capture.
        """
        try:
            if self._memory is CaptureMemory.IMPORTED:
                fds = [one.fd for one in objects]
                self._queue.queue_dmabuf(slot, fds, [one.size for one in objects])
            else:
                self._queue.queue_own(slot)
            self._given.add(slot)
            if not self._running:
                self._queue.stream_on()
                self._running = True
        except OSError as error:
            raise self._fault(error) from error

    def take(self) -> Dequeued | None:
        """A slot that the driver has filled, None if there is none now.

        Raises `MachineError` when the camera is gone.
        """
        if not self._given or not self._running:
            return None
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        ready = poll.poll(0)
        if not ready:
            return None
        if not ready[0][1] & select.POLLIN:
            raise MachineError(f"{self._node} has stopped: it is gone, or its queue is in error")
        try:
            done = self._queue.dequeue()
        except OSError as error:
            raise self._fault(error) from error
        if done is not None:
            self._given.discard(done.index)
        return done

    def _fault(self, error: OSError) -> MachineError:
        """What stands in the way, and what to do about it."""
        hint = {
            errno.EBUSY: "another program uses it: end that one, or name another camera",
            errno.EACCES: "it may not be opened: join the group that owns it",
            errno.EPERM: "it may not be opened: join the group that owns it",
            errno.ENODEV: "it is gone",
            errno.ENOENT: "there is no such device",
        }.get(error.errno or 0)
        return MachineError(f"{self._node}: {hint or words_of(error)}")
