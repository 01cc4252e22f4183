"""How a KMS plane turns pictures: its property rotation.

The property speaks of the plane as a whole (drivers/gpu/drm/drm_blend.c). Upside down is read
backwards, and drivers that do not for some format have a row that says so (kernel/profiles). By a
quarter most turn only some layouts, of which the property says nothing: i915 those in Y tiles, msm
compressed ones, komeda AFBC. So a quarter turn is presumed of no picture, unless a row of the
driver's profile says that it turns those of its kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from heapwire.protocol.values import WHEN_ROTATION, Constraint, Provenance

ROTATION_PROPERTY = "rotation"

_EITHER_WAY = 1 << 0 | 1 << 180 // 90  # of when-rotation


def rotations(choices: Mapping[str, Iterable[str]]) -> tuple[Constraint, ...]:
    """What holds for all that a plane shows; nothing where it turns no picture.

    `choices` has the names of the values that its properties can have.
    """
    names = frozenset(choices.get(ROTATION_PROPERTY, ()))
    able = 1 | sum(1 << turn // 90 for turn in (90, 180, 270) if f"rotate-{turn}" in names)
    if able == 1:
        return ()
    stated = Constraint(type=WHEN_ROTATION.type, value=able, provenance=Provenance.KERNEL)
    if not able & ~_EITHER_WAY:
        return (stated,)
    presumed = Constraint(
        type=WHEN_ROTATION.type,
        value=able & _EITHER_WAY,
        provenance=Provenance.PRESUMPTION,
        source="a property of the plane, whatever it shows",
    )
    return stated, presumed
