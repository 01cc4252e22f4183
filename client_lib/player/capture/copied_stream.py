"""Pictures of a camera, read by the CPU and written into any buffers: the last way."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from heapwire.client_lib.player.capture.capture_stream import HELD
from heapwire.client_lib.player.capture.lost_pictures import LostPictures
from heapwire.client_lib.player.picture_stream import BufferNeeds, Free
from heapwire.client_lib.player.pictures import (
    WrittenPicture,
    picture_format,
    read_picture,
    writer_participant,
)
from heapwire.kernel.video import (
    CaptureDevice,
    CaptureMemory,
    QueueFormat,
    laid_out_planes,
    layout_format,
)
from heapwire.protocol import MachineError, NotPossibleError
from heapwire.protocol.values import LINEAR, Content, Extent, Plan

_SLOTS = HELD + 1
_MICROSECONDS = 1_000_000


class CopiedStream:
    """See `PictureStream`. `device` is the stream's from now on.

    `extent` is the size to ask for; `formats` are the only fourccs to write, where given: a camera
    that makes one of these itself is asked for that. Raises
    `NotPossibleError` if the camera has no format that can be converted here, and `MachineError`
    as `CaptureDevice` does, or if PyAV is missing.
    """

    decoder = "cpu"
    make_buffer = None
    own_memory = None
    ended = False
    damaged = 0
    count = 0
    pixel_aspect = Fraction(1)
    rate = Fraction(30)

    def __init__(
        self,
        device: CaptureDevice,
        *,
        extent: Extent | None = None,
        formats: Sequence[int] = (),
    ) -> None:
        self.copied = 0
        self.position = 0.0
        self._device = device
        self._lost = LostPictures()
        self._first: int | None = None
        try:
            self._layout, self._code = _readable(device.layouts(extent), device.name, formats)
            name = picture_format(self._code)
            assert name is not None, "it was chosen for that"
            producer = writer_participant(name, formats)
            encoding, range_ = device.colour
            slots = device.set_up(self._layout, _SLOTS, CaptureMemory.MAPPED)
            for slot in range(slots):
                device.give(slot)
        except BaseException as error:
            device.close()
            if isinstance(error, ImportError):
                raise MachineError(
                    f"{error.name} is missing: install heapwire with its extra, [play]"
                ) from None
            raise
        size = self._layout.extent
        self.needs: BufferNeeds | None = BufferNeeds(
            extent=size,
            coded=size,
            content=Content(encoding=encoding, range=range_),
            producer=producer,
            held=1,
        )

    @property
    def wakes(self) -> tuple[int, ...]:
        """The camera."""
        return (self._device.fileno(),)

    @property
    def notes(self) -> Sequence[str]:
        """How many pictures nobody has seen."""
        return self._lost.notes

    def next(self) -> WrittenPicture | None:
        """The newest picture, copied out of the driver's memory."""
        newest = None
        while (done := self._device.take()) is not None:
            self._lost.came(done.sequence)
            if done.damaged:
                self.damaged += 1
                self._device.give(done.index)
                continue
            if newest is not None:
                self._lost.overtaken += 1
                self._device.give(newest.index)
            newest = done
        if newest is None:
            return None
        planes = laid_out_planes(self._layout)
        with memoryview(self._device.mapped(newest.index)) as memory:
            picture = read_picture([memory], planes, self._code, self._layout.extent)
        self.copied += sum(plane.buffer_size for plane in picture.planes)
        self._device.give(newest.index)
        if self._first is None:
            self._first = newest.stamp
        self.position = (newest.stamp - self._first) / _MICROSECONDS
        return WrittenPicture(picture, self.position, self._copy)

    def _copy(self, count: int) -> None:
        self.copied += count

    def seek(self, seconds: float) -> bool:
        """A camera sees what is now."""
        return False

    def check(self, plan: Plan) -> None:
        """The CPU writes any plan of a format that it said it would write."""

    def use(self, plan: Plan, free: Free) -> None:
        """Each picture takes its buffer when it has come."""

    def close(self) -> None:
        """Close the camera."""
        self._device.close()


def _readable(
    layouts: Sequence[QueueFormat], name: str, wanted: Sequence[int]
) -> tuple[QueueFormat, int]:
    """The layout to read, with its fourcc: one that is wanted as it is, else the first."""
    readable = [
        (layout, pair.fourcc)
        for layout in layouts
        if (pair := layout_format(layout)) is not None
        and pair.modifier == LINEAR
        and len(layout.sizes) == 1
        and picture_format(pair.fourcc) is not None
        and laid_out_planes(layout)
    ]
    if not readable:
        raise NotPossibleError(f"{name} makes no format that can be converted here")
    return next((one for one in readable if one[1] in wanted), readable[0])
