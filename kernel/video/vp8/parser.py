"""VP8 as drivers without a parser want it: each frame as it is, and its header in a control."""

from __future__ import annotations

import struct

from heapwire.kernel.video.stateless_parser import CODEC_STATELESS, NANOSECONDS, StatelessFrame
from heapwire.kernel.video.vp8.header import (
    FrameHeader,
    LoopFilter,
    ReferenceUpdate,
    Segmentation,
    State,
    read_header,
)
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import fourcc

# v4l2-controls.h: V4L2_CID_STATELESS_VP8_FRAME, and the parts of struct v4l2_ctrl_vp8_frame.
_CID_STATELESS_VP8_FRAME = CODEC_STATELESS + 200
_SEGMENT = struct.Struct("=4b4b3sxI")
_LOOP_FILTER = struct.Struct("=4b4bBB2xI")
_QUANTIZATION = struct.Struct("=B5b2x")
_ENTROPY = struct.Struct("=1056s4s3s38s3x")
_CODER = struct.Struct("=3Bx")
_FRAME = struct.Struct("=2H8B2I8I4Q")
_MOST_PARTITIONS = 8
# Of key frames the probabilities of modes are always these (RFC 6386, 11.2), and change nothing.
_KEY_LUMA_MODES, _KEY_CHROMA_MODES = bytes((145, 156, 163, 128)), bytes((142, 114, 183))


@dataclass(frozen=True, slots=True)
class _References:
    """The stamps of the three pictures; 0 for none."""

    last: int = 0
    golden: int = 0
    alternate: int = 0

    def after(self, update: ReferenceUpdate, stamp: int) -> _References:
        """What they are when a frame with a stamp is decoded (RFC 6386, 9.7)."""
        golden = (self.golden, self.last, self.alternate)[update.golden_from % 3]
        alternate = (self.alternate, self.last, self.golden)[update.alternate_from % 3]
        return _References(
            last=stamp if update.last else self.last,
            golden=stamp if update.golden else golden,
            alternate=stamp if update.alternate else alternate,
        )

    @property
    def stamps(self) -> frozenset[int]:
        """Of those that there are."""
        return frozenset((self.last, self.golden, self.alternate)) - {0}


class Vp8Parser:
    """Frames refer to three pictures, and may be hidden; see `StatelessParser`."""

    coded = fourcc("VP8F")
    overhead = 0
    most_references = 3

    def __init__(self) -> None:
        self._references = _References()
        self._state: State | None = None
        self._header: FrameHeader | None = None  # of the packet that was last read

    @property
    def references(self) -> frozenset[int]:
        """The last picture, the golden one and the alternate one."""
        return self._references.stamps

    def read(self, packet: bytes) -> StatelessFrame:
        """See `StatelessParser`."""
        header = read_header(packet, self._state)
        self._header = header
        return StatelessFrame(
            extent=header.state.extent,
            layout=0,  # it has no other pictures than 4:2:0 of 8 bits
            payload=packet,
            controls=((_CID_STATELESS_VP8_FRAME, _control(header, self._references)),),
            references=frozenset() if header.is_key else self.references,
            hidden=not header.is_shown,
        )

    def follow(self, stamp: int) -> None:
        """See `StatelessParser`."""
        assert self._header is not None, "a packet was read"
        self._state = self._header.next_state
        self._references = self._references.after(self._header.references, stamp)


def _control(header: FrameHeader, references: _References) -> bytes:
    """`struct v4l2_ctrl_vp8_frame`."""
    state, quantizers = header.state, header.quantizers
    probabilities = state.probabilities
    if header.is_key:
        references = _References()
    stamps = (references.last, references.golden, references.alternate)
    partitions = header.partitions + (0,) * (_MOST_PARTITIONS - len(header.partitions))
    return b"".join(
        (
            _segment(state.segmentation),
            _loop_filter(state.loop_filter),
            _QUANTIZATION.pack(
                *(quantizers.y_ac, quantizers.y_dc, quantizers.y2_dc),
                *(quantizers.y2_ac, quantizers.uv_dc, quantizers.uv_ac),
            ),
            _ENTROPY.pack(
                probabilities.coefficients,
                _KEY_LUMA_MODES if header.is_key else probabilities.luma_modes,
                _KEY_CHROMA_MODES if header.is_key else probabilities.chroma_modes,
                probabilities.motion_vectors,
            ),
            _CODER.pack(*header.coder),
            _FRAME.pack(
                *(state.extent.width, state.extent.height),
                *state.scales,
                *(header.profile, header.skip or 0, header.intra, header.last, header.golden),
                len(header.partitions),
                *(header.first_size, header.header_bits),
                *partitions,
                *(stamp * NANOSECONDS for stamp in stamps),
                _flags(header),
            ),
        )
    )


def _segment(segmentation: Segmentation) -> bytes:
    # V4L2_VP8_SEGMENT_FLAG_ENABLED, _UPDATE_MAP, _UPDATE_FEATURE_DATA, _DELTA_VALUE_MODE
    flags = (
        segmentation.enabled
        | segmentation.update_map << 1
        | segmentation.update_data << 2
        | segmentation.is_delta << 3
    )
    return _SEGMENT.pack(
        *segmentation.quantizers, *segmentation.filter_levels, segmentation.tree, flags
    )


def _loop_filter(loop_filter: LoopFilter) -> bytes:
    # V4L2_VP8_LF_ADJ_ENABLE, _DELTA_UPDATE, _FILTER_TYPE_SIMPLE
    flags = loop_filter.adjusts | loop_filter.update << 1 | loop_filter.is_simple << 2
    return _LOOP_FILTER.pack(
        *loop_filter.reference_deltas,
        *loop_filter.mode_deltas,
        *(loop_filter.sharpness, loop_filter.level),
        flags,
    )


def _flags(header: FrameHeader) -> int:
    # V4L2_VP8_FRAME_FLAG_KEY_FRAME, _SHOW_FRAME, _MB_NO_SKIP_COEFF, _SIGN_BIAS_GOLDEN and _ALT
    return (
        header.is_key
        | header.is_shown << 2
        | (header.skip is not None) << 3
        | header.references.golden_bias << 4
        | header.references.alternate_bias << 5
    )
