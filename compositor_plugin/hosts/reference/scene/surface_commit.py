"""What a client sets on a surface between commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference.scene.buffer_hold import BufferHold
from heapwire.compositor_plugin.hosts.reference.scene.light import Light
from heapwire.compositor_plugin.hosts.reference.scene.region import EMPTY, Region
from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.values import Colour

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference import WlCallback, WpPresentationFeedback
    from heapwire.compositor_plugin.hosts.reference.scene.sync_point import SyncPoint


class Crop(NamedTuple):
    """The part of the buffer that is shown, in surface coordinates before scaling."""

    x: float
    y: float
    width: float
    height: float


class Presenting(NamedTuple):
    """The state that says how the buffer is shown; it lasts until it is set again.

    `transform` is a `wl_output.transform`: what the client has done to the
    buffer's content. `crop` and `destination` are the viewport's. `colour` is what
    the client says of the YCbCr in it, and `light` what it says of the RGB that comes of it;
    None if it says nothing.
    """

    scale: int = 1
    transform: int = 0
    opaque: Region = EMPTY
    crop: Crop | None = None
    destination: tuple[int, int] | None = None
    colour: Colour | None = None
    light: Light | None = None


@dataclass(slots=True)
class SurfaceCommit:
    """The state of one surface: pending, cached, or current.

    `hold` is the buffer, which `attached` says is new, and `acquire` the point before which it
    cannot be read, None where it can. `frames` and `feedbacks` wait for the state to be on the
    screen.
    """

    presenting: Presenting = Presenting()
    attached: bool = False
    hold: BufferHold | None = None
    acquire: SyncPoint | None = None
    frames: list[WlCallback] = field(default_factory=list)
    feedbacks: list[WpPresentationFeedback] = field(default_factory=list)

    def apply_to(self, other: SurfaceCommit) -> BufferHold | None:
        """Hand everything over to a later stage; returns the buffer that was replaced there."""
        replaced = None
        other.presenting = self.presenting
        if self.attached:
            replaced, other.hold = other.hold, self.hold
            other.attached = True
            other.acquire = self.acquire
            self.attached, self.hold, self.acquire = False, None, None
        other.frames += self.frames
        self.frames = []
        for feedback in other.feedbacks:
            feedback.discard()
        other.feedbacks, self.feedbacks = self.feedbacks, []
        return replaced

    def clear(self) -> None:
        """Let go of everything: the surface is gone."""
        if self.hold is not None:
            self.hold.release()
            self.hold = None
        frames, self.frames = self.frames, []
        for frame in frames:
            frame.destroy_resource()
        feedbacks, self.feedbacks = self.feedbacks, []
        for feedback in feedbacks:
            feedback.discard()
