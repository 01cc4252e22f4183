"""Pictures that PyAV decodes on the CPU, and the CPU writes into buffers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from heapwire.client_lib.buffers import Light
from heapwire.client_lib.player.decoding.container_file import coded_fourcc
from heapwire.client_lib.player.decoding.decoder import Decoder
from heapwire.client_lib.player.decoding.decoder_stream import DecoderStream
from heapwire.client_lib.player.picture_stream import BufferNeeds, Free
from heapwire.client_lib.player.pictures import WrittenPicture, writer_participant
from heapwire.protocol.values import Content, Extent, Plan

if TYPE_CHECKING:
    from av.codec.hwaccel import HWAccel

CPU = "cpu"
"""The decoder that is no device."""

_MOST_PADDING = 128  # pixels: the largest coding block (AV1 superblock)
_HELD = 1  # the buffer that is being written


class CpuPictureStream(DecoderStream):
    """The pictures of a file; see `PictureStream`.

    `formats` are the only fourccs to write, where given; with `tiles` they are written
    as tiles too. With `gpu` that decodes, and the pictures are downloaded from it; `decoder` is
    its name. Raises what `Decoder` raises, and `InputError` if one of `formats` cannot be written.
    """

    make_buffer = None
    own_memory = None

    def __init__(
        self,
        path: str | Path,
        formats: Sequence[int] = (),
        *,
        tiles: bool = False,
        gpu: HWAccel | None = None,
        decoder: str = CPU,
    ) -> None:
        super().__init__(Decoder(path, gpu))
        self.decoder = decoder
        self.wakes: tuple[int, ...] = ()
        self.copied = 0
        self._formats = tuple(formats)
        self._tiles = tiles
        self._downloaded = gpu is not None
        if self._downloaded:
            self.notes.append(f"{decoder}'s pictures are downloaded, which counts as copied")
        self._kind: tuple[Extent, Content, str, Light | None] | None = None

    @property
    def coded(self) -> int | None:
        """V4L2's fourcc of the stream; None for a codec that it has no name for."""
        return coded_fourcc(self._decoder.codec)

    def next(self) -> WrittenPicture | None:
        """Decode the next picture; None at the end."""
        frame = self._decoded()
        if frame is None:
            return None
        self.position = frame.position
        if self._downloaded:
            self._copy(sum(plane.buffer_size for plane in frame.picture.planes))
        kind = (frame.extent, frame.content, frame.picture.format.name, frame.light)
        if kind != self._kind:
            self._kind = kind
            self.needs = BufferNeeds(
                extent=frame.extent,
                coded=_coded(frame.extent, self._decoder.coded),
                content=frame.content,
                producer=writer_participant(
                    frame.picture.format.name, self._formats, tiles=self._tiles
                ),
                held=_HELD,
                light=frame.light,
            )
        return WrittenPicture(frame.picture, frame.time, self._copy)

    def _copy(self, count: int) -> None:
        self.copied += count

    def check(self, plan: Plan) -> None:
        """The CPU writes any plan of a format that it said it would write."""

    def use(self, plan: Plan, free: Free) -> None:
        """Each picture takes its buffer when it has been decoded."""

    def close(self) -> None:
        """Close the file."""
        self._decoder.close()


def _coded(visible: Extent, coded: Extent) -> Extent:
    """The codec's size for a picture; its visible size if the codec is at another already."""
    across, down = coded.width - visible.width, coded.height - visible.height
    padded = 0 <= across < _MOST_PADDING and 0 <= down < _MOST_PADDING
    return coded if padded else visible
