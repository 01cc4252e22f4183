"""How a KMS plane turns pictures: its property rotation.

The property speaks of the plane as a whole (drivers/gpu/drm/drm_blend.c). Upside down is read
backwards, and drivers that do not for some format have a row that says so (kernel/profiles). By a
quarter most turn only some layouts, of which the property says nothing: i915 those in Y tiles, msm
compressed ones, komeda AFBC. So a quarter turn is promised of no picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from heapwire.protocol.values import WHEN_ROTATION, Constraint

ROTATION_PROPERTY = "rotation"

_UPSIDE_DOWN = "rotate-180"
_EITHER_WAY = 1 << 0 | 1 << 180 // 90  # of when-rotation


def rotations(choices: Mapping[str, Iterable[str]]) -> tuple[Constraint, ...]:
    """What holds for all that a plane shows; nothing where it turns no picture.

    `choices` has the names of the values that its properties can have.
    """
    if _UPSIDE_DOWN not in choices.get(ROTATION_PROPERTY, ()):
        return ()
    return (Constraint(type=WHEN_ROTATION.type, value=_EITHER_WAY),)
