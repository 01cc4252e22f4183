"""Pictures that a V4L2 device decodes straight into the buffers that are shown.

The device's slots and the stream's buffers are matched as they come free: a
free slot and a free buffer go to the device together, and come back as a
picture. So when buffers are replaced by others of the same layout, those that
the device still has are shown as usual, and no picture is lost. What it reads to
decode others stays as it is, though the compositor be done with it.

Layouts cannot change in the middle: a decoder would have to be stopped, and
what comes next may refer to pictures from before. So from the first plan on the
stream asks for the format of that plan alone, until the pictures themselves
change.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction

from heapwire.client_lib.buffers import Buffer
from heapwire.client_lib.player.decoding.packet import Packet, PacketFile
from heapwire.client_lib.player.decoding.timeline import Timeline
from heapwire.client_lib.player.device_layouts import (
    layout_for,
    leaves_lines_dirty,
    offered_sets,
    with_only,
)
from heapwire.client_lib.player.device_picture import DevicePicture
from heapwire.client_lib.player.picture_stream import BufferNeeds, Free
from heapwire.kernel.memory import CpuAccess
from heapwire.kernel.video import DecodedPicture, DeviceDecoder, QueueFormat
from heapwire.protocol import InputError, MachineError, words_of
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import (
    FormatModifier,
    Participant,
    Plan,
)


class DevicePictureStream:
    """The pictures of a file of packets; see `PictureStream`.

    `producer` is what is known of the device, whose name is `name`: its sets say
    which formats and memory it can work with. `file` and `device` are the
    stream's from now on, but if this fails, `file` stays the caller's. `formats`
    are the only fourccs to use, where given. Raises `MachineError` if the device
    does not decode the file.
    """

    make_buffer = None
    own_memory = None

    def __init__(
        self,
        file: PacketFile,
        device: DeviceDecoder,
        producer: Participant,
        *,
        name: str,
        formats: tuple[int, ...] = (),
    ) -> None:
        self.decoder = name
        self.needs: BufferNeeds | None = None
        self.ended = False
        self.damaged = 0
        self.copied = 0
        self.notes: list[str] = []
        self.position = 0.0
        self._file = file
        self._device = device
        self._producer = producer
        self._formats = formats
        self._is_dirty = leaves_lines_dirty(producer)
        self._packets = iter(file)
        self._waiting: Packet | None = None  # one that has not been fed
        self._draining = False
        self._described = False  # what the device says of its pictures has been passed on
        self._timeline = Timeline(float(1 / file.rate), file.most_gap)
        self._stamps: dict[int, float | None] = {}
        self._next_stamp = 1
        self._layouts: tuple[QueueFormat, ...] = ()
        self._layout: QueueFormat | None = None
        self._free: Free | None = None
        self._slots: dict[int, Buffer | None] = {}
        self._shown: dict[int, Buffer] = {}  # by slot, what has been told of
        self._withheld: list[Buffer] = []  # those that only the device uses, to read them
        self._ready: deque[DevicePicture] = deque()
        try:
            device.start(file.coded, file.extent)
        except BaseException as error:
            device.close()
            if isinstance(error, OSError | MachineError):
                text = f"the device does not decode this: {words_of(error)}"
                raise MachineError(text) from error
            raise

    @property
    def rate(self) -> Fraction:
        """Pictures a second."""
        return self._file.rate

    @property
    def count(self) -> int:
        """How many pictures the file says it has; 0 if it does not."""
        return self._file.count

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel divided by its height."""
        return self._file.pixel_aspect

    @property
    def wakes(self) -> tuple[int, ...]:
        """The device."""
        return () if self.ended else (self._device.fileno(),)

    def next(self) -> DevicePicture | None:
        """Feed the device, give it buffers, and take a picture if there is one.

        Raises `MachineError` when the device has failed, or refuses a buffer;
        `NotPossibleError` if none of its formats may be used, `InputError` if there
        is nothing in the file that it can decode.
        """
        device = self._device
        try:
            while not self._ready and not self.ended:
                self._give()
                self._feed()
                done = device.take()
                if done is not None:
                    self._take(done)
                elif device.changed and not self._described:
                    self._describe()
                    return None
                elif device.ended and self._waiting is not None:
                    self._begin_again(self._waiting)
                elif device.ended:
                    self.ended = True
                    if self._file.broken is not None:
                        self.notes.append(f"the file breaks off: {self._file.broken}")
                else:
                    break
        except OSError as error:
            raise MachineError(f"the decoder has failed: {words_of(error)}") from error
        return self._ready.popleft() if self._ready else None

    def seek(self, seconds: float) -> bool:
        """What a device has been fed with cannot be taken back."""
        return False

    def check(self, plan: Plan) -> None:
        """Raise `AllocationError` if the device does not lay pictures out like this."""
        self._layout_of(plan)

    def use(self, plan: Plan, free: Free) -> None:
        """Have the device fill buffers of this plan from now on."""
        layout = self._layout_of(plan)
        self._free = free
        if self._layout is None:
            count = max(plan.buffer_count, self._device.least_buffers)
            try:
                self._device.set_up(layout, count)
            except OSError as error:
                raise MachineError(f"the decoder has failed: {words_of(error)}") from error
            self._layout = layout
            self._described = False
            self._slots = dict.fromkeys(range(count))
        assert self.needs is not None
        chosen = FormatModifier(plan.fourcc, plan.modifier)
        sets = with_only(self.needs.producer.sets, lambda pair: pair == chosen)
        self.needs = replace(self.needs, producer=replace(self.needs.producer, sets=sets))

    def close(self) -> None:
        """Close the file and the device."""
        self._device.close()
        for picture in self._ready:
            picture.drop()
        self._ready.clear()
        self._release()
        self._file.close()

    def _release(self) -> None:
        """The device has no buffers any more."""
        for buffer in self._slots.values():
            if buffer is not None:
                buffer.busy = False
        self._slots.clear()
        self._shown.clear()
        self._let_go()

    def _describe(self) -> None:
        """Say what the device makes of the pictures that come next."""
        device = self._device
        self._layouts = device.layouts()
        sets = offered_sets(self._producer, self._layouts, self._formats, self.decoder)
        self._described = True
        self._layout = None
        self._release()
        self.needs = BufferNeeds(
            extent=device.visible,
            coded=self._layouts[0].extent,
            content=self._file.content,
            light=self._file.light,
            producer=replace(self._producer, sets=sets),
            held=device.least_buffers,
            sequence=0 if self.needs is None else self.needs.sequence + 1,
        )

    def _layout_of(self, plan: Plan) -> QueueFormat:
        offered = self._layouts if self._layout is None else (self._layout,)
        return layout_for(plan, offered, self._device.with_pitch, self.decoder)

    def _give(self) -> None:
        if self._layout is None or self._free is None:
            return
        self._let_go()
        kept = self._device.kept
        read = [self._shown[slot] for slot in kept]
        for slot, holder in self._slots.items():
            if holder is not None or slot in kept:
                continue
            buffer = self._free_but(read)
            if buffer is None:
                return
            if self._is_dirty:
                for dma_buf in buffer.objects:
                    dma_buf.start_access(CpuAccess.WRITE)
            self._device.give(slot, buffer.objects)
            buffer.busy = True
            self._slots[slot] = buffer

    def _free_but(self, read: Sequence[Buffer]) -> Buffer | None:
        """A free buffer that the device does not read; one that it does is withheld."""
        assert self._free is not None
        while (buffer := self._free()) is not None:
            if all(buffer is not one for one in read):
                return buffer
            buffer.busy = True
            self._withheld.append(buffer)
        return None

    def _let_go(self) -> None:
        """What was withheld may be used again, or is withheld anew."""
        for buffer in self._withheld:
            buffer.busy = False
        self._withheld.clear()

    def _feed(self) -> None:
        device = self._device
        while device.hungry and not self._draining:
            packet = self._waiting or next(self._packets, None)
            self._waiting = None
            if packet is None or not device.fits(packet.data):
                self._waiting = packet
                self._come_to_an_end(packet)
                return
            stamp, self._next_stamp = self._next_stamp, self._next_stamp + 1
            try:
                device.feed(packet.data, stamp)
            except InputError:
                self.damaged += 1
            else:
                self._stamps[stamp] = packet.stamp

    def _come_to_an_end(self, waiting: Packet | None) -> None:
        """Have the device finish: no more packets, or one that wants larger buffers."""
        device = self._device
        if self._layout is not None:
            self._draining = True
            device.drain()
        elif device.digesting or device.changed:
            return  # it has not been set up yet, and until then nothing comes out
        elif waiting is None:
            raise InputError("nothing in it can be decoded")
        else:
            self._begin_again(waiting)

    def _take(self, done: DecodedPicture) -> None:
        buffer = self._slots[done.slot]
        self._slots[done.slot] = None
        assert buffer is not None, "the device gives back what it was given"
        self._shown[done.slot] = buffer
        if self._is_dirty:
            for dma_buf in buffer.objects:
                dma_buf.end_access(CpuAccess.WRITE)
        if done.empty:
            buffer.busy = False
            return
        stamp = self._stamps.pop(done.stamp, None)
        if done.damaged:
            buffer.busy = False
            self.damaged += 1
            return
        if done.hidden:
            buffer.busy = False
            return
        self._ready.append(DevicePicture(buffer, self._timeline.at(stamp)))

    def _begin_again(self, waiting: Packet) -> None:
        """Start the device anew with larger buffers on the way in."""
        extent = self._file.extent if self.needs is None else self.needs.coded
        self._device.start(self._file.coded, extent, packet_size=2 * len(waiting.data))
        if not self._device.fits(waiting.data):
            raise MachineError(
                f"a packet of {len(waiting.data)} bytes is more than the device takes"
            )
        self._draining = self._described = False
        self._release()
        self._layout = None
