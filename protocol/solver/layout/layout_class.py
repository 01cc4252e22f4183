"""Which pairs are placed and laid out alike."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
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


def _tiled() -> dict[int, dict[int, LayoutClass]]:
    """The classes of all pairs that are rows of tiles: by modifier and fourcc."""
    alike: dict[tuple[PlaneFormat, ...], list[Format]] = {}  # most differ in their colours alone
    for format_ in FORMATS.values():
        alike.setdefault(format_.planes, []).append(format_)
    classes: dict[int, dict[int, LayoutClass]] = {}
    number = count()
    for modifier, tiling in TILINGS.items():
        classes[modifier] = {}
        for formats in map(tiling.divided, alike.values()):
            if formats:
                planes = len(tiling.planes_of(formats[0]))
                one = LayoutClass(planes, opaque=False, number=next(number))
                classes[modifier].update(dict.fromkeys((each.fourcc for each in formats), one))
    return classes


_TILED: Final[Mapping[int, dict[int, LayoutClass]]] = _tiled()


@lru_cache(_KNOWN)
def classes_of(modifier: int) -> dict[int, LayoutClass]:
    """By fourcc the classes of the pairs with a modifier whose layout can be computed."""
    tiled = _TILED.get(modifier)
    if tiled is not None:
        return tiled
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
