"""What xx-dmabuf-sources-v1 says of sources and of batches, put together and checked."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from heapwire.client_lib.compliance.verdict import DeviationError
from heapwire.client_lib.compliance.wire_connection import WireEvent
from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.values import REGISTRY, SourceId, ValueKind

LAST, NEXT = 0, 1
_FLAGS = 3  # must_understand, presumed
_PROPERTIES = 0xF
_PLANES = 0xF
_VALUE_BYTES = 1024
_SIZES = {  # of values, in bytes; of a list, those of an entry
    ValueKind.UINT: 8,
    ValueKind.MASK: 8,
    ValueKind.FLAG: 0,
    ValueKind.RANGE: 16,
}
_ENTRIES = {ValueKind.SOURCES: 12, ValueKind.PAIRS: 16}


@dataclass(frozen=True, slots=True)
class ToldTranche:
    """What was told of one tranche: sources, and for each set its indices and constraints."""

    sources: tuple[tuple[int, int, int], ...]
    sets: tuple[tuple[tuple[int, ...], tuple[tuple[object, ...], ...]], ...]


@dataclass(slots=True)
class ToldBatch:
    """What was told up to a `done`: of the batch before it, or of the one that comes next."""

    batch: int
    tranches: list[ToldTranche]


@dataclass(slots=True)
class _Open:
    """A tranche of which not all is told."""

    sources: list[tuple[int, int, int]] = field(default_factory=list)
    sets: list[tuple[tuple[int, ...], list[tuple[object, ...]]]] = field(default_factory=list)

    @property
    def begun(self) -> bool:
        return bool(self.sources or self.sets)


Numbers = tuple[int, int, int]
"""A source: its kind, major and minor."""


def announced(events: Sequence[WireEvent]) -> dict[Numbers, str]:
    """The names of the sources that xx-dmabuf-sources-v1 has announced, and that are there."""
    found: dict[Numbers, str] = {}
    for source, event in _announced(events).items():
        properties, known = event.number(3), event.number(4)
        _expect(not known & ~_PROPERTIES, "known properties of the enum", f"{known:#x}")
        _expect(
            not properties & ~known,
            "true properties among those known",
            f"{properties:#x}/{known:#x}",
        )
        found[source] = event.text(7)
    return found


def announced_properties(events: Sequence[WireEvent]) -> dict[Numbers, int]:
    """The properties of the sources that xx-dmabuf-negotiation-v1 has announced."""
    found: dict[Numbers, int] = {}
    for source, event in _announced(events).items():
        properties = event.number(3)
        _expect(not properties & ~_PROPERTIES, "properties of the enum", f"{properties:#x}")
        found[source] = properties
    return found


def announced_numbers(events: Sequence[WireEvent]) -> set[Numbers]:
    """The sources that xx-dmabuf-allocation-v1 has announced."""
    return set(_announced(events))


def _announced(events: Sequence[WireEvent]) -> dict[Numbers, WireEvent]:
    """The sources that are there after all events of a global, each with what announced it."""
    found: dict[Numbers, WireEvent] = {}
    for event in events:
        if event.name not in ("source", "source_gone"):
            continue
        source = event.number(0), event.number(1), event.number(2)
        fault = SourceId.fault(*source)
        _expect(fault is None, "a source that can be", f"{fault}")
        if event.name == "source_gone":
            _expect(source in found, "source_gone of a source that is there", f"{source}")
            del found[source]
            continue
        _expect(source not in found, "each source once", f"{source} twice")
        found[source] = event
    return found


def told_batches(events: Sequence[WireEvent]) -> list[ToldBatch]:
    """The whole batches of one extension object; `DeviationError` for what may not be in one."""
    found: list[ToldBatch] = []
    tranches: list[ToldTranche] = []
    tranche = _Open()
    for event in events:
        match event.name:
            case "tranche_source":
                source = event.number(0), event.number(1), event.number(2)
                _expect(source not in tranche.sources, "each source once in a tranche", f"{source}")
                tranche.sources.append(source)
            case "tranche_set":
                raw = event.raw(1)
                _expect(len(raw) % 2 == 0, "whole 16-bit indices", f"{len(raw)} bytes")
                tranche.sets.append((tuple(one for (one,) in struct.iter_unpack("=H", raw)), []))
            case "tranche_constraint":
                _expect(bool(tranche.sets), "tranche_set before tranche_constraint", "none")
                tranche.sets[-1][1].append(_constraint(event))
            case "tranche_done":
                sets = tuple((indices, tuple(said)) for indices, said in tranche.sets)
                tranches.append(ToldTranche(tuple(tranche.sources), sets))
                tranche = _Open()
            case "done":
                _expect(not tranche.begun, "tranche_done before done", "done within a tranche")
                which = event.number(0)
                _expect(which in (LAST, NEXT), "a batch of the enum", f"{which}")
                found.append(ToldBatch(which, tranches))
                tranches = []
    return found


def _constraint(event: WireEvent) -> tuple[object, ...]:
    code, planes, flags, value = (*map(event.number, range(3)), event.raw(3))
    _expect(not flags & ~_FLAGS, "flags of the enum", f"{flags:#x}")
    _expect(not planes & ~_PLANES, "a mask of planes 0 to 3", f"{planes:#x}")
    _expect(len(value) <= _VALUE_BYTES, f"values of at most {_VALUE_BYTES} bytes", f"{len(value)}")
    row = REGISTRY.get(code)
    if row is not None:
        exact, entry = _SIZES.get(row.kind), _ENTRIES.get(row.kind)
        fits = len(value) == exact if exact is not None else not entry or len(value) % entry == 0
        _expect(fits, f"a value of {row.name} as the enum says", f"{len(value)} bytes")
    return code, planes, flags, value


def _expect(holds: bool, expected: str, seen: str) -> None:
    if not holds:
        raise DeviationError(expected=expected, seen=seen)
