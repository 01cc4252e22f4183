"""Files of FWHT, the codec of the kernel's vicodec driver: frame after frame, without container.

This is what `v4l2-ctl --stream-to` writes of an encoder. Each frame begins with
a header of eleven 32-bit big-endian numbers (struct fwht_cframe_hdr, in
drivers/media/test-drivers/vicodec/codec-fwht.h): two magic ones that occur
nowhere else, by which the next frame can be found after damage; version; width
and height; flags; four of colour; and the bytes that follow.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from io import FileIO
from pathlib import Path

from heapwire.client_lib.player.decoding.packet import Packet
from heapwire.client_lib.player.decoding.timeline import MOST_GAP
from heapwire.protocol import FileError, words_of
from heapwire.protocol.values import ColourEncoding, ColourRange, Content, Extent, fourcc

_MAGIC = b"\x4f\x4f\x4f\x4f\xff\xff\xff\xff"
_HEADER = struct.Struct(">8s9I")
_RATE = Fraction(25)  # frames a second; a stream of frames says nothing
_CHUNK = 1 << 16
# Four components of two bytes each and change: beyond that a size is no size.
_MOST_BYTES_A_PIXEL = 9
_MOST_SIDE = 16384  # pixels
# V4L2_FWHT_FL_PIXENC_* and enum v4l2_ycbcr_encoding, v4l2_quantization.
_PIXELS_SHIFT, _PIXELS_RGB = 19, 2
_ENCODINGS = {1: ColourEncoding.BT601, 2: ColourEncoding.BT709, 6: ColourEncoding.BT2020}
_RANGES = {1: ColourRange.FULL, 2: ColourRange.LIMITED}


def is_fwht(path: str | Path) -> bool:
    """Whether a file begins as one of FWHT; False for one that cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


class FwhtFile:
    """An open file; see `PacketFile`. Raises `FileError` if it is not one of FWHT."""

    coded = fourcc("FWHT")
    rate = _RATE
    count = 0
    pixel_aspect = Fraction(1)
    most_gap = MOST_GAP
    broken: str | None = None

    def __init__(self, path: str | Path) -> None:
        self.damaged = 0
        try:
            self._file = FileIO(path)
        except OSError as error:
            raise FileError(path, words_of(error)) from error
        self._ahead = b""
        try:
            first = next(iter(self), None)
        except BaseException:
            self._file.close()
            raise
        if first is None:
            self._file.close()
            raise FileError(path, "there is no frame of FWHT in it")
        self.extent, self.content = _described(first.data)
        self._file.seek(0)
        self._ahead = b""
        self.damaged = 0

    def __iter__(self) -> Iterator[Packet]:
        while self._find_header():
            size = _frame_size(self._ahead)
            if size is None:
                self.damaged += 1
                self._ahead = self._ahead[1:]
                continue
            if not self._read_ahead(size):
                self.damaged += 1  # cut off
                return
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            yield Packet(data, None)

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._file.close()

    def _find_header(self) -> bool:
        """Bring the next header to the front; False at the end of the file."""
        skipped = False
        while self._read_ahead(_HEADER.size):
            position = self._ahead.find(_MAGIC)
            if position == 0:
                self.damaged += skipped
                return True
            skipped = True
            # The beginning of a magic number may be at the end of what was read.
            keep = position if position > 0 else max(0, len(self._ahead) - len(_MAGIC) + 1)
            self._ahead = self._ahead[keep:]
            if position < 0 and not self._read_ahead(len(self._ahead) + 1):
                break
        self.damaged += skipped or bool(self._ahead)
        return False

    def _read_ahead(self, size: int) -> bool:
        """Have so many bytes at hand; False if the file has no more than fewer."""
        while len(self._ahead) < size:
            more = self._file.read(max(_CHUNK, size - len(self._ahead)))
            if not more:
                return False
            self._ahead += more
        return True


def _frame_size(data: bytes) -> int | None:
    """The bytes of the frame whose header begins here, None if it can be none."""
    width: int
    height: int
    size: int
    _, _, width, height, *_, size = _HEADER.unpack_from(data)
    sound = 0 < width <= _MOST_SIDE and 0 < height <= _MOST_SIDE
    if not sound or size > width * height * _MOST_BYTES_A_PIXEL + _CHUNK:
        return None
    return _HEADER.size + size


def _described(data: bytes) -> tuple[Extent, Content]:
    _, _, width, height, flags, _, _, encoding, quantization, _ = _HEADER.unpack_from(data)
    rgb = flags >> _PIXELS_SHIFT & 3 == _PIXELS_RGB
    unspecified = ColourEncoding.UNSPECIFIED
    return Extent(width, height), Content(
        encoding=ColourEncoding.RGB if rgb else _ENCODINGS.get(encoding, unspecified),
        range=_RANGES.get(quantization, ColourRange.UNSPECIFIED),
    )
