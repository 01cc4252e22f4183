"""Which pairs are placed and laid out alike."""

from __future__ import annotations

from collections.abc import Container, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from heapwire.protocol.solver.layout.whole_layout import whole_formats, whole_number
from heapwire.protocol.values import FORMATS, TILINGS, FormatModifier, PlaneFormat

_KNOWN: Final = 256  # modifiers; clients can make up any number


class LayoutClass(NamedTuple):
    """How pairs are placed and laid out.

    `planes` is how many they have; `opaque` says that only their driver knows
    their layout, else `number` stands for the formats of the planes and the
    tiling, below 0 for what is laid out as a whole (whole_layout.py).
    """

    planes: int
    opaque: bool
    number: int = 0

    @property
    def family(self) -> int:
        """The same for all pairs whose planes may be in the same places."""
        return 2 * self.planes + self.opaque


def _tiled() -> dict[int, dict[int, LayoutClass]]:
    """The classes of all pairs that are rows of tiles: by modifier and fourcc."""
    numbers: dict[tuple[tuple[PlaneFormat, ...], int], int] = {}
    classes: dict[int, dict[int, LayoutClass]] = {}
    for modifier, tiling in TILINGS.items():
        classes[modifier] = {}
        for fourcc, format_ in FORMATS.items():
            if tiling.divides(format_):
                planes = tiling.planes_of(format_)
                number = numbers.setdefault((planes, modifier), len(numbers))
                classes[modifier][fourcc] = LayoutClass(len(planes), opaque=False, number=number)
    return classes


_TILED: Final[Mapping[int, Mapping[int, LayoutClass]]] = _tiled()


def class_of(pair: FormatModifier) -> LayoutClass | None:
    """The class of a pair whose layout can be computed; None for all others, which are opaque."""
    tiled = _TILED.get(pair.modifier)
    if tiled is not None:
        return tiled.get(pair.fourcc)
    number = whole_number(pair)
    if number is None:
        return None
    format_ = FORMATS.get(pair.fourcc)
    # A format without rows has one plane.
    return LayoutClass(len(format_.planes) if format_ else 1, opaque=False, number=number)


@lru_cache(_KNOWN)
def fourccs_laid_out(modifier: int) -> Container[int]:
    """The fourccs that have a class with a modifier."""
    tiled = _TILED.get(modifier)
    return whole_formats(modifier) if tiled is None else tiled
