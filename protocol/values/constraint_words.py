"""The words of a row of the registry: what its numbers count, and what its demand is about.

Sentences, reasons and conflicts are made of these alone, so that a type of which this
project has never heard is explained like any other.
"""

from __future__ import annotations

from collections.abc import Callable

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values.extents import Extent, Extents


@dataclass(frozen=True, slots=True)
class Unit:
    """What the number of a constraint counts.

    `hexadecimal` is for addresses: the ends of a range are written with 0x and without
    the unit's name. What is `parts` of one is written as so many of one, without it too.
    """

    plural: str
    singular: str
    hexadecimal: bool = False
    parts: int = 0

    def counted(self, number: int) -> str:
        """`1 byte`, `64 bytes`."""
        return f"{number} {self.singular if number == 1 else self.plural}"

    def between(self, lowest: int, highest: int) -> str:
        """`1 to 2560 pixels`, `0x0 to 0x3fffffff`; both ends are included."""
        if self.hexadecimal:
            return f"{lowest:#x} to {highest:#x}"
        if self.parts:
            return " to ".join(dict.fromkeys((self._of_one(lowest), self._of_one(highest))))
        return f"{lowest} to {highest} {self.plural}"

    def _of_one(self, number: int) -> str:
        """`0.5`, `32768`, and `1/65536` where four digits would be zeros or an exponent."""
        if 0 < number * 100 < self.parts:
            return f"1/{self.parts / number:.0f}"
        ratio = number / self.parts
        return f"{ratio:.0f}" if ratio >= 1000 else f"{ratio:.4g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The property of the result that a type of constraint bears on.

    `needs` is what goes between "display needs" and the end of the sentence that the row
    has: "a pitch that is". `explains` names the reasons of a plan (`Reason.subject`) in
    which such a demand is told: "format", "pitch", "offset", "extent", "size", "source", "count",
    "coherency", "fence" or "colour"; any other name makes a reason of its own, and with
    none at all a plan says nothing of it. `picture` gives the size that a conflict
    compares the demand with, where there is one.
    """

    name: str
    needs: str
    explains: tuple[str, ...]
    picture: Callable[[Extents], object] | None = None


def _allocated(extents: Extents) -> Extent:
    return extents.allocated


def _coded(extents: Extents) -> Extent:
    return extents.coded


def _shown(extents: Extents) -> Extent:
    return extents.visible or extents.coded


def _scaled(extents: Extents) -> str:
    return f"{_shown(extents)}, shown as {extents.shown}" if extents.shown else ""


BYTES = Unit("bytes", "byte")
ADDRESSES = Unit("bytes", "byte", hexadecimal=True)
ROWS = Unit("rows", "row")
PIXELS = Unit("pixels", "pixel")
BITS = Unit("bits", "bit")
RUNS = Unit("runs", "run")
HOPS = Unit("hops", "hop")
BUFFERS = Unit("buffers", "buffer")
"""What plans and streams have."""
OF_ONE = Unit("65536ths", "65536th", parts=1 << 16)


def _subject(
    name: str,
    needs: str,
    *explains: str,
    picture: Callable[[Extents], object] | None = None,
) -> Subject:
    return Subject(name=name, needs=needs, explains=explains, picture=picture)


PITCH = _subject("pitch", "a pitch that is", "pitch")
OFFSET = _subject("offset", "an offset that is", "offset")
ADJACENT = _subject("planes", "planes that begin", "offset")
SIZE = _subject("size", "an object size that is", "size")
ROW_COUNT = _subject("rows", "a number of rows that is", "size")
WIDTH = _subject("width", "a width that is", "extent", picture=_allocated)
HEIGHT = _subject("height", "a height that is", "extent", picture=_allocated)
# No plan is another for these: the picture is as it is, and so is what is made of it.
PICTURE_WIDTH = _subject("picture width", "a picture width that is", picture=_coded)
PICTURE_HEIGHT = _subject("picture height", "a picture height that is", picture=_coded)
SCALE = _subject("scale", "a scale that is", picture=_scaled)
AREA = _subject("area", "an area that is", "extent", picture=_allocated)
PADDING = _subject("padding", "padding that is", "size")
MACROBLOCK_PADDING = _subject("padding per macroblock", "padding per macroblock that is", "size")
# No plan is another for these two: they are about the part of the picture that is shown.
VISIBLE_WIDTH = _subject("visible width", "a visible width that is", picture=_shown)
VISIBLE_HEIGHT = _subject("visible height", "a visible height that is", picture=_shown)
MEMORY = _subject("memory", "memory that is", "source")
ADDRESS = _subject("address", "an address that is", "offset")
PLANES = _subject("planes", "planes that are", "source")
COHERENCY = _subject("coherency", "coherency that is", "source", "coherency")
FENCES = _subject("fences", "fences that are", "fence")
COUNT = _subject("count", "a number of buffers that is", "count")
COLOUR = _subject("colour", "a colour encoding that is", "colour")
ALPHA = _subject("alpha", "alpha that is")  # the format says it
CONDITION = _subject("condition", "content that has")  # never demanded of a plan
