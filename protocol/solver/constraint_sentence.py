"""Constraints as sentences, from the words in their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from heapwire.protocol.solver.demand import fault
from heapwire.protocol.values import (
    MAX_PLANES,
    REGISTRY,
    Constraint,
    ConstraintType,
    Problem,
    Source,
    SourceId,
    ValueKind,
)

Names = Mapping[SourceId, str]
"""What each source is called."""


def source_names(problem: Problem) -> dict[SourceId, str]:
    """What sentences call each source: `heap system`, `device v3d`, `udmabuf`."""
    named = {**problem.absent, **{source.id: source.name for source in problem.sources}}
    return {source: _source_name(source, name) for source, name in named.items()}


def source_name(source: Source) -> str:
    """What sentences call a source."""
    return _source_name(source.id, source.name)


def _source_name(source: SourceId, name: str) -> str:
    kind = source.kind.name.lower()
    return name if name == kind else f"{kind} {name}"


def listed(words: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    entries = list(words)
    if len(entries) < 2:
        return "".join(entries)
    return f"{', '.join(entries[:-1])} {last} {entries[-1]}"


def planes_text(planes: int) -> str:
    """`plane 1`, `planes 0 and 2`; empty for the buffer as a whole."""
    numbers = [str(plane) for plane in range(MAX_PLANES) if planes >> plane & 1]
    if not numbers:
        return ""
    return f"plane{'s' if len(numbers) > 1 else ''} {listed(numbers)}"


def value_text(row: ConstraintType, constraint: Constraint, names: Names) -> str:
    """A value for people, with its unit."""
    match row.kind, constraint.value:
        case ValueKind.UINT, int(number):
            return str(number) if row.unit is None else row.unit.counted(number)
        case ValueKind.RANGE, (int(lowest), int(highest)):
            return (
                f"{lowest} to {highest}" if row.unit is None else row.unit.between(lowest, highest)
            )
        case ValueKind.MASK, int(mask):
            bits = [bit for bit in range(64) if mask >> bit & 1]
            return listed((row.bits.get(bit, f"bit {bit}") for bit in bits), "or")
        case ValueKind.SOURCES, tuple(entries):
            sources = [entry for entry in entries if isinstance(entry, SourceId)]
            return listed((names.get(source, str(source)) for source in sources), "or")
        case ValueKind.BYTES, bytes(raw):
            return raw.hex()
    return ""


def says(constraint: Constraint, names: Names) -> str:
    """What a constraint demands of its subject: `a multiple of 64 bytes`."""
    row = REGISTRY.get(constraint.type)
    if row is None:
        return f"as type {constraint.type:#010x} says"
    if row.kind is ValueKind.PAIRS and isinstance(constraint.value, tuple):
        return listed(
            row.says.format(
                value=str(number) if row.unit is None else row.unit.counted(number),
                device=f"device {device}",
            )
            for device, number in (entry for entry in constraint.value if isinstance(entry, tuple))
        )
    return row.says.format_map(
        {
            "value": value_text(row, constraint, names),
            "not": "" if constraint.value else "not ",
        }
    )


def requirement(participant: str, constraint: Constraint, names: Names) -> str:
    """`display needs memory that is contiguous`; for planes, which ones."""
    row = REGISTRY.get(constraint.type)
    if row is None:
        return (
            f"{participant} requires the constraint type {constraint.type:#010x},"
            " which is not known here and must be understood"
        )
    wrong = fault(constraint)
    if wrong is not None:
        return f"{participant} requires what means nothing: {wrong}"
    where = planes_text(constraint.planes)
    if row.is_relation:
        return f"{participant} needs {where or 'all planes'} {says(constraint, names)}"
    text = f"{participant} needs {row.subject.needs} {says(constraint, names)}"
    return f"{text} for {where}" if where else text
