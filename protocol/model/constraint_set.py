"""What one device needs for one use of some (fourcc, modifier) pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from heapwire.protocol.model.constraint import Constraint


class FormatModifier(NamedTuple):
    """A pixel format and the modifier of its layout, as drm_fourcc.h numbers them."""

    fourcc: int
    modifier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstraintSet:
    """Constraints and the pairs that they hold for.

    `costs` has one entry for each of `formats`, 0 the best: the participant's
    own soft preference. Empty means that it has none.
    """

    formats: tuple[FormatModifier, ...]
    constraints: tuple[Constraint, ...] = ()
    costs: tuple[int, ...] = ()
