"""Files of FWHT, the codec of the kernel's vicodec driver: frame after frame, without container.

This is what `v4l2-ctl --stream-to` writes of an encoder. Each frame begins with
a header (`FwhtHeader`), by which the next frame can be found after damage.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from io import FileIO
from pathlib import Path

from heapwire.client_lib.buffers import Light
from heapwire.client_lib.player.decoding.packet import Packet
from heapwire.client_lib.player.decoding.timeline import MOST_GAP
from heapwire.kernel.video import FWHT_HEADER_SIZE, FWHT_MAGIC, FwhtHeader
from heapwire.protocol import FileError, words_of
from heapwire.protocol.values import ColourEncoding, ColourRange, Content, fourcc

_RATE = Fraction(25)  # frames a second; a stream of frames says nothing
_CHUNK = 1 << 16
# enum v4l2_ycbcr_encoding, v4l2_quantization.
_ENCODINGS = {1: ColourEncoding.BT601, 2: ColourEncoding.BT709, 6: ColourEncoding.BT2020}
_RANGES = {1: ColourRange.FULL, 2: ColourRange.LIMITED}


def is_fwht(path: str | Path) -> bool:
    """Whether a file begins as one of FWHT; False for one that cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return file.read(len(FWHT_MAGIC)) == FWHT_MAGIC
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
        header = FwhtHeader.read(first.data)
        assert header is not None, "packets are frames"
        self.extent, self.content = header.extent, _colours(header)
        self.light: Light | None = None  # of what a test driver makes, nothing is told
        self._file.seek(0)
        self._ahead = b""
        self.damaged = 0

    def __iter__(self) -> Iterator[Packet]:
        while self._find_header():
            header = FwhtHeader.read(self._ahead)
            if header is None:
                self.damaged += 1
                self._ahead = self._ahead[1:]
                continue
            size = FWHT_HEADER_SIZE + header.size
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
        while self._read_ahead(FWHT_HEADER_SIZE):
            position = self._ahead.find(FWHT_MAGIC)
            if position == 0:
                self.damaged += skipped
                return True
            skipped = True
            # The beginning of a magic number may be at the end of what was read.
            keep = position if position > 0 else max(0, len(self._ahead) - len(FWHT_MAGIC) + 1)
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


def _colours(header: FwhtHeader) -> Content:
    encoding = _ENCODINGS.get(header.ycbcr_enc, ColourEncoding.UNSPECIFIED)
    return Content(
        encoding=ColourEncoding.RGB if header.is_rgb else encoding,
        range=_RANGES.get(header.quantization, ColourRange.UNSPECIFIED),
    )
