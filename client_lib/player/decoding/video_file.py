"""A video file, opened by PyAV (the extra `play`)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from heapwire.client_lib.player.decoding.timeline import MOST_GAP, MOST_GAP_OF_A_BROADCAST
from heapwire.protocol import FileError, MachineError, NotPossibleError, words_of

if TYPE_CHECKING:
    import av
    from av.codec.hwaccel import HWAccel
    from av.container import InputContainer
    from av.video.stream import VideoStream

DEFAULT_RATE = Fraction(25)  # frames a second, for a stream that does not say


STDIN = "-"
"""The path that stands for what is piped in; it can be read once."""

_READ_ONCE = (
    "; a pipe is read once, from the beginning, and most MP4 and MOV files say at their end"
    " where their pictures are: save it, and play the file"
)

_CLOCK_JUMPS = 0x0200  # libavformat/avformat.h, AVFMT_TS_DISCONT


def open_container(source: str | BinaryIO, gpu: HWAccel | None = None) -> InputContainer:
    """What PyAV reads, whatever encoding its tags have: nobody here reads them.

    Raises what PyAV does.
    """
    import av

    # PyAV 19 takes tags as they are, and has no such argument.
    if int(av.__version__.split(".")[0]) < 19:
        return av.open(source, "r", metadata_errors="replace", hwaccel=gpu)
    return av.open(source, "r", hwaccel=gpu)


class VideoFile:
    """One video stream of a file: the one that it says is to be played, else the first.

    A picture that is attached, as the cover of an album, is no video. `fault` is the exception
    that PyAV raises for what cannot be decoded; `broken` says how the file broke off, once it
    has. With `gpu` it is decoded there, and nowhere else. Raises `FileError` if it cannot be opened
    or there is no video in it, `MachineError` if PyAV is not installed, and `NotPossibleError`
    if FFmpeg has no decoder of its codec for the GPU.
    """

    def __init__(self, path: str | Path, gpu: HWAccel | None = None) -> None:
        try:
            import av
        except ImportError as error:
            raise MachineError(
                f"decoding needs PyAV and numpy ({error}): install heapwire with its extra, [play]"
            ) from None
        self.path = str(path)
        self.broken: str | None = None
        source = sys.stdin.buffer if self.path == STDIN else self.path
        self.fault = av.error.FFmpegError
        try:
            opened = open_container(source, gpu)
        except (av.error.FFmpegError, OSError) as error:
            raise FileError(self.path, words_of(error)) from None
        except RuntimeError as error:  # what PyAV raises where no stream can be decoded there
            raise NotPossibleError(words_of(error)) from None
        stream = stream_to_play(opened.streams.video)
        if stream is None:
            opened.close()
            raise FileError(self.path, "there is no video in it")
        if stream.codec_context is None:
            opened.close()
            raise FileError(self.path, "its video is coded in a way that is not known here")
        self._container: InputContainer = opened
        self.stream: VideoStream = stream

    @property
    def rate(self) -> Fraction:
        """Frames a second."""
        return self.stream.average_rate or self.stream.guessed_rate or DEFAULT_RATE

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel divided by its height."""
        aspect = self.stream.sample_aspect_ratio
        return aspect if aspect and aspect > 0 else Fraction(1)

    @property
    def most_gap(self) -> float:
        """Seconds between two pictures from which on the clock has jumped."""
        jumps = int(self._container.format.flags) & _CLOCK_JUMPS
        return MOST_GAP_OF_A_BROADCAST if jumps else MOST_GAP

    def packets(self) -> Iterator[av.Packet[VideoStream]]:
        """The packets in the file's order, and an empty one at the end, which flushes a codec.

        A file that breaks off after its first packet ends there. Raises `FileError` for one that
        has none.
        """
        packets = self._container.demux(self.stream)
        begun = False
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (self.fault, OSError) as error:
                if not begun:
                    piped = self.path == STDIN and not sys.stdin.buffer.seekable()
                    hint = _READ_ONCE if piped else ""
                    raise FileError(self.path, f"{words_of(error)}{hint}") from None
                self.broken = words_of(error)
                packet = self._flush()
            begun = True
            yield packet
            if self.broken is not None:
                return

    def seek(self, seconds: float) -> bool:
        """Go to the last key picture before a time of the file; False where that cannot be done."""
        start = self.stream.start_time or 0
        base = self.stream.time_base or Fraction(1, 1000)
        try:
            self._container.seek(start + int(seconds / base), stream=self.stream)
        except (self.fault, OSError):
            return False
        self.stream.codec_context.flush_buffers()
        return True

    @property
    def start(self) -> float:
        """The time stamp of its beginning, in seconds."""
        start, base = self.stream.start_time, self.stream.time_base
        return float(start * base) if start is not None and base is not None else 0.0

    def _flush(self) -> av.Packet[VideoStream]:
        """An empty packet, whose pictures are in the stream's time."""
        import av

        packet: av.Packet[VideoStream] = av.Packet()  # type: ignore[assignment]
        packet.stream = self.stream
        if self.stream.time_base is not None:
            packet.time_base = self.stream.time_base
        return packet

    def close(self) -> None:
        """Close the file."""
        self._container.close()


def stream_to_play(streams: Sequence[VideoStream]) -> VideoStream | None:
    """The first that is the default, else the first; None if all are pictures beside the sound."""
    from av.stream import Disposition

    beside = Disposition.attached_pic | Disposition.timed_thumbnails
    videos = [stream for stream in streams if not stream.disposition & beside]
    default = (stream for stream in videos if stream.disposition & Disposition.default)
    return next(default, videos[0] if videos else None)
