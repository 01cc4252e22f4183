"""How high the columns of a family are that a set lists, for a picture.

Who lists Broadcom's columns (SAND) with the parameter 0 takes any height, or writes the one that
follows from the picture. A set says how it follows with two of its constraints: `height-alignment`,
what the rows are rounded up to, and `adjacent-planes`: in a column chroma begins where luma ends,
so that it is as high as both together. So 1080 rows in steps of 16 are columns of 1632, and more
where somebody demands room for more rows (`must-fit-height`). Such a set means the member of the
family, and says so before it is compared with those of others.
"""

from __future__ import annotations

from math import lcm

from heapwire.protocol.solver.layout.plane_demand import up
from heapwire.protocol.solver.layout.whole_layout import has_columns
from heapwire.protocol.values import (
    ADJACENT_PLANES,
    HEIGHT_ALIGNMENT,
    MAX_EXTENT,
    MIN_HEIGHT,
    MODIFIER_FAMILIES,
    MUST_FIT_HEIGHT,
    ConstraintSet,
    FormatModifier,
    columns_so_high,
)

_TWO_ROWS = 2  # of luma to one of chroma: 4:2:0


def tells_column_height(one: ConstraintSet) -> bool:
    """Whether pairs of a set depend on the height of the picture."""
    return _steps(one) is not None and any(map(_is_family, one.formats))


def least_rows(one: ConstraintSet) -> int:
    """The rows that a set demands room for, whatever the picture."""
    told = [row.of(c) for c in one.constraints for row in (MUST_FIT_HEIGHT, MIN_HEIGHT)]
    return max([rows or 0 for rows in told], default=0)


def with_column_height(one: ConstraintSet, rows: int) -> tuple[FormatModifier, ...]:
    """The pairs of a set for buffers with room for so many rows, each in its place."""
    step = _steps(one)
    if step is None:
        return one.formats
    rows = up(max(rows, least_rows(one)), step)
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
