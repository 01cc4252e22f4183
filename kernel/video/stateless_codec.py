"""Bitstreams as drivers without a parser want them: read here, and told in controls.

A driver of the request API is given the coded data of one picture, what the headers say
in controls, and of the pictures that it refers to the timestamps. So a codec is a
`StatelessParser`, and a row of `STATELESS`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Protocol

from heapwire.kernel.video.fwht_header import FWHT_HEADER_SIZE, FwhtHeader
from heapwire.protocol import InputError
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import Extent, fourcc

_NANOSECONDS = 1000  # in a microsecond: v4l2_timeval_to_ns of a stamp
_CID_STATELESS_FWHT_PARAMS = 0x00A40000 | 0x900 + 100  # v4l2-controls.h
_FWHT_PARAMS = struct.Struct("=Q8I")  # struct v4l2_ctrl_fwht_params


@dataclass(frozen=True, slots=True, kw_only=True)
class StatelessFrame:
    """One coded picture.

    `extent` is its visible size in pixels. Pictures with another `extent` or another
    `layout` than those before need buffers of their own. `controls` are the numbers and
    values of V4L2's, `references` the stamps of the pictures that are read to decode it.
    """

    extent: Extent
    layout: int
    payload: bytes
    controls: tuple[tuple[int, bytes], ...]
    references: frozenset[int]


class StatelessParser(Protocol):
    """Reads the packets of one stream, in the order in which they are decoded.

    Pictures have to come out in that order too: a codec with another one has to be put in order
    by whoever reads them.
    """

    @property
    def coded(self) -> int:
        """V4L2's fourcc of what drivers are given."""

    @property
    def overhead(self) -> int:
        """The bytes of a packet that drivers are not given."""

    @property
    def most_references(self) -> int:
        """How many pictures are kept to be referred to, at most."""

    @property
    def references(self) -> frozenset[int]:
        """The stamps of the pictures that packets to come may refer to."""

    def read(self, packet: bytes) -> StatelessFrame:
        """What a packet holds. Raises `InputError` if it is damaged."""

    def follow(self, stamp: int) -> None:
        """The packet that was last read is decoded, and its picture has this stamp."""


class FwhtParser:
    """FWHT: each frame refers to the one before, or to none; see `StatelessParser`."""

    coded = fourcc("SFWH")
    overhead = FWHT_HEADER_SIZE
    most_references = 1

    def __init__(self) -> None:
        self._last = 0  # the stamp of the picture before; stamps begin at 1

    @property
    def references(self) -> frozenset[int]:
        """The last picture."""
        return frozenset({self._last} - {0})

    def read(self, packet: bytes) -> StatelessFrame:
        """See `StatelessParser`."""
        header = FwhtHeader.read(packet)
        if header is None:
            raise InputError("a frame has no header of FWHT")
        params = _FWHT_PARAMS.pack(
            0 if header.is_key else self._last * _NANOSECONDS,
            header.version,
            *(header.extent.width, header.extent.height),
            header.flags,
            *(header.colorspace, header.xfer_func, header.ycbcr_enc, header.quantization),
        )
        return StatelessFrame(
            extent=header.extent,
            layout=header.layout,
            payload=packet[FWHT_HEADER_SIZE:],
            controls=((_CID_STATELESS_FWHT_PARAMS, params),),
            references=frozenset() if header.is_key else self.references,
        )

    def follow(self, stamp: int) -> None:
        """See `StatelessParser`."""
        self._last = stamp


STATELESS: Mapping[int, Callable[[], StatelessParser]] = {fourcc("FWHT"): FwhtParser}
"""By V4L2's fourcc of a whole stream, what reads it for a driver that does not."""


def stateless_form(coded: int) -> int | None:
    """V4L2's fourcc of a bitstream for drivers without a parser; None if none is known here."""
    parser = STATELESS.get(coded)
    return None if parser is None else parser().coded
