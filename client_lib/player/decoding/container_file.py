"""Packets of a file, unpacked by PyAV (the extra `play`), for a decoder of V4L2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from heapwire.client_lib.player.decoding.decoder import Decoder
from heapwire.client_lib.player.decoding.packet import Packet
from heapwire.client_lib.player.decoding.video_file import VideoFile
from heapwire.protocol import FileError, words_of
from heapwire.protocol.values import fourcc

if TYPE_CHECKING:
    import av
    from av.video.stream import VideoStream

# FFmpeg's name of a codec and V4L2's fourcc (videodev2.h), as stateful decoders take it.
_CODED: Mapping[str, int] = {
    name: fourcc(code)
    for name, code in {
        "h264": "H264",
        "hevc": "HEVC",
        "mpeg1video": "MPG1",
        "mpeg2video": "MPG2",
        "mpeg4": "MPG4",
        "h263": "H263",
        "mjpeg": "MJPG",
        "vp8": "VP80",
        "vp9": "VP90",
        "av1": "AV01",
    }.items()
}
# Containers such as MP4 frame these by length; V4L2 wants start codes (ITU-T H.264, annex B).
_FRAMED: Mapping[str, str] = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}


def coded_fourcc(codec: str) -> int | None:
    """V4L2's fourcc of a codec by FFmpeg's name; None where V4L2 has none."""
    return _CODED.get(codec)


class ContainerFile:
    """An open file; see `PacketFile`.

    Raises `FileError` if it cannot be opened, or V4L2 knows no such codec, and
    `MachineError` if PyAV is not installed.
    """

    def __init__(self, path: str | Path) -> None:
        self._video = VideoFile(path)
        try:
            name = self._video.stream.codec_context.name
            if name not in _CODED:
                raise FileError(path, f"no decoder of V4L2's takes {name}")
            self.coded = _CODED[name]
            self._reframe = _FRAMED.get(name)
            # How a picture is to be turned, its colours and fields: only a picture tells.
            with Decoder(path) as decoder:
                first = next(iter(decoder))
            self.extent, self.content, self.light = first.extent, first.content, first.light
        except BaseException:
            self._video.close()
            raise

    @property
    def rate(self) -> Fraction:
        """Pictures a second."""
        return self._video.rate

    @property
    def count(self) -> int:
        """How many pictures the file says it has; 0 if it does not."""
        return self._video.stream.frames

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel divided by its height."""
        return self._video.pixel_aspect

    @property
    def most_gap(self) -> float:
        """Seconds between two pictures from which on the clock has jumped."""
        return self._video.most_gap

    @property
    def broken(self) -> str | None:
        """How the file broke off, once it has."""
        return self._video.broken

    @property
    def damaged(self) -> int:
        """A packet is what it is: only its decoder can tell."""
        return 0

    def __iter__(self) -> Iterator[Packet]:
        for packet in self._framed():
            if packet.size:
                stamp = None
                if packet.pts is not None and packet.time_base is not None:
                    stamp = float(packet.pts * packet.time_base)
                yield Packet(bytes(packet), stamp)

    def _framed(self) -> Iterator[av.Packet[VideoStream]]:
        if self._reframe is None:
            yield from self._video.packets()
            return
        from av.bitstream import BitStreamFilterContext

        try:
            reframe = BitStreamFilterContext(self._reframe, self._video.stream)
            for packet in self._video.packets():
                yield from reframe.filter(packet)
        except self._video.fault as error:
            raise FileError(self._video.path, words_of(error)) from None

    def close(self) -> None:
        """Close the file."""
        self._video.close()
