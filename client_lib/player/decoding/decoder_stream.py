"""What streams of decoded pictures have of their file, wherever the pictures are."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from heapwire.client_lib.player.decoding.decoder import DecodedFrame, Decoder
from heapwire.client_lib.player.picture_stream import BufferNeeds


class DecoderStream:
    """The part of a `PictureStream` that a `Decoder` tells; the stream closes it."""

    def __init__(self, decoder: Decoder) -> None:
        self.needs: BufferNeeds | None = None
        self.ended = False
        self.notes: list[str] = []
        self.position = 0.0
        self._decoder = decoder
        self._frames: Iterator[DecodedFrame] = iter(decoder)

    @property
    def rate(self) -> Fraction:
        """Pictures a second."""
        return self._decoder.rate

    @property
    def count(self) -> int:
        """How many pictures the file says it has; 0 if it does not."""
        return self._decoder.frame_count

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel divided by its height."""
        return self._decoder.pixel_aspect

    @property
    def damaged(self) -> int:
        """How many packets could not be decoded and were skipped."""
        return self._decoder.damaged

    def seek(self, seconds: float) -> bool:
        """Go on at a position of the file."""
        if not self._decoder.seek(max(0.0, seconds)):
            return False
        self._frames = iter(self._decoder)
        self.ended = False
        return True

    def _decoded(self) -> DecodedFrame | None:
        """The next picture; None at the end, with a note of how the file broke off if it did."""
        frame = next(self._frames, None)
        if frame is None:
            self.ended = True
            if self._decoder.broken is not None:
                self.notes.append(f"the file breaks off: {self._decoder.broken}")
        return frame
