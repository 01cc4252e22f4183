"""What pairs have in common that are placed and laid out alike."""

from __future__ import annotations

from typing import Final, NamedTuple

from heapwire.protocol.values import FORMATS, TILINGS, FormatModifier, PlaneFormat


class LayoutClass(NamedTuple):
    """How pairs are placed and laid out.

    `planes` is how many they have; `opaque` says that only their driver knows
    their layout, else `number` stands for the formats of the planes and the
    tiling.
    """

    planes: int
    opaque: bool
    number: int = 0

    @property
    def family(self) -> int:
        """The same for all pairs whose planes may be in the same places."""
        return 2 * self.planes + self.opaque


def _laid_out() -> dict[FormatModifier, LayoutClass]:
    """The classes of all pairs with a layout that can be computed."""
    numbers: dict[tuple[tuple[PlaneFormat, ...], int], int] = {}
    classes = {}
    for fourcc, format_ in FORMATS.items():
        for modifier in TILINGS:
            number = numbers.setdefault((format_.planes, modifier), len(numbers))
            classes[FormatModifier(fourcc, modifier)] = LayoutClass(
                len(format_.planes), opaque=False, number=number
            )
    return classes


LAID_OUT: Final = _laid_out()
"""The classes of the pairs with a layout that can be computed; all others are opaque."""
