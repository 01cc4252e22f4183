"""Constraints in a file: how each kind of value is written.

The kinds come from the registry, so that a new type of constraint can be
written in a file as soon as it has its row there. A file names memory and
devices; only on a machine do the names stand for something. So a row is read
first, and bound to a machine's names afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from heapwire.kernel.description.quantity import parse_quantity
from heapwire.kernel.description.toml import (
    TomlPath,
    TomlTable,
    did_you_mean,
)
from heapwire.protocol import InputError, shown
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.solver import fault
from heapwire.protocol.values import (
    BY_NAME,
    MAX_PLANES,
    Constraint,
    ConstraintType,
    DeviceId,
    Provenance,
    SourceId,
    Value,
    ValueKind,
)

_UINT_MAX = (1 << 64) - 1  # what travels

ITSELF = "itself"
"""In a list of memory, in a profile: what the device allocates itself."""


@dataclass(frozen=True, slots=True)
class NamedSources:
    """Some memory by its names, the best first; never none."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NamedPairs:
    """Some devices by their names, each with a number; never none."""

    pairs: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class MachineNames:
    """What names in a value stand for.

    `source` gives any name a number, that of a memory which is not there
    included; it is told where the name stands. `devices` has every device that
    has a node. `itself` is what the device at hand allocates, which a profile speaks of.
    """

    source: Callable[[str, TomlPath], SourceId]
    devices: Mapping[str, DeviceId]
    itself: tuple[SourceId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileConstraint:
    """A constraint as a file has it, at a `path` of it.

    Memory and devices in its `value` are still names. `without_iommu`: it holds
    only where the device has no IOMMU. `source` is where it was read, `rung` where
    it comes from if the file says.
    """

    type: ConstraintType
    value: Value | NamedSources | NamedPairs
    planes: int = 0
    must_understand: bool = True
    without_iommu: bool = False
    source: str = ""
    rung: Provenance | None = None
    path: TomlPath = ()

    def bound(self, names: MachineNames, provenance: Provenance) -> Constraint:
        """The constraint on the machine whose names these are.

        A source that calls itself unchecked lowers PROFILE to UNCHECKED. Raises
        `InputError` if it speaks of a device that is not there.
        """
        if provenance is Provenance.PROFILE:
            provenance = written_rung(self.source, self.rung)
        return Constraint(
            type=self.type.type,
            value=self._value(names),
            planes=self.planes,
            must_understand=self.must_understand,
            provenance=provenance,
            source=self.source,
        )

    def _value(self, names: MachineNames) -> Value:
        match self.value:
            case NamedSources((name,)) if name == ITSELF and names.itself:
                return names.itself
            case NamedSources(sources):
                where = (*self.path, "value")
                return tuple(names.source(name, where) for name in sources)
            case NamedPairs(pairs):
                return tuple(sorted((_device(name, names), number) for name, number in pairs))
            case value:
                return value


def read_constraints(
    table: TomlTable, key: str, names: MachineNames, *, iommu: bool | None
) -> tuple[Constraint, ...]:
    """The list of constraints under a key, on the machine that the file describes.

    A constraint marked `without-iommu` is left out for a device that has one.
    """
    constraints: list[Constraint] = []
    for written in read_file_constraints(table, key):
        try:
            constraint = written.bound(names, Provenance.PROFILE)
        except InputError as error:
            what = f"{written.type.name}: {error}"
            table.fault_at((*written.path, "value"), what)
            continue
        if not (written.without_iommu and iommu is True):
            constraints.append(constraint)
    return tuple(constraints)


def read_file_constraints(table: TomlTable, key: str) -> tuple[FileConstraint, ...]:
    """The list of constraints under a key, for any machine."""
    rows: list[FileConstraint] = []
    for row in table.tables(key):
        written = _read(row)
        row.close()
        if written is not None:
            rows.append(written)
    return tuple(rows)


def _read(row: TomlTable) -> FileConstraint | None:
    word = row.required("type", "the name of a constraint type, such as pitch-alignment")
    constraint_type = BY_NAME.get(word)
    planes = _planes(row, constraint_type)
    understood = row.flag("must-understand")
    without_iommu = row.flag("without-iommu") is True
    raw = row.raw("value")
    source, rung = row.text("source"), read_rung(row, "rung")
    if constraint_type is None:
        if word:
            hint = did_you_mean(word, BY_NAME)
            row.fault("type", f"{shown(word)} is not a constraint type: {hint}")
        return None
    try:
        value = _value(constraint_type, raw)
    except InputError as error:
        row.fault("value", f"{constraint_type.name}: {error}")
        return None
    if not isinstance(value, NamedSources | NamedPairs):  # those are judged once they are bound
        wrong = fault(Constraint(type=constraint_type.type, value=value, planes=planes))
        if wrong is not None:
            row.fault("value", wrong)
            return None
    return FileConstraint(
        type=constraint_type,
        value=value,
        planes=planes,
        must_understand=understood is not False,
        without_iommu=without_iommu,
        source=source,
        rung=rung,
        path=row.path,
    )


def written_rung(source: str, rung: Provenance | None = None) -> Provenance:
    """The rung of a fact of a file: what the file says, else by what its source calls itself."""
    said = Provenance.PROFILE if rung is None else rung
    unchecked = said is Provenance.PROFILE and "unchecked" in source
    return Provenance.UNCHECKED if unchecked else said


def read_rung(table: TomlTable, key: str) -> Provenance | None:
    """Where a fact comes from, by the name of its rung; None where the file does not say."""
    word = table.text(key)
    if not word:
        return None
    rungs = {rung.name.lower(): rung for rung in Provenance}
    if word not in rungs:
        table.fault(key, f"{shown(word)} is no rung: {did_you_mean(word, rungs)}")
    return rungs.get(word)


def _device(name: str, names: MachineNames) -> DeviceId:
    device = names.devices.get(name)
    if device is None:
        raise InputError(f"there is no device {shown(name)}: {did_you_mean(name, names.devices)}")
    return device


def _planes(row: TomlTable, constraint_type: ConstraintType | None) -> int:
    raw = row.raw("planes")
    if raw is None:
        if constraint_type is not None and constraint_type.is_relation:
            row.fault(
                None, f"'planes' is missing: {constraint_type.name} ties planes, such as [0, 1]"
            )
        return 0
    if raw == []:
        row.fault("planes", "the list is empty: it stands for nothing")
        return 0
    if not isinstance(raw, list) or not all(
        type(plane) is int and 0 <= plane < MAX_PLANES for plane in raw
    ):
        row.fault("planes", f"{shown(raw)} is not a list of planes, from 0 to {MAX_PLANES - 1}")
        return 0
    if constraint_type is not None and not (
        constraint_type.per_plane or constraint_type.is_relation
    ):
        row.fault(
            "planes", f"{constraint_type.name} is about the buffer as a whole: leave 'planes' out"
        )
        return 0
    mask = 0
    for plane in raw:
        mask |= 1 << plane
    return mask


def _value(constraint_type: ConstraintType, raw: object) -> Value | NamedSources | NamedPairs:
    if raw is None and constraint_type.kind is not ValueKind.FLAG:
        raise InputError(f"'value' is missing: {_WANTED[constraint_type.kind]}")
    match constraint_type.kind:
        case ValueKind.SOURCES:
            return _sources(raw)
        case ValueKind.PAIRS:
            return _pairs(constraint_type, raw)
        case kind:
            return _PLAIN[kind](constraint_type, raw)


def _uint(constraint_type: ConstraintType, raw: object) -> Value:
    if isinstance(raw, bool) and constraint_type.is_yes_or_no:
        return int(raw)
    if isinstance(raw, str | int) and not isinstance(raw, bool):
        return parse_quantity(raw)
    raise InputError(f"{shown(raw)} is not {_number_of(constraint_type)}")


def _flag(constraint_type: ConstraintType, raw: object) -> Value:
    if raw is None or raw is True:
        return 1
    raise InputError(
        f"its presence says it all: leave 'value' out, or the whole row, not {shown(raw)}"
    )


def _range(constraint_type: ConstraintType, raw: object) -> Value:
    match raw:
        case [str() | int() as first, str() | int() as last]:
            return parse_quantity(first), parse_quantity(last)
        case {"base": str() | int() as base, "size": str() | int() as size}:
            first_byte = parse_quantity(base)
            return first_byte, first_byte + parse_quantity(size) - 1
    raise InputError('a range is ["first", "last"], both included, or { base, size }')


def _mask(constraint_type: ConstraintType, raw: object) -> Value:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if not isinstance(raw, list):
        names = ", ".join(constraint_type.bits.values())
        raise InputError(f"{shown(raw)} is not a list of {names}")
    bits = {name.casefold(): bit for bit, name in constraint_type.bits.items()}
    mask = 0
    for word in raw:
        bit = bits.get(word.casefold()) if isinstance(word, str) else None
        if bit is None:
            hint = did_you_mean(word if isinstance(word, str) else "", bits)
            raise InputError(f"{shown(word)} is unknown: {hint}")
        mask |= 1 << bit
    return mask


def _sources(raw: object) -> NamedSources | tuple[()]:
    if not isinstance(raw, list) or not all(isinstance(name, str) for name in raw):
        raise InputError(f"{shown(raw)} is not a list of names of memory")
    return NamedSources(tuple(raw)) if raw else ()


def _pairs(constraint_type: ConstraintType, raw: object) -> NamedPairs | tuple[()]:
    if isinstance(raw, list):
        if constraint_type.unit:
            raise InputError(
                f"each device comes with its {constraint_type.unit.plural}: write {{ gpu = 2 }}"
            )
        if not all(isinstance(name, str) for name in raw):
            raise InputError(f"{shown(raw)} is not a list of names of devices")
        raw = dict.fromkeys(raw, 0)
    if not isinstance(raw, dict):
        raise InputError(f"{shown(raw)} does not name devices")
    for number in raw.values():
        if type(number) is not int or not 0 <= number <= _UINT_MAX:
            raise InputError(f"{shown(number)} is not {_number_of(constraint_type)}")
    if constraint_type.unit is None and any(raw.values()):
        device, number = next(entry for entry in raw.items() if entry[1])
        raise InputError(f"{number} says nothing of {device}: write a list of devices")
    return NamedPairs(tuple(raw.items())) if raw else ()


def _number_of(constraint_type: ConstraintType) -> str:
    if constraint_type.is_yes_or_no:
        return "true, false, 0 or 1"
    return (
        "a number" if constraint_type.unit is None else f"a number of {constraint_type.unit.plural}"
    )


def _bytes(constraint_type: ConstraintType, raw: object) -> Value:
    if isinstance(raw, str):
        try:
            return bytes.fromhex(raw)
        except ValueError:
            pass
    raise InputError(f'{shown(raw)} is not bytes in hexadecimal, such as "01 ff"')


_PLAIN: Mapping[ValueKind, Callable[[ConstraintType, object], Value]] = {
    ValueKind.UINT: _uint,
    ValueKind.FLAG: _flag,
    ValueKind.RANGE: _range,
    ValueKind.MASK: _mask,
    ValueKind.BYTES: _bytes,
}
_WANTED: Mapping[ValueKind, str] = {
    ValueKind.UINT: "a number",
    ValueKind.FLAG: "nothing",
    ValueKind.RANGE: '["first", "last"]',
    ValueKind.MASK: "a list of names",
    ValueKind.SOURCES: "a list of names of memory",
    ValueKind.PAIRS: "a list of devices, or a table of devices and numbers",
    ValueKind.BYTES: "bytes in hexadecimal",
}
