"""The gauge: how a display's driver lays out the rows of its own pictures.

CREATE_DUMB says the pitch that it chose for a width. All pitches are multiples of what the
hardware asks for, if the driver can show what it makes; the greatest common divisor of some
widths without a divisor in common is that number, or a multiple of it, which is safe.
"""

from __future__ import annotations

from math import gcd

from heapwire.kernel.discovery.trial.card import Card
from heapwire.kernel.memory import create_dumb, destroy_dumb

BITS = (8, 16, 24, 32)
_WIDTHS = (1, 3, 7, 17, 33, 65, 129)  # pixels
_HEIGHT = 4  # rows: a page or two at most


def gauge_pitches(card: Card) -> dict[int, int]:
    """Bytes that pitches are multiples of, by the bits of a pixel; only where there is a rule.

    A size of pixel of which the driver makes no pictures is left out, and so is one whose
    rows may have any number of pixels.
    """
    rules: dict[int, int] = {}
    for bits in BITS:
        pitches = [pitch for width in _WIDTHS if (pitch := _pitch(card, width, bits))]
        if len(pitches) == len(_WIDTHS):
            rule = gcd(*pitches)
            if rule > bits // 8 or (rule > 1 and rule & (rule - 1) == 0):
                rules[bits] = rule
    return rules


def _pitch(card: Card, width: int, bits: int) -> int:
    try:
        made = create_dumb(card.fd, width=width, height=_HEIGHT, bits=bits, call=card.call)
    except OSError:
        return 0
    destroy_dumb(card.fd, made, card.call)
    return made.pitch
