"""Which types can contradict each other before anything is placed or laid out.

A requirement on the pitch never contradicts one on fences. So where a merged demand leaves
nothing, the types of one family do, and only what is said of these is to blame.
"""

from __future__ import annotations

from typing import Final

from heapwire.protocol.solver.source_check import RULES
from heapwire.protocol.values import (
    DIFFERENT_SOURCE,
    DIRTY_LINES,
    HEIGHT_ALIGNMENT,
    MACROBLOCK_PADDING,
    MAX_AREA,
    MAX_BUFFERS,
    MAX_HEIGHT,
    MAX_PITCH,
    MAX_SEGMENTS,
    MAX_SIZE,
    MAX_WIDTH,
    MIN_BUFFERS,
    MIN_HEIGHT,
    MIN_PITCH,
    MIN_SIZE,
    MIN_WIDTH,
    MUST_FIT_HEIGHT,
    MUST_FIT_LEAST_HEIGHT,
    MUST_FIT_LEAST_WIDTH,
    MUST_FIT_WIDTH,
    NO_SNOOP,
    NO_SYNC,
    OFFSET_ALIGNMENT,
    PADDING,
    PITCH_ALIGNMENT,
    PIXEL_BOUNDARY_PITCH,
    POWER_OF_TWO_PITCH,
    SAME_BUFFER,
    SAME_SOURCE,
    SCANLINE_ALIGNMENT,
    SHARED_BUFFERS,
    SIZE_ALIGNMENT,
    VISIBLE_HEIGHT_ALIGNMENT,
    VISIBLE_WIDTH_ALIGNMENT,
    WIDTH_ALIGNMENT,
    ConstraintType,
)


def _types(*rows: ConstraintType) -> frozenset[int]:
    return frozenset(row.type for row in rows)


_PICTURE: Final = _types(
    MIN_WIDTH, MAX_WIDTH, MIN_HEIGHT, MAX_HEIGHT, WIDTH_ALIGNMENT, HEIGHT_ALIGNMENT, MAX_AREA,
    MUST_FIT_WIDTH, MUST_FIT_HEIGHT, MUST_FIT_LEAST_WIDTH, MUST_FIT_LEAST_HEIGHT,
    VISIBLE_WIDTH_ALIGNMENT, VISIBLE_HEIGHT_ALIGNMENT,
)  # fmt: skip
_PITCH: Final = _types(
    PITCH_ALIGNMENT, MIN_PITCH, MAX_PITCH, PIXEL_BOUNDARY_PITCH, POWER_OF_TWO_PITCH
)
_SIZE: Final = _types(SIZE_ALIGNMENT, MIN_SIZE, MAX_SIZE)
_COUNT: Final = _types(MIN_BUFFERS, MAX_BUFFERS, SHARED_BUFFERS)
_MEMORY: Final = frozenset(RULES) | _types(NO_SNOOP, DIRTY_LINES, NO_SYNC)
_RELATIONS: Final = _types(SAME_BUFFER, SAME_SOURCE, DIFFERENT_SOURCE)

FAMILIES: Final = (
    (_PICTURE, _PITCH, _SIZE, _COUNT, _MEMORY, _RELATIONS),
    # How long a row is depends on the picture, so these two can contradict together.
    (_PICTURE | _PITCH,),
)
"""Families of types; those of a later row are asked where none of the rows before is to blame."""

LAID_OUT_TYPES: Final = frozenset[int]().union(*FAMILIES[0]) | _types(
    MAX_SEGMENTS, OFFSET_ALIGNMENT, SCANLINE_ALIGNMENT, PADDING, MACROBLOCK_PADDING
)
"""All that bears on where planes are and how they are laid out; any other type is by itself."""
