"""FWHT, the codec of the kernel's vicodec driver, for drivers that parse nothing."""

from __future__ import annotations

import struct

from heapwire.kernel.video.fwht_header import FWHT_HEADER_SIZE, FwhtHeader
from heapwire.kernel.video.stateless_parser import CODEC_STATELESS, NANOSECONDS, StatelessFrame
from heapwire.protocol import InputError
from heapwire.protocol.values import fourcc

_CID_STATELESS_FWHT_PARAMS = CODEC_STATELESS + 100  # v4l2-controls.h
_FWHT_PARAMS = struct.Struct("=Q8I")  # struct v4l2_ctrl_fwht_params


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
            0 if header.is_key else self._last * NANOSECONDS,
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
