"""Regions: areas made of rectangles that do not overlap."""

from __future__ import annotations

from heapwire.protocol.late_tuples import NamedTuple

MAX_RECTS = 16
"""Beyond this a region of a client's is forgotten: each request costs as much as it has.

A window with round corners has three, or twice as many as its corners have rows.
"""


class Rect(NamedTuple):
    """A rectangle; `right` and `bottom` are the first column and row outside."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column to the right of it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.y + self.height

    @property
    def area(self) -> int:
        """How many pixels it has; 0 where it is empty."""
        return self.width * self.height if self.width > 0 and self.height > 0 else 0

    def moved(self, x: int, y: int) -> Rect:
        """The same rectangle elsewhere."""
        return Rect(self.x + x, self.y + y, self.width, self.height)

    def intersection(self, other: Rect) -> Rect:
        """What both cover; empty (with no area) if they do not meet."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Rect(x, y, max(0, right - x), max(0, bottom - y))

    def minus(self, other: Rect) -> list[Rect]:
        """Up to four rectangles that cover what is left without `other`."""
        cut = self.intersection(other)
        if not cut.area:
            return [self]
        around = (
            Rect(self.x, self.y, self.width, cut.y - self.y),
            Rect(self.x, cut.bottom, self.width, self.bottom - cut.bottom),
            Rect(self.x, cut.y, cut.x - self.x, cut.height),
            Rect(cut.right, cut.y, self.right - cut.right, cut.height),
        )
        return [rect for rect in around if rect.area]


class Region:
    """An area, immutable."""

    __slots__ = ("rects",)

    def __init__(self, rects: tuple[Rect, ...] = ()) -> None:
        """`rects` must not overlap."""
        self.rects = rects

    def plus(self, rect: Rect) -> Region:
        """With a rectangle more; empty if it becomes too complex."""
        if not rect.area:
            return self
        return self._bounded([*self._without(rect), rect])

    def minus(self, rect: Rect) -> Region:
        """Without a rectangle; empty if it becomes too complex."""
        return self._bounded(self._without(rect))

    def covers(self, rect: Rect) -> bool:
        """Whether all of a rectangle is within."""
        left = [rect] if rect.area else []
        for covering in self.rects:
            left = [piece for rest in left for piece in rest.minus(covering)]
        return not left

    def _without(self, rect: Rect) -> list[Rect]:
        x, y, right, bottom = rect.x, rect.y, rect.right, rect.bottom
        kept: list[Rect] = []
        for whole in self.rects:
            if whole.x >= right or whole.y >= bottom or whole.right <= x or whole.bottom <= y:
                kept.append(whole)
            else:
                kept += whole.minus(rect)
        return kept

    @staticmethod
    def _bounded(rects: list[Rect]) -> Region:
        # To forget an opaque or input region is safe; to keep half of one is not.
        return Region(tuple(rects)) if len(rects) <= MAX_RECTS else EMPTY


EMPTY = Region()
"""Nothing."""
