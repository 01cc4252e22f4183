"""Video files as decoded pictures, by PyAV (the extra `play`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from heapwire.kernel.closable import Closable
from heapwire.protocol.model.content import ColourEncoding, ColourRange, Content
from heapwire.protocol.model.errors import LocalError
from heapwire.protocol.model.extents import Extent

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream

# libavutil/pixfmt.h, AVColorSpace, which numbers as H.273 does. 5 and 6 are the
# same matrix; 10 is BT.2020 with constant luminance, whose matrix is 9's.
_ENCODINGS: Mapping[int, ColourEncoding] = {
    0: ColourEncoding.RGB,
    1: ColourEncoding.BT709,
    5: ColourEncoding.BT601,
    6: ColourEncoding.BT601,
    9: ColourEncoding.BT2020,
    10: ColourEncoding.BT2020,
}
_RANGES: Mapping[int, ColourRange] = {1: ColourRange.LIMITED, 2: ColourRange.FULL}
DEFAULT_RATE = Fraction(25)  # frames a second, for a stream that does not say


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A picture and when to show it, in seconds from the first one."""

    picture: av.VideoFrame
    time: float

    @property
    def extent(self) -> Extent:
        """The visible size in pixels."""
        return Extent(self.picture.width, self.picture.height)

    @property
    def content(self) -> Content:
        """What the stream says of the colours, and how the picture is to be turned."""
        full = self.picture.format.name.startswith("yuvj")
        stated = _RANGES.get(int(self.picture.color_range), ColourRange.UNSPECIFIED)
        return Content(
            interlaced=bool(self.picture.interlaced_frame),
            rotation=turn if (turn := self.picture.rotation % 360) % 90 == 0 else 0,
            encoding=_ENCODINGS.get(int(self.picture.colorspace), ColourEncoding.UNSPECIFIED),
            range=ColourRange.FULL if full else stated,
        )


class Decoder(Closable):
    """The first video stream of a file, decoded frame by frame.

    A context manager and an iterator. `damaged` counts the packets that could
    not be decoded and were skipped. Raises `LocalError`, which names the file
    and the fault, if it cannot be opened or nothing in it can be decoded; also
    if PyAV is not installed.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            import av
        except ImportError as error:
            raise LocalError(
                f"decoding needs PyAV and numpy ({error}): pip install 'heapwire[play]'"
            ) from None
        self.path = str(path)
        self.damaged = 0
        self._fault = av.error.FFmpegError
        try:
            opened = av.open(self.path)
        except (av.error.FFmpegError, OSError) as error:
            raise LocalError(f"{self.path}: {_sentence(error)}") from None
        if not opened.streams.video:
            opened.close()
            raise LocalError(f"{self.path}: there is no video in it")
        self._container: InputContainer = opened
        self._stream: VideoStream = opened.streams.video[0]
        self._stream.thread_type = "AUTO"

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    @property
    def coded(self) -> Extent:
        """The size that the codec works in: a multiple of its blocks, in pixels."""
        context = self._stream.codec_context
        return Extent(
            max(context.coded_width, context.width), max(context.coded_height, context.height)
        )

    @property
    def rate(self) -> Fraction:
        """Frames a second."""
        return self._stream.average_rate or self._stream.guessed_rate or DEFAULT_RATE

    @property
    def frame_count(self) -> int:
        """How many frames the file says it has; 0 if it does not."""
        return self._stream.frames

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel divided by its height."""
        aspect = self._stream.sample_aspect_ratio
        return aspect if aspect and aspect > 0 else Fraction(1)

    def __iter__(self) -> Iterator[DecodedFrame]:
        step = float(1 / self.rate)
        base: float | None = None
        previous = -step
        for picture in self._pictures():
            time = previous + step
            if picture.time is not None:
                if base is None or picture.time - base < previous:
                    # The first stamp, or a clock that jumps back: go on from here.
                    base = picture.time - time
                time = picture.time - base
            previous = time
            yield DecodedFrame(picture, time)
        if previous < 0:
            raise LocalError(f"{self.path}: nothing in it can be decoded")

    def _pictures(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (self._fault, OSError) as error:
                raise LocalError(f"{self.path}: {_sentence(error)}") from None
            try:
                yield from packet.decode()
            except self._fault:
                self.damaged += 1


def _sentence(error: Exception) -> str:
    """What an FFmpegError says without the number and the path."""
    return getattr(error, "strerror", None) or str(error)
