"""A picture that a device has put into one of the buffers that are shown."""

from __future__ import annotations

from heapwire.client_lib.buffers import Buffer
from heapwire.client_lib.player.picture_stream import Free


class DevicePicture:
    """A picture in its buffer; `time` in seconds. See `PictureStream.next`."""

    def __init__(self, buffer: Buffer, time: float) -> None:
        self.time = time
        self._buffer = buffer

    def into(self, free: Free) -> Buffer:
        """The buffer that it is in."""
        return self._buffer

    def drop(self) -> None:
        """Its buffer is free again."""
        self._buffer.busy = False
