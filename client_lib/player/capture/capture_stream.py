"""Pictures that a camera writes straight into the buffers that are shown: nobody copies them.

The driver's slots and the stream's buffers are matched as they come free. They are negotiated
buffers, which the driver imports, or its own memory, exported: then each slot has its buffer for
good. Nothing waits for a picture: what has come while another was shown is passed over, and the
newest is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from heapwire.client_lib.buffers import Buffer
from heapwire.client_lib.errors import AllocationError
from heapwire.client_lib.player.capture.lost_pictures import LostPictures
from heapwire.client_lib.player.capture.own_buffers import OwnBuffers
from heapwire.client_lib.player.device_layouts import (
    layout_for,
    leaves_lines_dirty,
    offered_sets,
    with_only,
)
from heapwire.client_lib.player.device_picture import DevicePicture
from heapwire.client_lib.player.picture_stream import BufferNeeds, Free
from heapwire.kernel.memory import CpuAccess, DmaBuf
from heapwire.kernel.video import CaptureDevice, CaptureMemory, Dequeued, QueueFormat
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import Content, Extent, FormatModifier, Participant, Plan, Source

HELD = 2
"""Slots that a driver has to have at a time: one is filled while the next one waits."""

_MICROSECONDS = 1_000_000


class CaptureStream:
    """See `PictureStream`. `device` is the stream's from now on.

    `producer` is what is known of the device, whose name is `name`; `memory` says whose the
    buffers are, and `own` judges them where they are the device's. `extent` is the size to ask
    for, None for the one that the camera is set to; `formats` are the only fourccs to use, where
    given. Raises what `CaptureDevice.layouts` raises, and `NotPossibleError` if none of its
    formats may be used.
    """

    ended = False
    damaged = 0
    count = 0
    pixel_aspect = Fraction(1)
    rate = Fraction(30)

    def __init__(
        self,
        device: CaptureDevice,
        producer: Participant,
        *,
        name: str,
        memory: CaptureMemory = CaptureMemory.IMPORTED,
        own: OwnBuffers | None = None,
        extent: Extent | None = None,
        formats: Sequence[int] = (),
    ) -> None:
        self.decoder = name
        self.copied = 0
        self.position = 0.0
        self._device = device
        self.memory = memory
        self._judge = own
        self._exported = memory is CaptureMemory.EXPORTED
        self._is_dirty = leaves_lines_dirty(producer)
        self._layout: QueueFormat | None = None
        self._free: Free | None = None
        self._slots: dict[int, Buffer | None] = {}
        self._own: dict[int, Buffer] = {}
        self._unmade: list[int] = []  # slots whose own memory is no buffer yet
        self._lost = LostPictures()
        self._first: int | None = None
        try:
            self._layouts = device.layouts(extent)
            sets = offered_sets(producer, self._layouts, formats, name)
            encoding, range_ = device.colour
        except BaseException:
            device.close()
            raise
        size = self._layouts[0].extent
        self.needs: BufferNeeds | None = BufferNeeds(
            extent=size,
            coded=size,
            content=Content(encoding=encoding, range=range_),
            producer=replace(producer, sets=sets),
            held=HELD,
        )

    @property
    def wakes(self) -> tuple[int, ...]:
        """The camera, once it has begun."""
        busy = any(buffer is not None for buffer in self._slots.values())
        return (self._device.fileno(),) if busy else ()

    @property
    def notes(self) -> Sequence[str]:
        """How many pictures nobody has seen, and what is wrong with the camera's own buffers."""
        judged = () if self._judge is None else self._judge.notes
        return (*self._lost.notes, *judged)

    def next(self) -> DevicePicture | None:
        """The newest picture; `MachineError` when the camera is gone, or refuses a buffer."""
        self._give()
        newest: DevicePicture | None = None
        while (done := self._device.take()) is not None:
            buffer = self._taken(done)
            if done.damaged:
                buffer.busy = False
                self.damaged += 1
                continue
            if newest is not None:
                newest.drop()
                self._lost.overtaken += 1
            if self._first is None:
                self._first = done.stamp
            self.position = (done.stamp - self._first) / _MICROSECONDS
            newest = DevicePicture(buffer, self.position)
        if newest is not None:
            self._give()
        return newest

    def seek(self, seconds: float) -> bool:
        """A camera sees what is now."""
        return False

    def check(self, plan: Plan) -> None:
        """Raise `AllocationError` if the camera does not lay pictures out like this.

        Likewise if its own buffers were judged, and are not good for that.
        """
        self._layout_of(plan)
        if self._judge is not None:
            self._judge.check(plan)

    @property
    def make_buffer(self) -> Callable[[Plan], Buffer] | None:
        """The camera's own buffers, where these are shown."""
        return self._own_buffer if self._exported else None

    @property
    def own_memory(self) -> Source | None:
        """The camera's, where its own buffers are shown and judged when they are there."""
        return None if self._judge is None else self._judge.memory

    def _own_buffer(self, plan: Plan) -> Buffer:
        """The next of the camera's own buffers, as one of a plan.

        Raises `AllocationError` when there are no more, or they are not good for the plan.
        """
        layout = self._layout_of(plan)
        if self._layout is None:
            self._set_up(layout, max(plan.buffer_count, HELD))
            self._unmade = list(self._slots)
        if not self._unmade:
            raise AllocationError(f"{self.decoder} has no more buffers of its own")
        slot = self._unmade.pop(0)
        objects = self._device.export(slot, layout.sizes)
        try:
            if self._judge is not None:
                plan = replace(plan, layout=self._judge.frame(plan, objects).fixed.layout)
        except BaseException:
            for one in objects:
                one.close()
            self._layout = None  # another one may be good
            raise
        buffer = Buffer(plan, objects)
        self._own[slot] = buffer
        return buffer

    def use(self, plan: Plan, free: Free) -> None:
        """Have the camera fill buffers of this plan from now on."""
        layout = self._layout_of(plan)
        self._free = free
        if self._layout is None:
            self._set_up(layout, max(plan.buffer_count, HELD))
        assert self.needs is not None
        chosen = FormatModifier(plan.fourcc, plan.modifier)
        sets = with_only(self.needs.producer.sets, lambda pair: pair == chosen)
        self.needs = replace(self.needs, producer=replace(self.needs.producer, sets=sets))

    def close(self) -> None:
        """Close the camera."""
        self._device.close()
        for buffer in self._slots.values():
            if buffer is not None:
                buffer.busy = False
        self._slots.clear()
        self._own.clear()

    def _set_up(self, layout: QueueFormat, count: int) -> None:
        room = self._device.set_up(layout, count, self.memory)
        self._slots = dict.fromkeys(range(room))
        self._own.clear()
        self._layout = layout

    def _layout_of(self, plan: Plan) -> QueueFormat:
        offered = self._layouts if self._layout is None else (self._layout,)
        return layout_for(plan, offered, self._device.with_pitch, self.decoder)

    def _give(self) -> None:
        if self._free is None:
            return
        while None in self._slots.values():
            buffer = self._free()
            if buffer is None:
                return
            slot = self._slot_for(buffer)
            if slot is None or self._slots[slot] is not None:
                return
            self._bracket(buffer.objects, begins=True)
            buffer.busy = True
            self._slots[slot] = buffer
            self._device.give(slot, () if self._exported else buffer.objects)

    def _slot_for(self, buffer: Buffer) -> int | None:
        """A free slot: the one that the buffer was in before, so that it stays mapped there.

        videobuf2 lets go of a slot's memory when it is given another, and maps the new one page
        by page (drivers/media/common/videobuf2/videobuf2-core.c, __prepare_dmabuf).
        """
        before = next((slot for slot, own in self._own.items() if own is buffer), None)
        if before is not None or self._exported:
            return before
        free = [slot for slot, holder in self._slots.items() if holder is None]
        unused = [slot for slot in free if slot not in self._own]
        chosen = next(iter(unused or free), None)
        if chosen is not None:
            self._own[chosen] = buffer
        return chosen

    def _taken(self, done: Dequeued) -> Buffer:
        buffer = self._slots[done.index]
        self._slots[done.index] = None
        assert buffer is not None, "the camera gives back what it was given"
        self._bracket(buffer.objects, begins=False)
        self._lost.came(done.sequence)
        return buffer

    def _bracket(self, objects: Sequence[DmaBuf], *, begins: bool) -> None:
        if self._is_dirty:
            for dma_buf in objects:
                if begins:
                    dma_buf.start_access(CpuAccess.WRITE)
                else:
                    dma_buf.end_access(CpuAccess.WRITE)
