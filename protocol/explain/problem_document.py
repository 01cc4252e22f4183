"""A problem as plain dictionaries for JSON, and back: what captures are made of.

`parse_problem(problem_document(problem)) == problem`, for every problem. The
text is meant to be read and edited: a dataclass is an object of its fields
without those that have their default, formats and constraints go by name, a
device is `226:0`, a source `heap 254:0`, a size `1920x1080`. Everything follows
the annotations of the classes, so a new field needs nothing here.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum, IntFlag
from functools import cache

from heapwire.protocol.errors import InputError, UsageError, shown
from heapwire.protocol.explain.answer_document import Document, Json
from heapwire.protocol.explain.problem_check import problem_faults
from heapwire.protocol.values import (
    BY_NAME,
    REGISTRY,
    Constraint,
    DeviceId,
    Extent,
    FormatModifier,
    Problem,
    SourceId,
    fourcc_name,
    parse_fourcc,
    parse_modifier,
)


def problem_document(problem: Problem) -> Document:
    """Everything that the answer depends on."""
    return _object(problem)


def parse_problem(document: Json) -> Problem:
    """The problem of a document; `InputError` names the entry that is wrong."""
    problem = _read(Problem, document, "problem")
    assert isinstance(problem, Problem)
    for fault in problem_faults(problem):
        raise InputError(f"problem.{fault}")
    return problem


def to_json(value: object) -> Json:
    """A value of protocol/values as JSON."""
    match value:
        case FormatModifier():
            return f"{fourcc_name(value.fourcc)}:{value.modifier:#x}"
        case DeviceId() | SourceId() | Extent():
            return str(value)
        case IntFlag():
            return [flag.name.lower() for flag in type(value) if flag & value and flag.name]
        case Enum():
            return value.name.lower()
        case bool() | int() | str() | None:
            return value
        case bytes():
            return {"bytes": value.hex()}
        case tuple() | list():
            return [to_json(entry) for entry in value]
        case frozenset():
            return sorted((to_json(entry) for entry in value), key=str)
        case Mapping():
            return {str(to_json(key)): to_json(entry) for key, entry in sorted(value.items())}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _object(value)
    raise UsageError(f"{value!r} has no place in a document")


def _object(value: object) -> Document:
    document: Document = {}
    for field in dataclasses.fields(value):  # type: ignore[arg-type]  # checked by the caller
        held = getattr(value, field.name)
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        # Python's False is equal to 0: only what is the default in its type, too, is left out.
        if held != default or type(held) is not type(default):
            document[field.name] = to_json(held)
    if isinstance(value, Constraint):
        row = REGISTRY.get(value.type)
        document["type"] = f"{value.type:#010x}" if row is None else row.name
    return document


def _read(kind: object, value: Json, path: str) -> object:
    """One value of an annotated type."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return _read_union(arguments, value, path)
    if origin is tuple:
        return _read_tuple(arguments, _list(value, path), path)
    if origin is frozenset:
        return frozenset(_read_all(arguments[0], _list(value, path), path))
    if origin is Mapping:
        return {
            _read(arguments[0], key, path): _read(arguments[1], entry, f"{path}.{key}")
            for key, entry in _document(value, path).items()
        }
    assert isinstance(kind, type)
    if kind in (int, str, bool):
        if type(value) is not kind:
            raise InputError(f"{path}: {shown(value)} is not {_ARTICLES[kind]}")
        return value
    if issubclass(kind, Enum):
        return _read_enum(kind, value, path)
    if kind in _SCALARS:
        try:
            return _SCALARS[kind](str(value))
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    return _read_object(kind, _document(value, path), path)


def _read_union(arguments: tuple[object, ...], value: Json, path: str) -> object:
    if value is None and type(None) in arguments:
        return None
    others = [argument for argument in arguments if argument is not type(None)]
    if len(others) == 1:
        return _read(others[0], value, path)
    return _read_constraint_value(value, path)


def _read_constraint_value(value: Json, path: str) -> object:
    """The only union of the values: what a constraint's value may be, told by its shape."""
    match value:
        case bool():  # an int to Python, and no value of a constraint
            pass
        case int():
            return value
        case {"bytes": str(text)}:
            try:
                return bytes.fromhex(text)
            except ValueError:
                raise InputError(f"{path}: {shown(text)} is not bytes in hex") from None
        case []:
            return ()
        case [int(lowest), int(highest)] if bool not in (type(lowest), type(highest)):
            return (lowest, highest)
        case [[str(), int()], *_]:
            pairs = tuple[tuple[DeviceId, int], ...]
            return _read(pairs, value, path)
        case [str(), *_]:
            return _read(tuple[SourceId, ...], value, path)
    raise InputError(f"{path}: {shown(value)} is no value of a constraint")


def _read_tuple(arguments: tuple[object, ...], values: list[Json], path: str) -> object:
    if arguments[-1] is Ellipsis:
        return tuple(_read_all(arguments[0], values, path))
    if len(arguments) != len(values):
        raise InputError(f"{path}: {len(values)} entries, not {len(arguments)}")
    pairs = zip(arguments, values, strict=True)
    return tuple(_read(kind, entry, f"{path}[{n}]") for n, (kind, entry) in enumerate(pairs))


def _read_all(kind: object, values: list[Json], path: str) -> Iterator[object]:
    return (_read(kind, entry, f"{path}[{n}]") for n, entry in enumerate(values))


def _read_enum(kind: type[Enum], value: Json, path: str) -> object:
    names = {name.lower(): member for name, member in kind.__members__.items()}
    if issubclass(kind, IntFlag):
        flags = kind(0)
        for word in _list(value, path):
            if str(word) not in names:
                raise InputError(f"{path}: {shown(word)} is none of {', '.join(names)}")
            flags |= kind(names[str(word)].value)
        return flags
    if str(value) not in names:
        raise InputError(f"{path}: {shown(value)} is none of {', '.join(names)}")
    return names[str(value)]


def _read_object(kind: type, document: Document, path: str) -> object:
    hints = _hints(kind)
    unknown = sorted(set(document) - set(hints))
    if unknown:
        raise InputError(f"{path}: {shown(unknown[0])} is no entry of a {kind.__name__}")
    if kind is Constraint and isinstance(document.get("type"), str):
        document = {**document, "type": _type(str(document["type"]), path)}
    values = {name: _read(hints[name], entry, f"{path}.{name}") for name, entry in document.items()}
    missing = sorted(_required(kind) - set(values))
    if missing:
        raise InputError(f"{path}: {missing[0]!r} is missing")
    return kind(**values)


@cache
def _hints(kind: type) -> dict[str, object]:
    return typing.get_type_hints(kind, localns=_NAMES)


@cache
def _required(kind: type) -> frozenset[str]:
    """The entries that an object of this type must have."""
    return frozenset(
        field.name
        for field in dataclasses.fields(kind)
        if field.default is field.default_factory is dataclasses.MISSING
    )


def _type(name: str, path: str) -> int:
    row = BY_NAME.get(name)
    if row is not None:
        return row.type
    try:
        return int(name, 16)
    except ValueError:
        raise InputError(f"{path}: there is no type of constraint {shown(name)}") from None


def _pair(text: str) -> FormatModifier:
    name, _, modifier = text.rpartition(":")
    return FormatModifier(parse_fourcc(name), parse_modifier(modifier))


def _list(value: Json, path: str) -> list[Json]:
    if not isinstance(value, list):
        raise InputError(f"{path}: {shown(value)} is not a list")
    return value


def _document(value: Json, path: str) -> Document:
    if not isinstance(value, dict):
        raise InputError(f"{path}: {shown(value)} is not an object")
    return value


# Names that constraint.py's annotations know only to type checkers.
_NAMES = {"SourceId": SourceId, "DeviceId": DeviceId}
_ARTICLES = {int: "a number", str: "a text", bool: "true or false"}
_SCALARS: Mapping[type, typing.Callable[[str], object]] = {
    FormatModifier: _pair,
    SourceId: SourceId.parse,
    DeviceId: DeviceId.parse,
    Extent: Extent.parse,
}
