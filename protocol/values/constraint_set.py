"""What one device needs for one use of some (fourcc, modifier) pairs."""

from __future__ import annotations

from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.values.constraint import Constraint, Provenance

ANY_FOURCC = 0
"""Stands for every fourcc that others name: DRM_FORMAT_INVALID, the code of no format."""

ANY_MODIFIER = (1 << 64) - 1
"""Stands for every modifier that others name: a code that no vendor has."""


class FormatModifier(NamedTuple):
    """A pixel format and the modifier of its layout, as drm_fourcc.h numbers them.

    In a set, `ANY_FOURCC` and `ANY_MODIFIER` stand for whatever the others name.
    """

    fourcc: int
    modifier: int


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class ConstraintSet:
    """Constraints and the pairs that they hold for.

    `costs` has one entry for each of `formats`, 0 the best: the participant's
    own soft preference. Empty means that it has none. `provenance` is the rung on which it
    stands that the participant has these pairs, None where that was not told, and `source`
    where it is said, for people. Neither is sent, and two sets that differ in them alone are
    the same.
    """

    formats: tuple[FormatModifier, ...]
    constraints: tuple[Constraint, ...] = ()
    costs: tuple[int, ...] = ()
    provenance: Provenance | None = field(default=None, compare=False)
    source: str = field(default="", compare=False)
