"""Which colour encoding the participants agree on."""

from __future__ import annotations

from heapwire.protocol.values.content import ColourEncoding, ColourRange, Content
from heapwire.protocol.values.registry import COLOUR_FULL_RANGE

Colour = tuple[ColourEncoding, ColourRange]
"""A matrix and how much of the code range it uses."""

# The order in which a free choice is made: what most content and most displays are.
_ORDER = (
    ColourEncoding.BT709,
    ColourEncoding.BT2020,
    ColourEncoding.BT601,
    ColourEncoding.RGB,
)
_RANGES = (ColourRange.LIMITED, ColourRange.FULL)


def colour_bit(encoding: ColourEncoding, range_: ColourRange) -> int:
    """The bit of the `colours` mask; an unspecified range counts as limited."""
    return 1 << encoding + (COLOUR_FULL_RANGE if range_ is ColourRange.FULL else 0)


def agreed_colour(permitted: int, content: Content) -> Colour | None:
    """The best colour that is permitted and that the content has or leaves open.

    `permitted` is a mask of `colour_bit`s. None where there is none.
    """
    for encoding in _ORDER:
        if content.encoding not in (ColourEncoding.UNSPECIFIED, encoding):
            continue
        for range_ in _RANGES:
            if content.range not in (ColourRange.UNSPECIFIED, range_):
                continue
            if permitted & colour_bit(encoding, range_):
                return encoding, range_
    return None
