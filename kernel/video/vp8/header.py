"""The header of a frame of VP8, and what of it holds for frames to come: RFC 6386, section 9.

The names are those of section 19.2 where it has one.
"""

from __future__ import annotations

import struct

from heapwire.kernel.video.vp8.bool_decoder import BoolDecoder
from heapwire.kernel.video.vp8.probabilities import (
    CHROMA_MODES,
    COEFFICIENT_UPDATES,
    COEFFICIENTS,
    LUMA_MODES,
    MOTION_VECTOR_UPDATES,
    MOTION_VECTORS,
)
from heapwire.protocol import InputError
from heapwire.protocol.late_dataclasses import dataclass, field, replace
from heapwire.protocol.values import Extent

_TAG, _KEY_TAG = 3, 10  # bytes before the first partition
_START_CODE = b"\x9d\x01\x2a"
_SEGMENTS, _DELTAS = 4, 4
_NO_TREE = bytes((255, 255, 255))
_MOST_PROFILE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Probabilities:
    """Those that hold until they are replaced, in 256ths: see `probabilities.py`."""

    coefficients: bytes = COEFFICIENTS
    luma_modes: bytes = LUMA_MODES
    chroma_modes: bytes = CHROMA_MODES
    motion_vectors: bytes = MOTION_VECTORS


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation:
    """Groups of macroblocks with quantizers and filters of their own (9.3).

    `is_delta` says that the values are added to those of the frame. `tree` is for this frame only.
    """

    enabled: bool = False
    update_map: bool = False
    update_data: bool = False
    is_delta: bool = True
    quantizers: tuple[int, ...] = (0,) * _SEGMENTS
    filter_levels: tuple[int, ...] = (0,) * _SEGMENTS
    tree: bytes = _NO_TREE


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopFilter:
    """What smooths the edges of blocks, and how that differs by reference and mode (9.4)."""

    is_simple: bool = False
    level: int = 0
    sharpness: int = 0
    adjusts: bool = False
    update: bool = False
    reference_deltas: tuple[int, ...] = (0,) * _DELTAS
    mode_deltas: tuple[int, ...] = (0,) * _DELTAS


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantizers:
    """Indices (9.6): that of the coefficients of luma, and what is added to it for the others."""

    y_ac: int
    y_dc: int
    y2_dc: int
    y2_ac: int
    uv_dc: int
    uv_ac: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceUpdate:
    """What becomes of the three pictures that frames refer to, when a frame is decoded (9.7).

    `golden_from` and `alternate_from` are what is copied before: 0 nothing, 1 the last picture,
    2 the other of the two.
    """

    last: bool = True
    golden: bool = True
    alternate: bool = True
    golden_from: int = 0
    alternate_from: int = 0
    golden_bias: bool = False
    alternate_bias: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a frame leaves to the next one."""

    extent: Extent
    scales: tuple[int, int]  # what to enlarge pictures by, across and down (9.1)
    segmentation: Segmentation = field(default_factory=Segmentation)
    loop_filter: LoopFilter = field(default_factory=LoopFilter)
    probabilities: Probabilities = field(default_factory=Probabilities)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameHeader:
    """One frame's; `state` is for this frame, `next_state` for the one after it.

    `intra`, `last` and `golden` are the probabilities that a macroblock refers to no picture, that
    it refers to the last one, and to the golden one of the others. Sizes are in bytes. `coder` are
    range, value and the bits that are left of the byte at hand, at the end of the header, which has
    `header_bits`.
    """

    is_key: bool
    is_shown: bool
    profile: int
    state: State
    next_state: State
    quantizers: Quantizers
    references: ReferenceUpdate
    skip: int | None  # the probability that a macroblock has no coefficients; None if all have some
    intra: int
    last: int
    golden: int
    first_size: int
    header_bits: int
    coder: tuple[int, int, int]
    partitions: tuple[int, ...]


def read_header(data: bytes, before: State | None) -> FrameHeader:
    """The header of a frame, and `before` what the one before has left; None if there was none.

    Raises `InputError` for one that is damaged, or that refers to pictures that there are not.
    """
    if len(data) < _TAG:
        raise InputError("a frame of VP8 has no header")
    tag = int.from_bytes(data[:_TAG], "little")
    is_key, profile = not tag & 1, tag >> 1 & 7
    first_size = tag >> 5
    start = _KEY_TAG if is_key else _TAG
    if profile > _MOST_PROFILE:
        raise InputError(f"VP8 has no profile {profile}")
    if not first_size or start + first_size > len(data):
        raise InputError("a frame of VP8 is shorter than it says")
    state = _key_state(data) if is_key else before
    if state is None:
        raise InputError("VP8 begins with a frame that refers to others")
    read = BoolDecoder(data[start : start + first_size])
    if is_key:
        read.number(2)  # colour space and clamping: a decoder clamps in any case
    state = replace(  # the header has them in this order
        state,
        segmentation=_segmentation(read, state.segmentation),
        loop_filter=_loop_filter(read, state.loop_filter),
    )
    partitions = _partitions(data, start + first_size, 1 << read.number(2))
    quantizers = Quantizers(
        y_ac=read.number(7),
        y_dc=read.signed_if_there(4),
        y2_dc=read.signed_if_there(4),
        y2_ac=read.signed_if_there(4),
        uv_dc=read.signed_if_there(4),
        uv_ac=read.signed_if_there(4),
    )
    references = ReferenceUpdate() if is_key else _references(read)
    keeps = read.flag()
    if not is_key:
        references = replace(references, last=read.flag())
    kept = state
    probabilities = replace(
        state.probabilities,
        coefficients=_updated(read, state.probabilities.coefficients, COEFFICIENT_UPDATES, 8),
    )
    skip = read.number(8) if read.flag() else None
    intra = last = golden = 0
    if not is_key:
        intra, last, golden = read.number(8), read.number(8), read.number(8)
        probabilities = _modes(read, probabilities)
    state = replace(state, probabilities=probabilities)
    return FrameHeader(
        is_key=is_key,
        is_shown=bool(tag >> 4 & 1),
        profile=profile,
        state=state,
        next_state=state if keeps else kept,
        quantizers=quantizers,
        references=references,
        skip=skip,
        intra=intra,
        last=last,
        golden=golden,
        first_size=first_size,
        header_bits=read.shifts,
        coder=(read.range, read.value, -read.shifts % 8),
        partitions=partitions,
    )


def _key_state(data: bytes) -> State:
    """A key frame forgets all that was before (9.1)."""
    if len(data) < _KEY_TAG or data[_TAG : _TAG + 3] != _START_CODE:
        raise InputError("a key frame of VP8 has no start code")
    width, height = struct.unpack_from("<HH", data, _TAG + 3)
    extent = Extent(width & 0x3FFF, height & 0x3FFF)
    if not extent.width or not extent.height:
        raise InputError("a picture of VP8 has no size")
    return State(extent=extent, scales=(width >> 14, height >> 14))


def _segmentation(read: BoolDecoder, before: Segmentation) -> Segmentation:
    now = replace(before, enabled=read.flag(), update_map=False, update_data=False, tree=_NO_TREE)
    if not now.enabled:
        return now
    now = replace(now, update_map=read.flag(), update_data=read.flag())
    if now.update_data:
        now = replace(
            now,
            is_delta=not read.flag(),
            quantizers=tuple(read.signed_if_there(7) for _ in range(_SEGMENTS)),
            filter_levels=tuple(read.signed_if_there(6) for _ in range(_SEGMENTS)),
        )
    if now.update_map:
        now = replace(now, tree=bytes(read.number(8) if read.flag() else 255 for _ in _NO_TREE))
    return now


def _loop_filter(read: BoolDecoder, before: LoopFilter) -> LoopFilter:
    now = replace(
        before,
        is_simple=read.flag(),
        level=read.number(6),
        sharpness=read.number(3),
        adjusts=read.flag(),
        update=False,
    )
    if not now.adjusts or not read.flag():
        return now
    return replace(
        now,
        update=True,
        reference_deltas=_deltas(read, now.reference_deltas),
        mode_deltas=_deltas(read, now.mode_deltas),
    )


def _deltas(read: BoolDecoder, before: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(read.signed(6) if read.flag() else old for old in before)


def _partitions(data: bytes, start: int, count: int) -> tuple[int, ...]:
    """The sizes of the partitions with coefficients: all are said but the last (9.5)."""
    begin = start + 3 * (count - 1)
    said = [int.from_bytes(data[at : at + 3], "little") for at in range(start, begin, 3)]
    left = len(data) - begin - sum(said)
    if left < 0:
        raise InputError("a frame of VP8 is shorter than it says")
    return *said, left


def _references(read: BoolDecoder) -> ReferenceUpdate:
    golden, alternate = read.flag(), read.flag()
    return ReferenceUpdate(
        golden=golden,
        alternate=alternate,
        golden_from=0 if golden else read.number(2),
        alternate_from=0 if alternate else read.number(2),
        golden_bias=read.flag(),
        alternate_bias=read.flag(),
    )


def _modes(read: BoolDecoder, before: Probabilities) -> Probabilities:
    luma = bytes(read.number(8) for _ in LUMA_MODES) if read.flag() else before.luma_modes
    chroma = bytes(read.number(8) for _ in CHROMA_MODES) if read.flag() else before.chroma_modes
    vectors = _updated(read, before.motion_vectors, MOTION_VECTOR_UPDATES, 7)
    return replace(before, luma_modes=luma, chroma_modes=chroma, motion_vectors=vectors)


def _updated(read: BoolDecoder, before: bytes, updates: bytes, bits: int) -> bytes:
    """Probabilities of which some are replaced; of 7 bits, the lowest is left out (17.2)."""
    now = bytearray(before)
    for index, update in enumerate(updates):
        if read.read(update):
            number = read.number(bits)
            now[index] = number if bits == 8 else number << 1 or 1
    return bytes(now)
