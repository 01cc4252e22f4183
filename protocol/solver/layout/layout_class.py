"""Which pairs are placed and laid out alike."""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import count
from typing import Final

from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.solver.layout.whole_layout import Whole, whole_formats, whole_of
from heapwire.protocol.values import (
    FORMATS,
    TILINGS,
    Format,
    FormatModifier,
    PlaneFormat,
    Superblocks,
    Tiling,
)

_KNOWN: Final = 256  # modifiers; clients can make up any number


class LayoutClass(NamedTuple):
    """How pairs are placed and laid out.

    `planes` is how many they have; `opaque` says that only their driver knows
    their layout, else `number` stands for the formats of the planes and the
    tiling, or for the formats alone where the picture is laid out as a `whole`.
    """

    planes: int
    opaque: bool
    number: int = 0
    whole: Whole | None = None


@cache
def _alike() -> tuple[tuple[Format, ...], ...]:
    """All formats by their planes: most differ in their colours alone."""
    alike: dict[tuple[PlaneFormat, ...], list[Format]] = {}
    for format_ in FORMATS.values():
        alike.setdefault(format_.planes, []).append(format_)
    return tuple(map(tuple, alike.values()))


@cache  # of no more modifiers than there are tilings
def _tiled(tiling: Tiling) -> dict[int, LayoutClass]:
    """By fourcc the classes of all pairs with a modifier that is rows of tiles."""
    classes: dict[int, LayoutClass] = {}
    # No two tilings share a number.
    numbers = count([*TILINGS].index(tiling.modifier) * len(FORMATS))
    for formats in map(tiling.divided, _alike()):
        if formats:
            planes = len(tiling.planes_of(formats[0]))
            one = LayoutClass(planes, opaque=False, number=next(numbers))
            classes |= dict.fromkeys((each.fourcc for each in formats), one)
    return classes


@lru_cache(_KNOWN)
def classes_of(modifier: int) -> dict[int, LayoutClass]:
    """By fourcc the classes of the pairs with a modifier whose layout can be computed."""
    tiling = TILINGS.get(modifier)
    if tiling is not None:
        return _tiled(tiling)
    whole = whole_of(modifier)
    return {} if whole is None else _whole_classes(whole)


@lru_cache(_KNOWN)
def _whole_classes(whole: Whole) -> dict[int, LayoutClass]:
    planes = 1 if isinstance(whole, Superblocks) else 2
    return {
        fourcc: LayoutClass(planes, opaque=False, number=number, whole=whole)
        for fourcc, number in whole_formats(whole).items()
    }


def class_of(pair: FormatModifier) -> LayoutClass | None:
    """The class of a pair whose layout can be computed; None for all others, which are opaque."""
    return classes_of(pair.modifier).get(pair.fourcc)
