"""The side of a decoder where pictures come out: its formats, and slots with anybody's dma-bufs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from heapwire.kernel.memory import DmaBuf
from heapwire.kernel.system import Ioctl, ioctl
from heapwire.kernel.video.v4l2_device import V4l2Device
from heapwire.kernel.video.v4l2_queue import Dequeued, QueueFormat, V4l2Queue
from heapwire.kernel.video.videodev2 import Queue
from heapwire.protocol import MachineError
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import Extent


class PictureSide:
    """Owns its queue's mappings, until `close`; the node's fd stays the caller's.

    `slots` are those that are the driver's, `running` says whether it streams. Its methods raise
    `OSError` with the driver's word, and `MachineError` where they say so.
    """

    def __init__(self, fd: int, device: V4l2Device, kind: Queue, call: Ioctl = ioctl) -> None:
        self.queue = V4l2Queue(fd, kind, call)
        self.slots: set[int] = set()
        self.running = False
        self._has_buffers = False
        self._device = device
        self._kind = kind

    def close(self) -> None:
        """Stop, and free what the queue has; safe to call twice."""
        self.queue.close()

    def stop(self) -> None:
        """Have the driver give everything back, if it has anything."""
        if self._has_buffers:
            self.queue.stop()
        self.slots.clear()
        self.running = self._has_buffers = False

    def layouts(
        self, extent: Extent, ask: Callable[[int, Extent], QueueFormat] | None = None
    ) -> tuple[QueueFormat, ...]:
        """How the driver would lay out pictures of a size in each format that it offers.

        `ask` is what answers for a format, TRY_FMT if it is left out.
        """
        ask = ask or self.queue.try_format
        formats = self._device.formats(self._kind)
        codes = [entry.fourcc for entry in formats if not entry.compressed]
        said = [(code, ask(code, extent)) for code in codes]
        # A driver answers a format that it does not have at this size with another one.
        own = [layout for code, layout in said if layout.fourcc == code]
        return tuple(self.queue.with_pitches(layout) for layout in own)

    def with_pitch(self, layout: QueueFormat, pitch: int) -> QueueFormat:
        """What the driver would make of a layout with another pitch, in bytes."""
        return self.queue.try_format(layout.fourcc, layout.extent, pitch=pitch)

    def set_up(self, layout: QueueFormat, slots: int) -> None:
        """Let pictures come out in a layout, in at most so many slots.

        Raises `MachineError` if the driver does not keep to the layout.
        """
        self.stop()
        # Of several memory planes each has its own pitch, and none is wished for.
        wish = layout.pitches[0] if len(layout.pitches) == 1 else 0
        granted = self.queue.set_format(layout.fourcc, layout.extent, pitch=wish)
        if granted != replace(layout, pitch_step=0, most_pitch=0):
            raise MachineError(f"the driver has changed its mind: {granted} for {layout}")
        self._has_buffers = True
        room = self.queue.request_dmabuf(slots)
        if room < slots:
            raise MachineError(f"the driver takes {room} buffers and {slots} are needed")
        self.queue.stream_on()
        self.running = True

    def give(self, slot: int, objects: Sequence[DmaBuf]) -> None:
        """Give a slot to the driver; see `DeviceDecoder.give`."""
        fds = [buffer.fd for buffer in objects]
        self.queue.queue_dmabuf(slot, fds, [buffer.size for buffer in objects])
        self.slots.add(slot)

    def take(self) -> Dequeued | None:
        """A slot that the driver is done with; None after the last one. Waits for it."""
        done = self.queue.dequeue()
        if done is not None:
            self.slots.discard(done.index)
        return done
