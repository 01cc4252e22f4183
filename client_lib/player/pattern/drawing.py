"""What a test pattern shows: colours whose RGB is known, and a counter for people and programs.

| bars, their RGB by the table of the pattern   |
|              000123                           |
| a square for each bit of the counter          |
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from heapwire.protocol.values import Extent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Rgb = tuple[int, int, int]

_FULL: tuple[Rgb, ...] = (
    (255, 255, 255),
    (255, 255, 0),
    (0, 255, 255),
    (0, 255, 0),
    (255, 0, 255),
    (255, 0, 0),
    (0, 0, 255),
    (0, 0, 0),
)

PATTERNS: Mapping[str, tuple[Rgb, ...]] = MappingProxyType(
    {
        "bars": tuple((r * 3 // 4, g * 3 // 4, b * 3 // 4) for r, g, b in _FULL),
        "full": _FULL,
        "steps": tuple((code, code, code) for code in range(0, 256, 17)),
    }
)
"""The bars of each pattern from left to right, as red, green and blue of 0 to 255.

`bars` are those of three quarters of the light, `full` all of it, `steps` 16 greys.
"""

BITS = 16
"""Of the counter, in squares along the lower edge: white for 1, the highest on the left."""

_DIGITS = 6
# Five rows of three for each digit.
_GLYPHS = (
    *("111101101101111", "010110010010111", "111001111100111", "111001111001111"),
    *("101101111001001", "111100111001111", "111100111101111", "111001001001001"),
    *("111101111101111", "111101111001111"),
)


class Drawing:
    """A pattern in one size: `picture` is it with a number."""

    def __init__(self, pattern: str, extent: Extent) -> None:
        import numpy as np

        bars = np.array(PATTERNS[pattern], np.uint8)
        of_column = np.arange(extent.width) * len(bars) // extent.width
        self._ground = np.repeat(bars[of_column][np.newaxis], extent.height, axis=0)
        self._extent = extent

    def picture(self, number: int) -> NDArray[np.uint8]:
        """Rows of pixels of three bytes, red, green and blue; for the caller to keep."""
        picture = self._ground.copy()
        side = square_side(self._extent)
        low = self._extent.height - side
        for bit in range(BITS):
            is_set = number >> BITS - 1 - bit & 1
            picture[low:, bit * side : (bit + 1) * side] = 255 if is_set else 0
        _write(picture, number, side)
        return picture


def square_side(extent: Extent) -> int:
    """The side of a bit's square in pixels: even, so that it has colours of its own in 4:2:0."""
    return max(2, min(extent.width // BITS, extent.height // 8) // 2 * 2)


def _write(picture: NDArray[np.uint8], number: int, side: int) -> None:
    """The number in digits, white on black, in the middle of the picture."""
    import numpy as np

    scale = max(1, side // 4)
    digits = f"{number % 10**_DIGITS:0{_DIGITS}}"
    text = np.zeros((7, 4 * _DIGITS + 1), np.uint8)
    for place, digit in enumerate(digits):
        glyph = np.array(list(map(int, _GLYPHS[int(digit)])), np.uint8).reshape(5, 3)
        text[1:6, 1 + 4 * place : 4 + 4 * place] = glyph * 255
    grown = np.kron(text, np.ones((scale, scale), np.uint8))
    top = max(0, (picture.shape[0] - grown.shape[0]) // 2)
    left = max(0, (picture.shape[1] - grown.shape[1]) // 2)
    room = picture[top : top + grown.shape[0], left : left + grown.shape[1]]
    room[:] = grown[: room.shape[0], : room.shape[1], np.newaxis]
