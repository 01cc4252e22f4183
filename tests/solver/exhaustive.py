"""A second solver that tries everything, written from the meanings of the types alone.

It shares nothing with the first but the data classes and the format table:
nothing is merged, every constraint is checked by itself against every way to
place and lay out a buffer. (Only to tell apart two buffers that their allocator
lays out does it look at what that allocator is told.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from heapwire.protocol.solver import BOTTOM, join, lift
from heapwire.protocol.solver.demand.merge import spell
from heapwire.protocol.values import (
    BY_NAME,
    FORMATS,
    LINEAR,
    REGISTRY,
    Constraint,
    ConstraintSet,
    DeviceId,
    FormatModifier,
    Goal,
    Participant,
    PlaneFormat,
    Problem,
    Provenance,
    Source,
    SourceKind,
)

PAGE = 4096
GREATEST_PITCH = 1 << 14  # far beyond what the random problems can ask for


@dataclass(frozen=True)
class Way:
    """One buffer: the pair, and for each plane its source, object, offset and pitch."""

    pair: FormatModifier
    sources: tuple[Source, ...]
    sizes: tuple[int, ...]
    planes: tuple[tuple[int, int, int], ...]
    extent: tuple[int, int]
    told: tuple[Constraint, ...] = ()


@dataclass(frozen=True)
class Heeded:
    """Whether what the content and the stream ask for counts."""

    content: bool = True
    stream: bool = True


def every_answer(problem: Problem, heeded: Heeded = Heeded()) -> dict[str, list[Way]]:
    """For each goal all ways that meet everything, best first."""
    return {goal.name: _ways(problem, goal, heeded) for goal in problem.goals}


def _ways(problem: Problem, goal: Goal, heeded: Heeded) -> list[Way]:
    ranked: dict[Way, Any] = {}
    participants = sorted([*problem.participants, *goal.participants], key=lambda p: p.name)
    pairs = {pair for one in participants for s in one.sets for pair in s.formats}
    sources = sorted(problem.sources, key=_scarcity)
    for pair in pairs:
        holding = [
            [(rank, s) for rank, s in enumerate(s for s in one.sets if _listed(s, pair))]
            for one in participants
        ]
        for choice in product(*holding):
            demands = [(one, c) for one, (_, s) in zip(participants, choice, strict=True)
                       for c in s.constraints]  # fmt: skip
            constraints = [c for _, c in demands]
            preference = (
                sum(rank for rank, _ in choice),
                sum(_cost(s, pair) for _, s in choice),
            )
            ranks = tuple(rank for rank, _ in choice)
            found = []
            possible = [
                [
                    place
                    for place, source in enumerate(sources)
                    if _lays_out(source, pair)
                    and all(
                        _memory_meets(REGISTRY[c.type].name, c, source, plane) for c in constraints
                    )
                ]
                for plane in range(_plane_count(pair, constraints))
            ]
            for places in product(*possible):
                chosen = tuple(sources[place] for place in places)
                way = _way(problem, pair, chosen, constraints, heeded)
                if way is not None:
                    order = sum(
                        _order(problem, c, plane, source)
                        for c in constraints
                        for plane, source in enumerate(chosen)
                    )
                    found.append((order, len(set(places)), places, way))
            for order, objects, places, way in found:
                if any(fewer < objects for _, fewer, _, _ in found):
                    continue
                scarcity = sum(places)
                if _stale(constraints):
                    cached = [place for place in places if sources[place].cached is not False]
                    scarcity += len(sources) * len(cached)
                key = (
                    *preference,
                    order,
                    problem.format_costs.get(pair, 0),
                    objects,
                    scarcity,
                    pair,
                    places,
                    ranks,
                )
                ranked[way] = min(key, ranked.get(way, key))
    return sorted(ranked, key=lambda way: ranked[way])


class _LaidOut:
    """The pairs with a layout that can be computed, as far as random problems go."""

    def __contains__(self, pair: object) -> bool:
        return isinstance(pair, FormatModifier) and pair.fourcc in FORMATS and (
            pair.modifier == LINEAR
        )  # fmt: skip


def _laid_out() -> _LaidOut:
    return _LaidOut()


def _lays_out(source: Source, pair: FormatModifier) -> bool:
    """Whether somebody knows where the pixels are: else only a driver, in its own memory."""
    is_drivers = source.id.kind is SourceKind.DEVICE and not source.rows_only
    return pair in _laid_out() or is_drivers


def _scarcity(source: Source) -> Any:
    ranks = [
        (1, source.id.kind is SourceKind.UDMABUF),
        (5, source.protected),
        (4, source.device_local is not None),
        (3, source.id.kind is SourceKind.DEVICE),
        (0, source.contiguous is False),
        (2, True),
    ]
    rank = next(rank for rank, holds in ranks if holds)
    return rank, -(source.capacity or (1 << 64) - 1), source.name, source.id


def _stale(constraints: list[Constraint]) -> bool:
    """Whether somebody would read RAM while the caches have something newer."""
    names = {REGISTRY[c.type].name for c in constraints}
    return "no-snoop" in names and bool(names & {"dirty-lines", "no-sync"})


def _cost(one: ConstraintSet, pair: FormatModifier) -> int:
    listed = _listed(one, pair)
    return one.costs[one.formats.index(listed)] if one.costs and listed else 0


def _listed(one: ConstraintSet, pair: FormatModifier) -> FormatModifier | None:
    """As what a set lists a pair: Broadcom's columns are also listed with a height of 0."""
    if pair in one.formats:
        return pair
    any_height = FormatModifier(pair.fourcc, pair.modifier & 0xFF00_0000_0000_00FF)
    is_column = pair.modifier >> 56 == 7 and pair.modifier & 0xFF in (2, 3, 4, 5)
    return any_height if is_column and any_height in one.formats else None


def _order(problem: Problem, constraint: Constraint, plane: int, source: Source) -> int:
    if REGISTRY[constraint.type].name == "near" and _speaks_of(constraint, plane):
        # As many places as there are that are nearer.
        return sum(
            len({_far(problem, other, device) for other in problem.sources
                 if _far(problem, other, device) < _far(problem, source, device)})
            for device, _ in constraint.value
        )  # fmt: skip
    if REGISTRY[constraint.type].name != "permitted-sources" or not _speaks_of(constraint, plane):
        return 0
    return list(constraint.value).index(source.id)


def _far(problem: Problem, source: Source, device: DeviceId) -> tuple[int, ...]:
    """Unlinked, the hops of which none may be known, on another node."""
    places = problem.topology.places
    is_device = source.id.kind is SourceKind.DEVICE
    home = DeviceId(source.id.major, source.id.minor) if is_device else source.device_local
    here, there = places.get(home) if home else None, places.get(device)
    linked = home == device or {home, device} in problem.topology.peer_links
    hops = 10_000
    if home == device:
        hops = 0
    elif there is not None and there.path and (home is None or (here and here.path)):
        mine = here.path if home is not None and here is not None else ()
        while mine and there.path[: len(mine)] != mine:
            mine, hops = mine[:-1], hops
        up = (len(here.path) if home is not None and here is not None else 0) - len(mine)
        hops = up + len(there.path) - len(mine)
    node = source.numa_node if source.numa_node is not None else here.numa_node if here else None
    same = node is not None and there is not None and node == there.numa_node
    return int(not linked), hops, int(not same)


def _speaks_of(constraint: Constraint, plane: int) -> bool:
    return not constraint.planes or bool(constraint.planes >> plane & 1)


def _plane_count(pair: FormatModifier, constraints: list[Constraint]) -> int:
    format_ = FORMATS.get(pair.fourcc)
    if format_ is not None:
        # Tiger Lake's tiles with CCS: a plane for each of the format.
        return len(format_.planes) * (2 if pair.modifier in (1 << 56 | 6, 1 << 56 | 7) else 1)
    return max([1, *(c.planes.bit_length() for c in constraints)])


def _way(
    problem: Problem,
    pair: FormatModifier,
    sources: tuple[Source, ...],
    constraints: list[Constraint],
    heeded: Heeded,
) -> Way | None:
    named = [(REGISTRY[c.type].name, c) for c in constraints]
    content = problem.content
    if heeded.content and any(source.protected != content.protected for source in sources):
        return None
    if not all(_placed(name, c, sources) for name, c in named):
        return None
    if _stale(constraints) and any(
        source.cached is not False
        and (
            not (source.cached and source.id.kind is SourceKind.HEAP and source.protected is False)
            or any(name == "no-sync" for name, _ in named)
        )
        for source in sources
    ):
        return None
    picture = problem.extents.allocated
    coded = problem.extents.coded
    for name, c in named:
        if (name == "least-width" and coded.width < c.value) or (
            name == "least-height" and coded.height < c.value
        ):
            return None
        if name == "scaling" and problem.extents.shown is not None:
            shown, least, most = problem.extents.shown, *c.value
            across = (coded.width * 65536, shown.width), (coded.height * 65536, shown.height)
            if any(not least <= size / pixels <= most for size, pixels in across):
                return None
        if (name == "max-width" and picture.width > c.value) or (
            name == "max-height" and picture.height > c.value
        ):
            return None
        if heeded.content and name == "protected" and c.value != content.protected:
            return None
    width = _grown(picture.width, named, "width")
    height = _grown(picture.height, named, "height")
    # A contradiction is one even where the picture does not touch it.
    if any(n == "max-width" and m in ("min-width", "least-width") and c.value < d.value
           for n, c in named for m, d in named):  # fmt: skip
        return None
    order = list(dict.fromkeys(sources))
    if pair not in _laid_out():
        # Of a size that nobody knows yet only one run of addresses can be promised.
        if any(name == "max-segments" for name, _ in named) and any(
            source.contiguous is not True for source in order
        ):
            return None
        content_says = Constraint(
            type=BY_NAME["protected"].type, value=int(content.protected), provenance=Provenance.USER
        )
        told = [*constraints, content_says] if heeded.content else constraints
        merged = join([lift((c,), planes=len(sources)) for c in told])
        if merged is BOTTOM:  # no size and no pitch whatever would do
            return None
        return Way(
            pair,
            tuple(order),
            tuple(0 for _ in order),
            (),
            (width, height),
            spell(merged, told),
        )
    way = _laid(problem, pair, sources, named, (width, height), heeded)
    flags = [c for name, c in named if name == "allocation-flags"]
    if way is None or not any(one.id.kind is SourceKind.DEVICE for one in way.sources):
        return way
    merged = join([lift((c,), planes=len(sources)) for c in flags])
    assert merged is not BOTTOM
    return replace(way, told=spell(merged, flags))


def _grown(length: int, named: list[tuple[str, Constraint]], side: str) -> int:
    length = max([length, *(c.value for n, c in named if n == f"min-{side}")])
    while any(n == f"{side}-alignment" and length % c.value for n, c in named):
        length += 1
    return length


def _memory_meets(name: str, c: Constraint, source: Source, plane: int) -> bool:
    value: Any = c.value
    per_plane = REGISTRY[c.type].per_plane
    if per_plane and not _speaks_of(c, plane):
        return True
    here = source.address_range
    if name == "contiguous":
        return source.contiguous is True
    if name == "address-range":
        return here is not None and value[0] <= here[0] <= here[1] <= value[1]
    if name == "dma-width":
        return here is not None and here[1] < 1 << value
    if name == "permitted-sources":
        return source.id in value
    if name == "protected":
        return source.protected == bool(value)
    if name == "allocation-flags":
        return value == 1 or not source.rows_only
    if name == "address-alignment":
        return source.alignment % value == 0
    return True


def _placed(name: str, c: Constraint, sources: tuple[Source, ...]) -> bool:
    spoken = [source for plane, source in enumerate(sources) if _speaks_of(c, plane)]
    if name == "adjacent-planes":
        return len(set(sources)) <= 1
    if name in ("same-buffer", "same-source"):
        return len(set(spoken)) <= 1
    if name == "different-source":
        return not any(
            _part_of(one, other) or _part_of(other, one) or _touch(one, other)
            for index, one in enumerate(spoken)
            for other in spoken[:index]
        )
    return True


def _all_of(source: Source) -> tuple[int, int] | None:
    """The addresses that a source fills: it has as many bytes as there are."""
    here = source.address_range
    return here if here is not None and source.capacity == here[1] - here[0] + 1 else None


def _touch(one: Source, other: Source) -> bool:
    mine, its = _all_of(one), _all_of(other)
    return mine is not None and its is not None and max(mine[0], its[0]) <= min(mine[1], its[1])


def _part_of(one: Source, other: Source) -> bool:
    if one == other or (one.area and one.area == other.area):
        return True
    mine, its = _all_of(one), _all_of(other)
    return mine is not None and its is not None and its[0] <= mine[0] and mine[1] <= its[1]


def _laid(
    problem: Problem,
    pair: FormatModifier,
    sources: tuple[Source, ...],
    named: list[tuple[str, Constraint]],
    size: tuple[int, int],
    heeded: Heeded,
) -> Way | None:
    width, height = size
    order = list(dict.fromkeys(sources))
    said_of: list[list[tuple[str, Any]]] = [
        [(n, c.value) for n, c in named if _speaks_of(c, index)] for index in range(len(sources))
    ]
    # Whichever planes they are said of, these two are about the buffer.
    adjacent = any(name == "adjacent-planes" for name, _ in named)
    tied = adjacent or any(name == "tied-pitch" for name, _ in named)
    for pitches in _every_pitches(
        FORMATS[pair.fourcc].planes, width, problem.extents.coded.width, said_of, tied=tied
    ):
        ends = [0] * len(order)
        planes = []
        begins_rightly = True
        for index, plane in enumerate(FORMATS[pair.fourcc].planes):
            said = said_of[index]
            rows = plane.rows(height)
            while any(n == "scanline-alignment" and rows % v for n, v in said):
                rows += 1
            padding = max([0, *(v for n, v in said if n == "padding")])
            place = order.index(sources[index])
            offset = end = ends[place]
            while any(
                n in ("offset-alignment", "address-alignment") and offset % v for n, v in said
            ):
                offset += 1
            if offset != end and adjacent:
                begins_rightly = False
            ends[place] = offset + pitches[index] * rows + padding
            planes.append((place, offset, pitches[index]))
        if begins_rightly:
            break
    else:
        return None
    sizes = []
    values: list[tuple[str, Any]] = [(n, c.value) for n, c in named]
    for place, source in enumerate(order):
        bytes_ = max([ends[place], *(v for n, v in values if n == "min-size")])
        while any(n == "size-alignment" and bytes_ % v for n, v in values):
            bytes_ += 1
        if any(n == "max-size" and bytes_ > v for n, v in values):
            return None
        pages = -(-bytes_ // PAGE)
        if source.contiguous is not True and any(
            n == "max-segments" and pages > v for n, v in values
        ):
            return None
        sizes.append(bytes_)
    taken = [problem.counts.total * -(-bytes_ // PAGE) * PAGE for bytes_ in sizes]
    for source in order:
        parts = [size for other, size in zip(order, taken, strict=True) if _part_of(other, source)]
        if heeded.stream and source.capacity is not None and sum(parts) > source.capacity:
            return None
    return Way(pair, tuple(order), tuple(sizes), tuple(planes), size)


def _every_pitches(
    planes: tuple[PlaneFormat, ...],
    width: int,
    shown: int,
    said: list[list[tuple[str, Any]]],
    *,
    tied: bool,
) -> Iterator[tuple[int, ...]]:
    """The pitches of all planes: of each the least alone, or those that are tied, in order."""
    each = [
        _pitches(plane.row_bytes(width), plane.row_bytes(shown), plane.bytes_per_block, own)
        for plane, own in zip(planes, said, strict=True)
    ]
    if not tied:
        firsts = [next(pitches, None) for pitches in each]
        if None not in firsts:
            yield tuple(pitch for pitch in firsts if pitch is not None)
        return
    whole = 5760  # pixels, a multiple of every block
    rows = [plane.row_bytes(whole) for plane in planes]
    permitted = [set(pitches) for pitches in each]
    for first in sorted(permitted[0]):
        pitches = [first * row / rows[0] for row in rows]
        if all(pitch in own for pitch, own in zip(pitches, permitted, strict=True)):
            yield tuple(int(pitch) for pitch in pitches)


def _pitches(least: int, row: int, block: int, said: list[tuple[str, Any]]) -> Iterator[int]:
    for pitch in range(least, GREATEST_PITCH):
        if all(
            (n != "pitch-alignment" or pitch % v == 0)
            and (n != "min-pitch" or pitch >= v)
            and (n != "max-pitch" or pitch <= v)
            and (n != "pixel-boundary-pitch" or pitch % block == 0)
            and (n != "power-of-two-pitch" or pitch & (pitch - 1) == 0)
            and (n != "exact-pitch" or pitch == row)
            for n, v in said
        ):
            yield pitch


def participants_of(problem: Problem, goal: Goal) -> list[Participant]:
    """Everyone who takes part in a goal."""
    return [*problem.participants, *goal.participants]
