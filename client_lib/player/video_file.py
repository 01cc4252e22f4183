"""A video file, opened by PyAV (the extra `play`)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from heapwire.protocol import FileError, MachineError, words_of

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream

DEFAULT_RATE = Fraction(25)  # frames a second, for a stream that does not say


class VideoFile:
    """The first video stream of a file.

    `fault` is the exception that PyAV raises for what cannot be decoded. Raises
    `FileError` if it cannot be opened or there is no video in it, and
    `MachineError` if PyAV is not installed.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            import av
        except ImportError as error:
            raise MachineError(
                f"decoding needs PyAV and numpy ({error}): install heapwire with its extra, [play]"
            ) from None
        self.path = str(path)
        self.fault = av.error.FFmpegError
        try:
            # Tags are often in somebody's old encoding, and nobody here reads them.
            # PyAV 19 takes them as they are, and has no such argument.
            if int(av.__version__.split(".")[0]) < 19:
                opened = av.open(self.path, metadata_errors="replace")
            else:
                opened = av.open(self.path)
        except (av.error.FFmpegError, OSError) as error:
            raise FileError(self.path, words_of(error)) from None
        if not opened.streams.video:
            opened.close()
            raise FileError(self.path, "there is no video in it")
        if opened.streams.video[0].codec_context is None:
            opened.close()
            raise FileError(self.path, "its video is coded in a way that is not known here")
        self._container: InputContainer = opened
        self.stream: VideoStream = opened.streams.video[0]

    @property
    def rate(self) -> Fraction:
        """Frames a second."""
        return self.stream.average_rate or self.stream.guessed_rate or DEFAULT_RATE

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel divided by its height."""
        aspect = self.stream.sample_aspect_ratio
        return aspect if aspect and aspect > 0 else Fraction(1)

    def packets(self) -> Iterator[av.Packet[VideoStream]]:
        """The packets in the file's order, and an empty one at the end, which flushes a codec."""
        packets = self._container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (self.fault, OSError) as error:
                raise FileError(self.path, words_of(error)) from None
            yield packet

    def close(self) -> None:
        """Close the file."""
        self._container.close()
