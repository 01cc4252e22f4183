"""Framebuffers in tiles, columns and superblocks, to try memory with.

Where such a layout can be computed, AddFB2 names the modifier, and the planes are where it says. A
driver that refuses one may do so for the layout's sake, or because memory of its own has to be
marked as tiled first: so a refusal says something of the memory only where the same is taken from
other memory (`certain`). What only its driver lays out is not tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from heapwire.kernel.discovery.trial.verdict import Verdict
from heapwire.kernel.drm import Framebuffer
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.solver import least_layout
from heapwire.protocol.values import (
    FORMATS,
    INVALID,
    LINEAR,
    MODIFIER_FAMILIES,
    Extent,
    FormatModifier,
    columns_so_high,
)

_COLUMN_ROWS = 16  # what those who write columns round rows up to (kernel/profiles/rpivid.toml)


def in_rows(modifier: int) -> bool:
    """Whether pictures are rows, one after the other."""
    return modifier in (LINEAR, INVALID)


def tiled_framebuffers(
    pairs: Iterable[FormatModifier], width: int, height: int
) -> Iterator[tuple[FormatModifier, Framebuffer]]:
    """For each pair that is not rows, and whose layout is known, a framebuffer of that size."""
    for pair in pairs:
        if in_rows(pair.modifier) or pair.fourcc not in FORMATS:
            continue
        named = _named(pair, height)
        layout = least_layout(named, Extent(width, height))
        if layout is not None:
            planes = tuple((plane.offset, plane.pitch) for plane in layout.planes)
            yield (
                pair,
                Framebuffer(
                    width=width,
                    height=height,
                    fourcc=pair.fourcc,
                    modifier=named.modifier,
                    planes=planes,
                ),
            )


def tiled_room(wanted: Framebuffer) -> int:
    """Bytes that a framebuffer takes which is not rows."""
    pair = FormatModifier(wanted.fourcc, wanted.modifier)
    layout = least_layout(pair, Extent(wanted.width, wanted.height))
    return 0 if layout is None else layout.objects[0].size


def certain(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts without refusals of what is not rows, and which nobody has seen taken."""
    said = tuple(verdicts)
    taken = {(one.plane, pair) for one in said if one.taken for pair in one.pairs}
    kept = []
    for one in said:
        if one.taken or not one.pairs:
            kept.append(one)
            continue
        pairs = [p for p in one.pairs if in_rows(p.modifier) or (one.plane, p) in taken]
        if pairs:
            kept.append(replace(one, pairs=tuple(pairs)))
    return tuple(kept)


def _named(pair: FormatModifier, height: int) -> FormatModifier:
    """The pair itself, or of a family of columns the one that is as high as the picture."""
    if pair.modifier not in MODIFIER_FAMILIES:
        return pair
    rows = -(-height // _COLUMN_ROWS) * _COLUMN_ROWS
    return FormatModifier(pair.fourcc, columns_so_high(pair.modifier, rows + rows // 2))
