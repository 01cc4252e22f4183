"""The gauge: how a display's driver lays out the rows of its own pictures.

CREATE_DUMB says the pitch that it chose for a width. All pitches are multiples of what the
hardware asks for, if the driver can show what it makes. That of one pixel is the number itself,
or what fewer pixels than that do not come to; of it and the pitch of an odd width, the greatest
common divisor is that number, or a multiple of it, which is safe.
"""

from __future__ import annotations

from collections.abc import Collection
from math import gcd

from heapwire.kernel.drm import Card

BITS = (8, 16, 24, 32)
_WIDTHS = (1, 129)  # pixels
_HEIGHT = 4  # rows: a page or two at most


def gauge_pitches(card: Card, sizes: Collection[int] = BITS) -> dict[int, int]:
    """Bytes that pitches are multiples of, by the bits of a pixel; only where there is a rule.

    `sizes` are the bits of the pixels that matter. A size of pixel of which the driver makes no
    pictures is left out, and so is one whose rows may have any number of pixels.
    """
    rules: dict[int, int] = {}
    for bits in BITS:
        pitches = _pitches(card, bits) if bits in sizes else []
        if pitches:
            rule = gcd(*pitches)
            if rule > bits // 8 or (rule > 1 and rule & (rule - 1) == 0):
                rules[bits] = rule
    return rules


def _pitches(card: Card, bits: int) -> list[int]:
    pitches = []
    for width in _WIDTHS:
        try:
            made = card.create_dumb(width=width, height=_HEIGHT, bits=bits)
        except OSError:
            return []
        card.destroy_dumb(made)
        pitches.append(made.pitch)
    return pitches
