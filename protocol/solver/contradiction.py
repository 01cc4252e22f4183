"""Whether a merged demand contradicts itself across types.

Each test asks whether what the demand leaves is empty, whatever the picture and
the memory: adding a requirement never makes it less empty, which is what keeps
the meet associative (merge.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, cast

from heapwire.protocol.solver.merge_rule import (
    PAIRS_OF,
    UINT_MAX,
    WHOLE,
    Merged,
    T,
    connected,
    effective,
    effective_uint,
)
from heapwire.protocol.values import MAX_PLANES, REGISTRY

ACCESSIBLE_DOMAINS: Final = 0b011
"""The coherency domains in which the CPU can touch the memory: cpu and ram."""


def contradicts(merged: Mapping[tuple[int, int], object]) -> bool:
    """Whether nothing at all can meet a demand, by the tests across its types."""
    demand = cast("Merged", merged)
    tests = {_TESTS[type_] for type_, _ in merged if type_ in _TESTS}
    return any(test(demand) for test in tests) or _no_value(demand)


def _no_value(merged: Merged) -> bool:
    """What is said of each plane and what is said of one of them leave nothing."""
    return any(
        plane != WHOLE and (type_, WHOLE) in merged and effective(merged, type_, plane) is None
        for type_, plane in merged
        if type_ in REGISTRY
    )


def _uint(merged: Merged, name: str, default: int) -> int:
    return cast("int", merged.get((T[name], WHOLE), default))


def _no_pitch(merged: Merged) -> bool:
    """No multiple of the alignment lies between the least and the greatest pitch."""
    said = {type_ for type_, _ in merged}
    if T["max-pitch"] not in said and T["power-of-two-pitch"] not in said:
        return False
    return any(_no_pitch_for(merged, plane) for plane in range(WHOLE, MAX_PLANES))


def _no_pitch_for(merged: Merged, plane: int) -> bool:
    alignment = effective_uint(merged, T["pitch-alignment"], plane, 1)
    least = max(1, effective_uint(merged, T["min-pitch"], plane, 1))
    greatest = effective_uint(merged, T["max-pitch"], plane, UINT_MAX)
    if effective(merged, T["power-of-two-pitch"], plane) is not None:
        return alignment & (alignment - 1) != 0 or (
            max(alignment, 1 << (least - 1).bit_length()) > greatest
        )
    return -(-least // alignment) * alignment > greatest


def _no_extent(merged: Merged) -> bool:
    """The least, greatest and reused extents leave nothing."""
    for least, greatest, fit, fit_least in _SIDES:
        lowest = cast("int", merged.get(least, 0))
        if max(lowest, cast("int", merged.get(fit, 0))) > cast(
            "int", merged.get(greatest, UINT_MAX)
        ) or lowest > cast("int", merged.get(fit_least, UINT_MAX)):
            return True
    least_area = max(1, _uint(merged, "min-width", 1)) * max(1, _uint(merged, "min-height", 1))
    return _uint(merged, "max-area", UINT_MAX) < least_area


_SIDES: Final = tuple(
    tuple((T[f"{word}-{side}"], WHOLE) for word in ("min", "max", "must-fit", "must-fit-least"))
    for side in ("width", "height")
)


def _no_size(merged: Merged) -> bool:
    alignment = _uint(merged, "size-alignment", 1)
    least = max(1, _uint(merged, "min-size", 1))
    return -(-least // alignment) * alignment > _uint(merged, "max-size", UINT_MAX)


def _no_address(merged: Merged) -> bool:
    return any(
        cast("tuple[int, int]", effective(merged, T["address-range"], plane) or (0, 0))[0]
        >> effective_uint(merged, T["dma-width"], plane, 64)
        for plane in range(WHOLE, MAX_PLANES)
    )


def _no_coherency(merged: Merged) -> bool:
    """The CPU is to touch what is out of its reach."""
    if (T["cpu-access"], WHOLE) not in merged:
        return False
    domains = _uint(merged, "coherency-domains", ACCESSIBLE_DOMAINS)
    return not domains & ACCESSIBLE_DOMAINS or _uint(merged, "protected", 0) == 1


def _no_segments(merged: Merged) -> bool:
    return _uint(merged, "max-segments", 1) == 0


def _no_count(merged: Merged) -> bool:
    greatest = _uint(merged, "max-buffers", UINT_MAX)
    return max(1, _uint(merged, "min-buffers", 1)) > greatest


def _no_placement(merged: Merged) -> bool:
    """Planes must, through whatever others, share a source, and must not."""
    together = connected(_uint(merged, "same-buffer", 0) | _uint(merged, "same-source", 0))
    apart = _uint(merged, "different-source", 0)
    return any(PAIRS_OF[planes] & apart for planes in together)


_TESTS: Final[Mapping[int, Callable[[Merged], bool]]] = {
    T[name]: test
    for test, names in (
        (_no_pitch, ("pitch-alignment", "min-pitch", "max-pitch", "power-of-two-pitch")),
        (
            _no_extent,
            (
                *(f"{word}-width" for word in ("min", "max", "must-fit", "must-fit-least")),
                *(f"{word}-height" for word in ("min", "max", "must-fit", "must-fit-least")),
                "max-area",
            ),
        ),
        (_no_size, ("size-alignment", "min-size", "max-size")),
        (_no_address, ("address-range", "dma-width")),
        (_no_coherency, ("coherency-domains", "cpu-access", "protected")),
        (_no_segments, ("max-segments",)),
        (_no_count, ("min-buffers", "max-buffers")),
        (_no_placement, ("same-buffer", "same-source", "different-source")),
    )
    for name in names
}
