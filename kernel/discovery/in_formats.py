"""Blobs of a KMS plane: which format goes with which modifier, and which sizes are best.

IN_FORMATS says what a plane shows, IN_FORMATS_ASYNC (6.16) what may be flipped to
without waiting for the screen, in the same form.

The blob (include/uapi/drm/drm_mode.h) is a header of six u32, the formats as an
array of u32, and for each modifier a record of 24 bytes: bit i of its u64 mask
stands for the format at `offset + i`, so one record covers a window of 64.
"""

from __future__ import annotations

import struct

from heapwire.protocol import MachineError
from heapwire.protocol.values import Extent, FormatModifier

_VERSION = 1
_HEADER = struct.Struct("=6I")  # version, flags, formats: count, offset; modifiers: count, offset
_MODIFIER = struct.Struct("=QIIQ")  # formats, offset, pad, modifier
_WINDOW = 64
_HINT = struct.Struct("=HH")  # struct drm_plane_size_hint: width, height
_MOST_HINTS = 64


def parse_in_formats(blob: bytes) -> tuple[FormatModifier, ...]:
    """The pairs in a blob, by format and then in the order of the modifiers.

    Raises `MachineError` when the blob is not what its header says.
    """
    try:
        version, _, formats, formats_at, modifiers, modifiers_at = _HEADER.unpack_from(blob)
        if version != _VERSION:
            raise MachineError(f"IN_FORMATS has version {version}, not {_VERSION}")
        codes = struct.unpack_from(f"={formats}I", blob, formats_at)
        records = [
            _MODIFIER.unpack_from(blob, modifiers_at + index * _MODIFIER.size)
            for index in range(modifiers)
        ]
    except struct.error as error:
        raise MachineError(f"IN_FORMATS of {len(blob)} bytes is cut short: {error}") from None
    pairs: dict[int, list[FormatModifier]] = {}
    for mask, offset, _, modifier in records:
        for bit in range(_WINDOW):
            if mask >> bit & 1:
                if offset + bit >= formats:
                    raise MachineError(f"IN_FORMATS speaks of format {offset + bit} of {formats}")
                code = codes[offset + bit]
                pairs.setdefault(offset + bit, []).append(FormatModifier(code, modifier))
    return tuple(pair for index in sorted(pairs) for pair in pairs[index])


def parse_size_hints(blob: bytes) -> tuple[Extent, ...]:
    """The sizes in a SIZE_HINTS blob (6.16), the best first: those a cursor plane is good at.

    Raises `MachineError` when the blob is no array of sizes.
    """
    if len(blob) % _HINT.size or len(blob) > _MOST_HINTS * _HINT.size:
        raise MachineError(f"SIZE_HINTS of {len(blob)} bytes is no array of sizes")
    sizes = tuple(_HINT.iter_unpack(blob))
    for width, height in sizes:
        fault = Extent.fault(width, height)
        if fault is not None:
            raise MachineError(f"SIZE_HINTS: {fault}")
    return tuple(Extent(width, height) for width, height in sizes)
