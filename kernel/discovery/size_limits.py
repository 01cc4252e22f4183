"""The sizes of pictures that a device can work with, as constraints."""

from __future__ import annotations

from heapwire.protocol.values import (
    HEIGHT_ALIGNMENT,
    LEAST_HEIGHT,
    LEAST_WIDTH,
    MAX_HEIGHT,
    MAX_WIDTH,
    MIN_HEIGHT,
    MIN_WIDTH,
    WIDTH_ALIGNMENT,
    Constraint,
    Provenance,
)


def size_limits(
    *,
    min_width: int = 0,
    max_width: int = 0,
    min_height: int = 0,
    max_height: int = 0,
    width_step: int = 1,
    height_step: int = 1,
    of_pictures: bool = False,
) -> tuple[Constraint, ...]:
    """What a kernel driver says of sizes in pixels; numbers that limit nothing are left out.

    A greatest size of 0 is how a driver says that it knows of none. The least sizes are of
    pictures themselves (`of_pictures`), or of the room that there is for them.
    """
    limits = (
        (LEAST_WIDTH if of_pictures else MIN_WIDTH, min_width, 1),
        (MAX_WIDTH, max_width, 0),
        (LEAST_HEIGHT if of_pictures else MIN_HEIGHT, min_height, 1),
        (MAX_HEIGHT, max_height, 0),
        (WIDTH_ALIGNMENT, width_step, 1),
        (HEIGHT_ALIGNMENT, height_step, 1),
    )
    return tuple(
        Constraint(type=limit.type, value=number, provenance=Provenance.KERNEL)
        for limit, number, no_limit in limits
        if number > no_limit
    )
