"""What a problem from a file cannot be, though each of its entries has its type.

What reaches the solver through the wire, or is built by a program, holds to this already
(wire/constraint_set_builder.py, wire/negotiation_state.py, the constructors of values).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from heapwire.protocol.values import (
    ALL_PLANES,
    MAX_PLANES,
    REGISTRY,
    Constraint,
    ConstraintSet,
    DeviceId,
    FixedBuffer,
    Participant,
    Problem,
    Source,
    SourceId,
    Value,
    ValueKind,
)

_TYPE_MAX = (1 << 32) - 1
_UINT_MAX = (1 << 64) - 1
_ROTATIONS = (0, 90, 180, 270)


def problem_faults(problem: Problem) -> Iterator[str]:
    """What is wrong with a problem, each with the entry that it is about."""
    for entry, participants in (
        ("participants", problem.participants),
        *((f"goals[{n}].participants", goal.participants) for n, goal in enumerate(problem.goals)),
    ):
        for number, participant in enumerate(participants):
            yield from _of_participant(participant, f"{entry}[{number}]")
    for number, source in enumerate(problem.sources):
        yield from _of_source(source, f"sources[{number}]")
    if len({source.id for source in problem.sources}) < len(problem.sources):
        yield "sources: two of them are the same"
    for number, goal in enumerate(problem.goals):
        names = [one.name for one in (*problem.participants, *goal.participants)]
        if len(set(names)) < len(names):
            yield f"goals[{number}]: two participants have one name"
    if problem.content.rotation not in _ROTATIONS:
        yield "content.rotation: a picture is turned by 0, 90, 180 or 270 degrees"
    counts = problem.counts
    if not all(0 <= n <= _TYPE_MAX for n in (counts.minimum, counts.queue, counts.hold)):
        yield "counts: a count is from 0 to 4294967295"
    if problem.fixed is not None:
        yield from _of_buffer(problem.fixed, "fixed.layout")


def _of_participant(participant: Participant, entry: str) -> Iterator[str]:
    for number, constraint_set in enumerate(participant.sets):
        yield from _of_set(constraint_set, f"{entry}.sets[{number}]")


def _of_set(constraint_set: ConstraintSet, entry: str) -> Iterator[str]:
    if len(constraint_set.costs) not in (0, len(constraint_set.formats)):
        yield f"{entry}.costs: one for each of formats, or none"
    if not all(0 <= cost <= _TYPE_MAX for cost in constraint_set.costs):
        yield f"{entry}.costs: a cost is from 0 to 4294967295"
    if len(set(constraint_set.formats)) < len(constraint_set.formats):
        yield f"{entry}.formats: a pair stands here twice"
    for number, constraint in enumerate(constraint_set.constraints):
        wrong = _constraint_fault(constraint)
        if wrong is not None:
            yield f"{entry}.constraints[{number}].{wrong}"


def _constraint_fault(constraint: Constraint) -> str | None:
    if not 0 <= constraint.type <= _TYPE_MAX:
        return "type: a type is a number of 32 bits"
    if not 0 <= constraint.planes <= ALL_PLANES:
        return f"planes: {constraint.planes:#x} is no mask of four planes"
    row = REGISTRY.get(constraint.type)
    if row is not None and not has_kind(constraint.value, row.kind):
        return f"value: this is no {row.kind.value}, which {row.name} has"
    return None


def has_kind(value: Value, kind: ValueKind) -> bool:
    """Whether a value is what one of this kind is in Python; it may still mean nothing."""
    match kind, value:
        case ((ValueKind.UINT | ValueKind.MASK), int(number)):
            return 0 <= number <= _UINT_MAX
        case ValueKind.FLAG, 1:
            return True
        case ValueKind.RANGE, (int(lowest), int(highest)):
            return 0 <= lowest <= _UINT_MAX and 0 <= highest <= _UINT_MAX
        case ValueKind.SOURCES, tuple(entries):
            return bool(entries) and all(isinstance(entry, SourceId) for entry in entries)
        case ValueKind.PAIRS, tuple(entries):
            return _are_pairs(entries)
        case ValueKind.BYTES, bytes():
            return True
    return False


def _are_pairs(entries: tuple[object, ...]) -> bool:
    devices: list[DeviceId] = []
    for entry in entries:
        match entry:
            case (DeviceId() as device, int(number)) if 0 <= number <= _UINT_MAX:
                devices.append(device)
            case _:
                return False
    ascending = all(device < following for device, following in pairwise(devices))
    return bool(devices) and ascending


def _of_source(source: Source, entry: str) -> Iterator[str]:
    if not 1 <= source.alignment <= _UINT_MAX:
        yield f"{entry}.alignment: a number of bytes from 1 on"
    if source.capacity is not None and not 0 <= source.capacity <= _UINT_MAX:
        yield f"{entry}.capacity: a number of bytes from 0 on"
    if source.address_range is not None:
        lowest, highest = source.address_range
        if not 0 <= lowest <= highest <= _UINT_MAX:
            yield f"{entry}.address_range: the lowest address and the highest"


def _of_buffer(fixed: FixedBuffer, entry: str) -> Iterator[str]:
    layout = fixed.layout
    if not 1 <= len(layout.planes) <= MAX_PLANES:
        yield f"{entry}.planes: a buffer has from 1 to {MAX_PLANES}"
    for number, object_ in enumerate(layout.objects):
        if not 0 <= object_.size <= _UINT_MAX:
            yield f"{entry}.objects[{number}].size: a number of bytes from 0 on"
    for number, plane in enumerate(layout.planes):
        if not 0 <= plane.object < len(layout.objects):
            yield f"{entry}.planes[{number}].object: there is no such object"
        if not 0 <= plane.offset <= _TYPE_MAX or not 0 <= plane.pitch <= _TYPE_MAX:
            yield f"{entry}.planes[{number}]: an offset and a pitch are of 32 bits"
    for number, constraint in enumerate(layout.constraints):
        wrong = _constraint_fault(constraint)
        if wrong is not None:
            yield f"{entry}.constraints[{number}].{wrong}"
