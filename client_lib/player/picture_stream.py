"""What a player needs of whoever decodes, on the CPU or on a device of its own.

The CPU has a picture first and wants a buffer to write it into. A device has to
have buffers first, and fills one of them. So a stream says what it
`needs` of its buffers, is shown the buffers there are, and gives pictures that
either have their buffer already or take one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from heapwire.client_lib.buffers import Buffer, Light
from heapwire.client_lib.player.video import Video
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import Content, Extent, FixedBuffer, Participant, Plan, Source

Free = Callable[[], "Buffer | None"]
"""Gives a buffer that nobody uses; None if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferNeeds:
    """What the buffers of the pictures that come next have to be like.

    `extent` is the visible size of a picture and `coded` the size that the codec
    works in, in pixels. `producer` is who fills the buffers, and `held` how many
    of them it has to have at a time. `sequence` counts up when a device begins
    anew, and wants to be told of its buffers again even if they are the same. `light` is what
    the stream says of primaries and transfer, None for those of usual RGB. `fixed` says how the
    pictures lie in buffers that exist already, each with its own; None where buffers are to be
    written into.
    """

    extent: Extent
    coded: Extent
    content: Content
    producer: Participant
    held: int
    sequence: int = 0
    light: Light | None = None
    fixed: FixedBuffer | None = None


class DuePicture(Protocol):
    """A decoded picture, due `time` seconds after the first one."""

    @property
    def time(self) -> float:
        """When it is due."""

    def into(self, free: Free) -> Buffer | None:
        """The buffer with the picture in it, which is the caller's now.

        Takes one from `free` if the picture has none of its own; None while
        there is none.
        """

    def drop(self) -> None:
        """Show it never; its buffer, if it has one, can be used again."""


class PictureStream(Video, Protocol):
    """The pictures of one file, in the order in which they are to be seen.

    `next` does what can be done without waiting for a device. When it gives
    None and the stream has not `ended`, either `needs` has changed and buffers
    of that kind are wanted, or it will have more to give once `wakes` is readable or a
    buffer has become free. Buffers that a device has are nobody's after `close`.
    """

    @property
    def decoder(self) -> str:
        """The name of the device that decodes, or `cpu`."""

    @property
    def needs(self) -> BufferNeeds | None:
        """What the next pictures want; None before the first call of `next`."""

    @property
    def ended(self) -> bool:
        """Whether there are no more pictures."""

    @property
    def wakes(self) -> tuple[int, ...]:
        """What to poll for reading when `next` has given None."""

    @property
    def notes(self) -> Sequence[str]:
        """What is to be said of the pictures so far, as sentences."""

    @property
    def copied(self) -> int:
        """The bytes that the CPU has stored into buffers."""

    @property
    def make_buffer(self) -> Callable[[Plan], Buffer] | None:
        """Gives the buffers that there are already, one as a plan has it with each call.

        None where they are to be allocated. Raises `AllocationError` when it has no more.
        """

    @property
    def own_memory(self) -> Source | None:
        """What the buffers that there are already are in, as a source of plans for them.

        None where they are to be allocated. It may promise more than the memory keeps, if
        `make_buffer` then looks.
        """

    def next(self) -> DuePicture | None:
        """The next picture."""

    def seek(self, seconds: float) -> bool:
        """Go on at a position of the file, in seconds; False where that cannot be done."""

    @property
    def position(self) -> float:
        """Where the last picture is in the file, in seconds from its beginning."""

    def check(self, plan: Plan) -> None:
        """Raise `AllocationError` if buffers of a plan cannot be filled."""

    def use(self, plan: Plan, free: Free) -> None:
        """From now on buffers of this plan are to be had from `free`."""
