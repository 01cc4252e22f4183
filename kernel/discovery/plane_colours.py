"""Which YCbCr a KMS plane turns into RGB: its properties COLOR_ENCODING and COLOR_RANGE.

The names of their values are those of drivers/gpu/drm/drm_color_mgmt.c, color_encoding_name and
color_range_name. A plane without the properties converts in the one way that its driver has
chosen, which it does not tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from heapwire.kernel.description import rgb_and_yuv
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import (
    COLOURS,
    INVALID,
    ColourEncoding,
    ColourRange,
    Constraint,
    ConstraintSet,
    FormatModifier,
    Provenance,
    colour_bit,
)

COLOUR_PROPERTIES = ("COLOR_ENCODING", "COLOR_RANGE")
"""The properties by name: that of matrices, that of ranges."""

_ENCODINGS = {
    "ITU-R BT.601 YCbCr": ColourEncoding.BT601,
    "ITU-R BT.709 YCbCr": ColourEncoding.BT709,
    "ITU-R BT.2020 YCbCr": ColourEncoding.BT2020,
}
_RANGES = {
    "YCbCr limited range": ColourRange.LIMITED,
    "YCbCr full range": ColourRange.FULL,
}


def scanout_sets_of(
    pairs: tuple[FormatModifier, ...],
    constraints: tuple[Constraint, ...],
    choices: Mapping[str, Iterable[str]],
) -> tuple[ConstraintSet, ...]:
    """What a plane shows of some pairs: RGB as it is, YCbCr as it converts it.

    `choices` has the names of the values of the colour properties that the plane has.
    """
    named = all(pair.modifier != INVALID for pair in pairs)
    said = ConstraintSet(
        formats=pairs,
        constraints=constraints,
        provenance=Provenance.KERNEL,
        source="IN_FORMATS" if named else "the plane's formats, without modifiers",
    )
    mask = _mask(choices)
    if not mask:
        return (said,) if pairs else ()
    plain, converted = rgb_and_yuv(pairs)
    colours = Constraint(type=COLOURS.type, value=mask)
    sets = (
        replace(said, formats=plain),
        replace(said, formats=converted, constraints=(*constraints, colours)),
    )
    return tuple(one for one in sets if one.formats)


def _mask(choices: Mapping[str, Iterable[str]]) -> int:
    """The matrices and ranges that can be chosen; of a property that is not there all are."""
    encodings, ranges = (choices.get(name) for name in COLOUR_PROPERTIES)
    if encodings is None:
        return 0
    bits = {
        colour_bit(_ENCODINGS[encoding], _RANGES[range_])
        for encoding in encodings
        for range_ in (_RANGES if ranges is None else ranges)
        if encoding in _ENCODINGS and range_ in _RANGES
    }
    return sum(bits)
