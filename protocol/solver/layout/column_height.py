"""How high the columns of a family are that a set lists, for a picture.

Who lists Broadcom's columns (SAND) with the parameter 0 takes any height, or writes the one that
follows from the picture. A set says how it follows with two of its constraints: `height-alignment`,
what the rows are rounded up to, and `adjacent-planes`: in a column chroma begins where luma ends,
so that it is as high as both together. So 1080 rows in steps of 16 are columns of 1632. Such a
set means the member of the family, and says so before it is compared with those of others.
"""

from __future__ import annotations

from math import lcm

from heapwire.protocol.solver.layout.plane_demand import up
from heapwire.protocol.solver.layout.whole_layout import has_columns
from heapwire.protocol.values import (
    ADJACENT_PLANES,
    HEIGHT_ALIGNMENT,
    MAX_EXTENT,
    MODIFIER_FAMILIES,
    ConstraintSet,
    Extents,
    FormatModifier,
    columns_so_high,
)

_TWO_ROWS = 2  # of luma to one of chroma: 4:2:0


def tells_column_height(one: ConstraintSet) -> bool:
    """Whether pairs of a set depend on the height of the picture."""
    return _steps(one) is not None and any(map(_is_family, one.formats))


def with_column_height(one: ConstraintSet, extents: Extents) -> tuple[FormatModifier, ...]:
    """The pairs of a set for pictures of a size, each in its place."""
    step = _steps(one)
    if step is None:
        return one.formats
    rows = up(extents.allocated.height, step)
    if rows > MAX_EXTENT:
        return one.formats
    return tuple(
        [
            FormatModifier(pair.fourcc, columns_so_high(pair.modifier, rows + rows // _TWO_ROWS))
            if _is_family(pair)
            else pair
            for pair in one.formats
        ]
    )


def _steps(one: ConstraintSet) -> int | None:
    """What the rows of a picture are rounded up to; None where the set does not tell the height."""
    types = [constraint.type for constraint in one.constraints]
    if ADJACENT_PLANES.type not in types or HEIGHT_ALIGNMENT.type not in types:
        return None
    steps = [step for c in one.constraints if (step := HEIGHT_ALIGNMENT.of(c)) is not None]
    return lcm(_TWO_ROWS, *steps) or None


def _is_family(pair: FormatModifier) -> bool:
    return pair.modifier in MODIFIER_FAMILIES and has_columns(pair.fourcc)
