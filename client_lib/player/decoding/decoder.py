"""Video files as pictures that PyAV has decoded (the extra `play`)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from heapwire.client_lib.buffers import Light
from heapwire.client_lib.player.decoding.timeline import Timeline
from heapwire.client_lib.player.decoding.video_file import VideoFile
from heapwire.client_lib.player.pictures import picture_colour, picture_light
from heapwire.kernel.system import Owner
from heapwire.protocol import FileError, NotPossibleError, words_of
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import MAX_EXTENT, Content, Extent

if TYPE_CHECKING:
    import av
    from av.codec.hwaccel import HWAccel


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A picture and when to show it, in seconds from the first one.

    `position` is where it is in the file, in seconds from its beginning.
    """

    picture: av.VideoFrame
    time: float
    position: float

    @property
    def extent(self) -> Extent:
        """The visible size in pixels."""
        return Extent(self.picture.width, self.picture.height)

    @property
    def content(self) -> Content:
        """The colours, and how the picture is to be turned."""
        picture = self.picture
        encoding, range_ = picture_colour(picture)
        return Content(
            interlaced=bool(picture.interlaced_frame),
            rotation=turn if (turn := picture.rotation % 360) % 90 == 0 else 0,
            encoding=encoding,
            range=range_,
        )

    @property
    def light(self) -> Light | None:
        """What the stream says of primaries and transfer; None for the usual ones."""
        return picture_light(self.picture)


class Decoder(Owner):
    """The video of a file, decoded frame by frame.

    A context manager and an iterator. `damaged` counts the packets that could
    not be decoded and were skipped. Raises what `VideoFile` raises, and
    `FileError` if nothing in the file can be decoded. With `gpu` it is decoded there, and
    `NotPossibleError` says that the GPU has no way to.
    """

    def __init__(self, path: str | Path, gpu: HWAccel | None = None) -> None:
        self.damaged = 0
        self._file = VideoFile(path, gpu)
        self._on_gpu = gpu is not None
        if gpu is None:
            self._file.stream.thread_type = "AUTO"
        self._timeline = Timeline(float(1 / self.rate), self._file.most_gap)
        self._from = 0.0

    def seek(self, seconds: float) -> bool:
        """Have a new iteration begin at a position of the file; False where that cannot be done.

        Its first picture is due one step after the last of the iteration before.
        """
        if not self._file.seek(seconds):
            return False
        self._from = seconds
        self._timeline.begin_again()
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def coded(self) -> Extent:
        """The size that the codec works in: a multiple of its blocks, in pixels."""
        context = self._file.stream.codec_context
        width = max(context.coded_width, context.width)
        height = max(context.coded_height, context.height)
        return Extent(min(max(width, 1), MAX_EXTENT), min(max(height, 1), MAX_EXTENT))

    @property
    def broken(self) -> str | None:
        """How the file broke off, once it has."""
        return self._file.broken

    @property
    def codec(self) -> str:
        """What FFmpeg calls the codec."""
        return str(self._file.stream.codec_context.name)

    @property
    def _stream_text(self) -> str:
        profile = self._file.stream.codec_context.profile
        return f"{self.codec} ({profile})" if profile else self.codec

    @property
    def rate(self) -> Fraction:
        """Frames a second."""
        return self._file.rate

    @property
    def frame_count(self) -> int:
        """How many frames the file says it has; 0 if it does not."""
        return self._file.stream.frames

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel divided by its height."""
        return self._file.pixel_aspect

    def __iter__(self) -> Iterator[DecodedFrame]:
        timeline, position = self._timeline, self._from
        for packet in self._file.packets():
            try:
                pictures = packet.decode()
            except self._file.fault as error:
                # A GPU that lacks the profile refuses every packet: the first that needs no other
                # tells it, and a stream that is joined in its middle begins with others.
                if self._on_gpu and packet.is_keyframe and not timeline.begun:
                    raise NotPossibleError(f"{self._stream_text}: {words_of(error)}") from None
                self.damaged += 1
                continue
            for picture in pictures:
                fault = Extent.fault(picture.width, picture.height)
                if fault is not None:
                    raise FileError(self._file.path, f"a picture in it is too large: {fault}")
                if picture.time is not None:
                    position = picture.time - self._file.start
                # Decoding begins at a key picture before the one that is wanted.
                if position >= self._from - float(1 / self.rate) / 2 or picture.time is None:
                    yield DecodedFrame(picture, timeline.at(picture.time), position)
        if not timeline.begun:
            raise FileError(self._file.path, "nothing in it can be decoded")
