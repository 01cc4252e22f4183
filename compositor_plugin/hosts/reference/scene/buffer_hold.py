"""Buffers in use: what a surface shows, and when its client may write to it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from heapwire.compositor_plugin.hosts.reference.scene.pixels import Image
from heapwire.protocol.values import Colour, Extent

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.dmabuf import WlBuffer
    from heapwire.compositor_plugin.hosts.reference.scene.sync_point import SyncPoint


class BufferContent(Protocol):
    """What a buffer shows: pixels of `wl_shm` or of linux-dmabuf."""

    @property
    def extent(self) -> Extent:
        """Its size in pixels."""

    @property
    def fourcc(self) -> int:
        """Its pixel format."""

    @property
    def has_alpha(self) -> bool:
        """Whether a pixel may let through what is behind it."""

    def image(self, colour: Colour | None = None) -> Image:
        """Its pixels, (height, width, 4) premultiplied RGBA.

        `colour` is that of its YCbCr, None where nobody says.
        """


class BufferHold:
    """One use of a buffer's content by one surface; `release` ends it, once.

    `buffer` is the object to be released, whose `content` outlives it here. `release_point` is
    signalled then, where the client has named one for this use.
    """

    __slots__ = ("_held", "buffer", "content", "release_point")

    def __init__(self, buffer: WlBuffer) -> None:
        self.content = buffer.content
        self.buffer = buffer
        self.release_point: SyncPoint | None = None
        self._held = True
        buffer.uses += 1

    def release(self) -> None:
        """The surface has no more use for it; the last use of a buffer gives it back."""
        if not self._held:
            return
        self._held = False
        if self.release_point is not None:
            self.release_point.signal()
        self.buffer.uses -= 1
        if self.buffer.uses == 0:
            self.buffer.send("release")
