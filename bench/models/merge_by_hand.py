"""A merge as one would write it for one question alone: what being general costs, beside it.

It knows two participants with a set each, four types of constraints, rows of pixels and whether
memory is contiguous, and nothing else: no reasons, no conflicts, no bounds, no alternatives.
"""

from __future__ import annotations

from math import lcm

from heapwire.protocol.values import BY_NAME, FORMATS, FormatModifier, Plan, Problem, SourceId

_PITCH, _ROWS, _WIDTH, _CONTIGUOUS = (
    BY_NAME[name].type
    for name in ("pitch-alignment", "scanline-alignment", "max-width", "contiguous")
)

Merged = tuple[FormatModifier, SourceId, int, tuple[tuple[int, int], ...]]
"""A pair, its source, the bytes of a buffer, and the offset and pitch of each plane."""


def merged_by_hand(problem: Problem, limit: int = 8) -> list[Merged]:
    """The best plans, best first."""
    [[one], [other]] = problem.participants[0].sets, problem.goals[0].participants[0].sets
    pitch = rows = 1
    width, contiguous = 1 << 16, False
    for constraint in (*one.constraints, *other.constraints):
        type_, value = constraint.type, constraint.value
        assert isinstance(value, int)
        if type_ == _PITCH:
            pitch = lcm(pitch, value)
        elif type_ == _ROWS:
            rows = lcm(rows, value)
        elif type_ == _WIDTH:
            width = min(width, value)
        elif type_ == _CONTIGUOUS:
            contiguous = True
    picture = problem.extents.coded
    if picture.width > width:
        return []
    heaps = sorted(
        (-(heap.capacity or 0), heap.name, heap.id)
        for heap in problem.sources
        if heap.contiguous or not contiguous
    )
    pairs = sorted(set(one.formats) & set(other.formats))
    plans = []
    for place, (least, _, source) in enumerate(heaps):
        for pair in pairs:
            planes: list[tuple[int, int]] = []
            size = 0
            for plane in FORMATS[pair.fourcc].planes:
                row = -(-plane.row_bytes(picture.width) // pitch) * pitch
                planes.append((size, row))
                size += row * -(-plane.rows(picture.height) // rows) * rows
            if size * problem.counts.total <= -least:
                plans.append((place * len(planes), (pair, source, size, tuple(planes))))
    plans.sort()
    return [plan for _, plan in plans[:limit]]


def as_by_hand(plan: Plan) -> Merged:
    """The same of a plan."""
    [alone] = plan.layout.objects
    planes = tuple((plane.offset, plane.pitch) for plane in plan.layout.planes)
    return FormatModifier(plan.fourcc, plan.modifier), alone.source, alone.size, planes
