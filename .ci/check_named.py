"""Compare what rows of profiles list by words with the names that the source has for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any


def colours_fault(said: Iterable[str], text: str, region: str) -> str:
    """Compare with what a plane's properties are made with; ranges may stand beside the text.

    A driver without the properties converts in one way, of which the text is the proof.
    """
    matrices, ranges = (
        re.findall(r"DRM_COLOR_YCBCR_(BT\d+)", text),
        [
            word.lower()
            for where in (text, region)
            for word in re.findall(r"BIT\(DRM_COLOR_YCBCR_(LIMITED|FULL)_RANGE", where)
        ],
    )
    if not text or not matrices:
        return "" if text else "say which text of it"
    there = {f"BT.{matrix[2:]} {range_}" for matrix in matrices for range_ in ranges}
    return difference(set(said), there, str)


def rotations_fault(said: Iterable[str], text: str) -> str:
    """Compare with the rotations that a text names; one that names none is the proof itself."""
    there = set(re.findall(r"DRM_MODE_ROTATE_(\d+)", text))
    if "DRM_MODE_ROTATE_MASK" in text:
        there = {"0", "90", "180", "270"}
    if not text or not there:
        return "" if text else "say which text of it"
    return difference(set(said), there, str)


def difference(said: set[Any], there: set[Any], name: Callable[[Any], str]) -> str:
    """What one has and the other lacks, both ways; nothing where they are the same."""
    more = ", ".join(sorted(name(one) for one in said - there))
    less = ", ".join(sorted(name(one) for one in there - said))
    return "; ".join(
        part
        for part in (
            f"the source lacks {more}" if more else "",
            f"the rows lack {less}" if less else "",
        )
        if part
    )
