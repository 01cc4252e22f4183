"""The longest pitch that a plane of Intel's takes, as a function of i915's says it.

Each has a `..._max_stride` of the format's bytes a pixel (`cpp`) and of the modifier, so that
one number is right for a part of a row's formats only: each pair of a row is compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from kernel_source import KernelSource, SourceError

from heapwire.protocol.values import FORMATS, fourcc_name, modifier_name

Table = Mapping[str, Any]  # of a profile's file
Pair = tuple[int, int]  # of a format and a modifier

_PLACE = re.compile(r"(drivers/gpu/drm/i915/display/\w+\.c): (\w+_max_stride): .+", re.DOTALL)
_CHOICE = re.compile(r"\bif \(((?:[^()]|\([^()]*\))*)\)\s*return ([^;]+);\s*else\s*return ([^;]+);")
_RETURN = re.compile(r"\breturn ([^;]+);")
_LOCAL = re.compile(r"\bunsigned int (\w+) = ([^;]+);")
_SHARED = "plane_max_stride"  # which those of skl_universal_plane.c call with bounds of their own
_C8 = int.from_bytes(b"C8  ", "little")  # a palette's index a pixel: no format of pictures


def is_of_a_stride(row: Table) -> bool:
    """Whether the number of a row is what such a function comes to."""
    return row["type"] == "max-pitch" and _PLACE.fullmatch(row.get("source", "")) is not None


def stride_faults(
    source: KernelSource, profiles: Sequence[Table], pairs_of: Callable[[Table], set[Pair]]
) -> list[str]:
    """What differs of each set of a profile, the first of these; it extends the others."""
    own, *extended = profiles
    faults = []
    for use in own.get("use", ()):
        for one in use.get("set", ()):
            for pair in sorted(pairs_of(one)):
                rows = [*_rows(use), *_rows(one)]
                for base in extended:
                    rows += _inherited(base, use["usage"], pair, pairs_of)
                faults += _faults(source, [row for row in rows if is_of_a_stride(row)], pair)
    return faults


def _rows(table: Table) -> Iterable[Table]:
    return table.get("constraints", ())


def _inherited(
    base: Table, usage: str, pair: Pair, pairs_of: Callable[[Table], set[Pair]]
) -> Iterator[Table]:
    """The rows of a base for a pair; its planes are all alike where others extend it."""
    for use in base.get("use", ()):
        if use["usage"] != usage:
            continue
        yield from _rows(use)
        for one in use.get("set", ()):
            if pair in pairs_of(one):
                yield from _rows(one)


def _faults(source: KernelSource, rows: Sequence[Table], pair: Pair) -> Iterator[str]:
    if not rows:
        return
    code, modifier = pair
    said = min(row["value"] for row in rows)
    places = {place.groups() for row in rows if (place := _PLACE.fullmatch(row["source"]))}
    try:
        there = min(_stride(source, *place, modifier, _cpp(code)) for place in places)
    except SourceError as error:
        yield f"max-pitch: {error}"
        return
    if said != there:
        name = f"{fourcc_name(code)} {modifier_name(modifier)}"
        yield f"max-pitch: {said} for {name}, and {there} there"


def _cpp(code: int) -> int:
    """The bytes of a pixel on the first plane, of a format whose pixels are whole bytes there."""
    if code == _C8:
        return 1
    if code not in FORMATS:
        raise SourceError(f"{fourcc_name(code)} has no bytes a pixel")
    plane = FORMATS[code].planes[0]
    return plane.bytes_per_block // (plane.block_width * plane.block_height)


def _stride(source: KernelSource, file: str, symbol: str, modifier: int, cpp: int) -> int:
    """What the function returns for a picture that is not turned, on a plane that is not special.

    Other conditions than the modifier's are those, so they are taken for untrue.
    """
    text = source.region(file, symbol)
    values = {name: source.value(file, one) for name, one in _LOCAL.findall(text)}
    if f"return {_SHARED}(" in text:
        text = source.region(file, _SHARED)
    choice = _CHOICE.search(text)
    if choice is None:
        returned = _RETURN.search(text)
        if returned is None:
            raise SourceError(f"{symbol} of {file} returns nothing that can be followed")
        chosen = returned[1]
    else:
        condition, yes, no = choice.groups()
        of_one = re.fullmatch(r"modifier == (\w+)", condition)
        is_that = of_one is not None and source.value(file, of_one[1]) == modifier
        chosen = yes if is_that else no
    for name, value in {**values, "cpp": cpp}.items():
        chosen = re.sub(rf"\b{name}\b", str(value), chosen)
    least = re.fullmatch(r"min\(([^,]+),([^,]+)\)", chosen)
    bounds = least.groups() if least is not None else (chosen,)
    return min(source.value(file, bound) for bound in bounds)
