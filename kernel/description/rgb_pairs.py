"""Which pairs of format and modifier are shown as they are, and which a plane turns into RGB."""

from __future__ import annotations

from collections.abc import Iterable

from heapwire.protocol.values import FORMATS, FormatModifier

Pairs = tuple[FormatModifier, ...]


def rgb_and_yuv(pairs: Iterable[FormatModifier]) -> tuple[Pairs, Pairs]:
    """Those that are no YCbCr, as far as is known, and those that are; in their order."""
    parts: tuple[list[FormatModifier], list[FormatModifier]] = ([], [])
    for pair in pairs:
        known = FORMATS.get(pair.fourcc)
        parts[known is not None and known.is_yuv].append(pair)
    plain, converted = parts
    return tuple(plain), tuple(converted)
