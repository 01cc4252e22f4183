"""A file as something to show: decoded by a device, or by the CPU."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from heapwire.client_lib.player.decoding.cpu_picture_stream import CPU, CpuPictureStream
from heapwire.client_lib.player.decoding.decoder_choice import AUTO, open_picture_stream
from heapwire.client_lib.player.decoding.fwht_file import is_fwht
from heapwire.client_lib.player.decoding.nvdec import named_nvdec
from heapwire.client_lib.player.decoding.nvdec_picture_stream import NvdecPictureStream
from heapwire.client_lib.player.decoding.video_file import STDIN
from heapwire.client_lib.player.picture_stream import PictureStream
from heapwire.kernel.description import Platform


class VideoMaterial:
    """See `Material`; `decoder` and `formats` are those of `open_picture_stream`."""

    paced = True

    def __init__(
        self, path: str | Path, *, decoder: str = AUTO, formats: Sequence[int] = ()
    ) -> None:
        self.title = os.fsencode(Path(path).name).decode("utf-8", "replace")
        self._path = path
        self._decoder = decoder
        self._formats = tuple(formats)

    def open(self, platform: Platform | None, faults: list[str]) -> PictureStream:
        """The pictures of the file, by the decoder that was asked for."""
        return self._by(self._decoder, platform, faults)

    def other_way(
        self, pictures: PictureStream, platform: Platform | None, faults: list[str]
    ) -> Callable[[], PictureStream] | None:
        """The CPU, if nobody insisted on a device and it knows the codec.

        Who insisted on NVDEC has its pictures downloaded.
        """
        if self._decoder != AUTO and isinstance(pictures, NvdecPictureStream):
            return self._downloaded
        if self._decoder != AUTO or pictures.decoder == CPU or is_fwht(self._path):
            return None
        return lambda: self._by(CPU, platform, faults)

    def written(self, pictures: PictureStream | None) -> PictureStream:
        """By the CPU; what is piped in can be read once only."""
        if str(self._path) == STDIN and pictures is not None and pictures.decoder == CPU:
            return pictures
        if pictures is not None:
            pictures.close()
        if named_nvdec(self._decoder) is not None:
            return self._downloaded()
        return CpuPictureStream(self._path, self._formats)

    def _downloaded(self) -> PictureStream:
        gpu = named_nvdec(self._decoder)
        assert gpu is not None, "it has decoded before"
        return gpu.downloaded(self._path, self._formats)

    def _by(self, decoder: str, platform: Platform | None, faults: list[str]) -> PictureStream:
        return open_picture_stream(
            self._path, platform, decoder=decoder, formats=self._formats, faults=faults
        )
