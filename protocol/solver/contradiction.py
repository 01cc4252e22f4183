"""Whether a demand contradicts itself across types.

Each test asks whether what the demand leaves is empty, whatever the picture and
the memory: adding a requirement never makes it less empty, which is what keeps
the meet associative (merge.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from heapwire.protocol.solver.demand import WHOLE, Demand
from heapwire.protocol.solver.merge_rule import UINT_MAX
from heapwire.protocol.solver.plane_pairs import PAIRS_OF, connected
from heapwire.protocol.values import (
    ADDRESS_RANGE,
    COHERENCY_DOMAINS,
    CPU_ACCESS,
    DIFFERENT_SOURCE,
    DMA_WIDTH,
    MAX_AREA,
    MAX_BUFFERS,
    MAX_HEIGHT,
    MAX_PITCH,
    MAX_PLANES,
    MAX_SEGMENTS,
    MAX_SIZE,
    MAX_WIDTH,
    MIN_BUFFERS,
    MIN_HEIGHT,
    MIN_PITCH,
    MIN_SIZE,
    MIN_WIDTH,
    MUST_FIT_HEIGHT,
    MUST_FIT_LEAST_HEIGHT,
    MUST_FIT_LEAST_WIDTH,
    MUST_FIT_WIDTH,
    PITCH_ALIGNMENT,
    POWER_OF_TWO_PITCH,
    PROTECTED,
    SAME_BUFFER,
    SAME_SOURCE,
    SIZE_ALIGNMENT,
    ConstraintType,
)

ACCESSIBLE_DOMAINS: Final = 0b011
"""The coherency domains in which the CPU can touch the memory: cpu and ram."""


def contradicts(demand: Demand, registry: Mapping[int, ConstraintType]) -> bool:
    """Whether nothing at all can meet a demand, by the tests across its types."""
    tests = {_TESTS[type_] for type_, _ in demand.values if type_ in _TESTS}
    return any(test(demand) for test in tests) or _no_value(demand, registry)


def _no_value(demand: Demand, registry: Mapping[int, ConstraintType]) -> bool:
    """What is said of each plane and what is said of one of them leave nothing."""
    return any(
        plane != WHOLE
        and (type_, WHOLE) in demand.values
        and demand.value(registry[type_], plane) is None
        for type_, plane in demand.values
    )


def _no_pitch(demand: Demand) -> bool:
    """No multiple of the alignment lies between the least and the greatest pitch."""
    spoken_of = {type_ for type_, _ in demand.values}
    # Without either of these the pitch can always grow to the next multiple.
    if MAX_PITCH.type not in spoken_of and POWER_OF_TWO_PITCH.type not in spoken_of:
        return False
    return any(_no_pitch_for(demand, plane) for plane in range(WHOLE, MAX_PLANES))


def _no_pitch_for(demand: Demand, plane: int) -> bool:
    alignment = demand.uint(PITCH_ALIGNMENT, 1, plane)
    least = max(1, demand.uint(MIN_PITCH, 1, plane))
    greatest = demand.uint(MAX_PITCH, UINT_MAX, plane)
    if demand.flag(POWER_OF_TWO_PITCH, plane):
        # Powers of two are multiples of powers of two alone, and from the alignment on
        # each is; the least that will do is the greater of the two bounds.
        return alignment & (alignment - 1) != 0 or (
            max(alignment, 1 << (least - 1).bit_length()) > greatest
        )
    return -(-least // alignment) * alignment > greatest


def _no_extent(demand: Demand) -> bool:
    """The least, greatest and reused extents leave nothing."""
    for min_side, max_side, must_fit, must_fit_least in _SIDES:
        least = demand.uint(min_side, 0)
        if max(least, demand.uint(must_fit, 0)) > demand.uint(
            max_side, UINT_MAX
        ) or least > demand.uint(must_fit_least, UINT_MAX):
            return True
    least_area = max(1, demand.uint(MIN_WIDTH, 1)) * max(1, demand.uint(MIN_HEIGHT, 1))
    return demand.uint(MAX_AREA, UINT_MAX) < least_area


_SIDES: Final = (
    (MIN_WIDTH, MAX_WIDTH, MUST_FIT_WIDTH, MUST_FIT_LEAST_WIDTH),
    (MIN_HEIGHT, MAX_HEIGHT, MUST_FIT_HEIGHT, MUST_FIT_LEAST_HEIGHT),
)


def _no_size(demand: Demand) -> bool:
    alignment = demand.uint(SIZE_ALIGNMENT, 1)
    least = max(1, demand.uint(MIN_SIZE, 1))
    return -(-least // alignment) * alignment > demand.uint(MAX_SIZE, UINT_MAX)


def _no_address(demand: Demand) -> bool:
    """Every permitted address has more bits than the device drives."""
    for plane in range(WHOLE, MAX_PLANES):
        lowest, _ = demand.range(ADDRESS_RANGE, plane) or (0, 0)
        if lowest >> demand.uint(DMA_WIDTH, 64, plane):
            return True
    return False


def _no_coherency(demand: Demand) -> bool:
    """The CPU is to touch what is out of its reach."""
    if demand.mask(CPU_ACCESS) is None:
        return False
    domains = demand.mask(COHERENCY_DOMAINS)
    if domains is not None and not domains & ACCESSIBLE_DOMAINS:
        return True
    return demand.uint(PROTECTED, 0) == 1


def _no_segments(demand: Demand) -> bool:
    return demand.uint(MAX_SEGMENTS, 1) == 0


def _no_count(demand: Demand) -> bool:
    return max(1, demand.uint(MIN_BUFFERS, 1)) > demand.uint(MAX_BUFFERS, UINT_MAX)


def _no_placement(demand: Demand) -> bool:
    """Planes must, through whatever others, share a source, and must not."""
    together = connected(demand.related(SAME_BUFFER) | demand.related(SAME_SOURCE))
    apart = demand.related(DIFFERENT_SOURCE)
    return any(PAIRS_OF[planes] & apart for planes in together)


_TESTS: Final[Mapping[int, Callable[[Demand], bool]]] = {
    row.type: test
    for test, rows in (
        (_no_pitch, (PITCH_ALIGNMENT, MIN_PITCH, MAX_PITCH, POWER_OF_TWO_PITCH)),
        (_no_extent, (*_SIDES[0], *_SIDES[1], MAX_AREA)),
        (_no_size, (SIZE_ALIGNMENT, MIN_SIZE, MAX_SIZE)),
        (_no_address, (ADDRESS_RANGE, DMA_WIDTH)),
        (_no_coherency, (COHERENCY_DOMAINS, CPU_ACCESS, PROTECTED)),
        (_no_segments, (MAX_SEGMENTS,)),
        (_no_count, (MIN_BUFFERS, MAX_BUFFERS)),
        (_no_placement, (SAME_BUFFER, SAME_SOURCE, DIFFERENT_SOURCE)),
    )
    for row in rows
}
"""The test that a type takes part in: it is made when the type is in the demand."""
