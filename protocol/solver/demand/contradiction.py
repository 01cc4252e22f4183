"""What cannot be met together, before anything is placed or laid out.

A requirement on the pitch never contradicts one on fences. So types come in families: where
a merged demand leaves nothing, the types of one family do, and only what is said of these is
to blame (conflict/). Each test across types asks of one family whether the set of things that
meet the demand is empty (merge.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.solver.demand.demand import PAIRS_OF, Demand, connected, planes_together
from heapwire.protocol.solver.demand.merge_rule import UINT_MAX
from heapwire.protocol.solver.demand.source_check import RULES
from heapwire.protocol.values import (
    ADDRESS_RANGE,
    ADJACENT_PLANES,
    COHERENCY_DOMAINS,
    CPU_ACCESS,
    DIFFERENT_SOURCE,
    DIRTY_LINES,
    DMA_WIDTH,
    EXACT_PITCH,
    HEIGHT_ALIGNMENT,
    LEAST_HEIGHT,
    LEAST_WIDTH,
    MACROBLOCK_PADDING,
    MAX_AREA,
    MAX_BUFFERS,
    MAX_HEIGHT,
    MAX_PITCH,
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
    NO_SNOOP,
    NO_SYNC,
    OFFSET_ALIGNMENT,
    PADDING,
    PITCH_ALIGNMENT,
    PIXEL_BOUNDARY_PITCH,
    POWER_OF_TWO_PITCH,
    PROTECTED,
    SAME_BUFFER,
    SAME_SOURCE,
    SCALING,
    SCANLINE_ALIGNMENT,
    SHARED_BUFFERS,
    SIZE_ALIGNMENT,
    TIED_PITCH,
    VISIBLE_HEIGHT_ALIGNMENT,
    VISIBLE_WIDTH_ALIGNMENT,
    WIDTH_ALIGNMENT,
    ConstraintType,
)

ACCESSIBLE_DOMAINS: Final = 0b011
"""The coherency domains in which the CPU can touch the memory: cpu and ram."""


def contradicts(demand: Demand, registry: Mapping[int, ConstraintType]) -> bool:
    """Whether nothing at all can meet a demand, by the tests across its types."""
    tests = {_TESTS[type_] for type_ in demand.whole if type_ in _TESTS}
    if demand.own:
        tests.update(_TESTS[type_] for type_, _ in demand.own if type_ in _TESTS)
        if _no_value(demand, registry):
            return True
    return any(test(demand) for test in tests)


def _no_value(demand: Demand, registry: Mapping[int, ConstraintType]) -> bool:
    """What is said of each plane and what is said of one of them leave nothing."""
    return any(
        type_ in demand.whole and demand.value(registry[type_], plane) is None
        for type_, plane in demand.own
    )


def _no_pitch(demand: Demand) -> bool:
    """No multiple of the alignment lies between the least and the greatest pitch."""
    return any(_no_pitch_for(demand, plane) for plane in demand.spoken_planes)


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
    for min_side, least_side, max_side, must_fit, must_fit_least in _SIDES:
        # A buffer has room for the least that it must, and for the least picture that there is.
        least = max(demand.uint(min_side, 0), demand.uint(least_side, 0))
        if max(least, demand.uint(must_fit, 0)) > demand.uint(
            max_side, UINT_MAX
        ) or least > demand.uint(must_fit_least, UINT_MAX):
            return True
    least_area = 1
    for min_side, least_side, *_ in _SIDES:
        least_area *= max(1, demand.uint(min_side, 1), demand.uint(least_side, 1))
    return demand.uint(MAX_AREA, UINT_MAX) < least_area


_SIDES: Final = (
    (MIN_WIDTH, LEAST_WIDTH, MAX_WIDTH, MUST_FIT_WIDTH, MUST_FIT_LEAST_WIDTH),
    (MIN_HEIGHT, LEAST_HEIGHT, MAX_HEIGHT, MUST_FIT_HEIGHT, MUST_FIT_LEAST_HEIGHT),
)


def _no_size(demand: Demand) -> bool:
    alignment = demand.uint(SIZE_ALIGNMENT, 1)
    least = max(1, demand.uint(MIN_SIZE, 1))
    return -(-least // alignment) * alignment > demand.uint(MAX_SIZE, UINT_MAX)


def _no_address(demand: Demand) -> bool:
    """Every permitted address has more bits than the device drives."""
    for plane in demand.spoken_planes:
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
    together = connected(planes_together(demand) | demand.related(SAME_SOURCE))
    apart = demand.related(DIFFERENT_SOURCE)
    return any(PAIRS_OF[planes] & apart for planes in together)


class _Test(NamedTuple):
    """A test across types, and the types without any of which it never fails."""

    fails: Callable[[Demand], bool]
    decisive: tuple[ConstraintType, ...]


class Family(NamedTuple):
    """Types that can contradict each other, by number, and the tests across them."""

    types: frozenset[int]
    tests: tuple[_Test, ...] = ()


def _family(*rows: ConstraintType, tests: tuple[_Test, ...] = ()) -> Family:
    return Family(frozenset(row.type for row in rows), tests)


PICTURE: Final = _family(
    MIN_WIDTH, MAX_WIDTH, MIN_HEIGHT, MAX_HEIGHT, WIDTH_ALIGNMENT, HEIGHT_ALIGNMENT, MAX_AREA,
    MUST_FIT_WIDTH, MUST_FIT_HEIGHT, MUST_FIT_LEAST_WIDTH, MUST_FIT_LEAST_HEIGHT,
    LEAST_WIDTH, LEAST_HEIGHT, VISIBLE_WIDTH_ALIGNMENT, VISIBLE_HEIGHT_ALIGNMENT, SCALING,
    tests=(
        _Test(
            _no_extent,
            (
                MIN_WIDTH, MIN_HEIGHT, LEAST_WIDTH, LEAST_HEIGHT, MUST_FIT_WIDTH,
                MUST_FIT_HEIGHT, MAX_AREA,
            ),
        ),
    ),
)  # fmt: skip
"""What is said of the extent of pictures."""
PITCH: Final = _family(
    PITCH_ALIGNMENT, MIN_PITCH, MAX_PITCH, PIXEL_BOUNDARY_PITCH, POWER_OF_TWO_PITCH,
    TIED_PITCH, ADJACENT_PLANES, EXACT_PITCH,
    # Without either of these the pitch can always grow to the next multiple.
    tests=(_Test(_no_pitch, (MAX_PITCH, POWER_OF_TWO_PITCH)),),
)  # fmt: skip
"""What is said of the bytes from row to row."""
SIZE: Final = _family(
    SIZE_ALIGNMENT, MIN_SIZE, MAX_SIZE, tests=(_Test(_no_size, (MIN_SIZE, MAX_SIZE)),)
)
COUNT: Final = _family(
    MIN_BUFFERS, MAX_BUFFERS, SHARED_BUFFERS, tests=(_Test(_no_count, (MAX_BUFFERS,)),)
)
MEMORY: Final = Family(
    frozenset(RULES) | {NO_SNOOP.type, DIRTY_LINES.type, NO_SYNC.type},
    tests=(
        _Test(_no_address, (ADDRESS_RANGE,)),
        _Test(_no_coherency, (CPU_ACCESS,)),
    ),
)
RELATIONS: Final = _family(
    SAME_BUFFER,
    SAME_SOURCE,
    DIFFERENT_SOURCE,
    ADJACENT_PLANES,
    tests=(_Test(_no_placement, (DIFFERENT_SOURCE,)),),
)
LAYOUT: Final = _family(
    MAX_SEGMENTS, OFFSET_ALIGNMENT, SCANLINE_ALIGNMENT, PADDING, MACROBLOCK_PADDING,
    tests=(_Test(_no_segments, (MAX_SEGMENTS,)),),
)  # fmt: skip
"""What is told by a layout alone, but for its test."""

FAMILIES: Final = (PICTURE, PITCH, SIZE, COUNT, MEMORY, RELATIONS, LAYOUT)
"""All that bears on where planes are and how they are laid out; any other type is by itself."""

_TESTS: Final[Mapping[int, Callable[[Demand], bool]]] = {
    row.type: test.fails for family in FAMILIES for test in family.tests for row in test.decisive
}
"""The test that a type takes part in: it is made when the type is in the demand."""
