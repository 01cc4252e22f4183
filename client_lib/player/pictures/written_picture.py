"""A picture that has no buffer yet: the CPU writes it into one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from heapwire.client_lib.buffers import Buffer
from heapwire.client_lib.player.picture_stream import Free
from heapwire.client_lib.player.pictures.frame_writer import write_picture

if TYPE_CHECKING:
    import av


class WrittenPicture:
    """See `DuePicture`; `copied` is told how many bytes were stored."""

    def __init__(self, picture: av.VideoFrame, time: float, copied: Callable[[int], None]) -> None:
        self.time = time
        self._picture = picture
        self._copied = copied

    def into(self, free: Free) -> Buffer | None:
        """Write it into a free buffer."""
        buffer = free()
        if buffer is None:
            return None
        with buffer.planes() as planes:
            plan = buffer.plan
            self._copied(write_picture(self._picture, plan.fourcc, planes, plan.modifier))
        return buffer

    def drop(self) -> None:
        """It takes up no buffer."""
