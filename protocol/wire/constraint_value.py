"""Constraint values as bytes, by the value kind of their type.

Integers are in native byte order: both ends are on one host. A value of a type
that this side does not know stays bytes, so that it can be carried on unchanged.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import pairwise

from heapwire.protocol.errors import NotPossibleError, PeerError, UsageError
from heapwire.protocol.values import (
    REGISTRY,
    ConstraintType,
    DeviceId,
    MergeRule,
    SourceId,
    Value,
    ValueKind,
)
from heapwire.protocol.wire.array import decode_sources, encode_sources
from heapwire.protocol.wire.limits import VALUE_BYTES

_UINT = struct.Struct("=Q")
_RANGE = struct.Struct("=QQ")
_PAIR = struct.Struct("=IIQ")


def encode_value(type_: int, value: Value) -> bytes:
    """The bytes of a value.

    Raises `UsageError` for one that its type does not have, and `NotPossibleError` for one
    of more than `VALUE_BYTES`, such as a list of more sources than a message can name.
    """
    row = REGISTRY.get(type_)
    name = row.name if row else f"type {type_:#010x}"
    raw = _pack(row.kind if row else ValueKind.BYTES, value)
    if raw is None:
        raise UsageError(f"{value!r} is no value for {name}")
    if len(raw) > VALUE_BYTES:
        raise NotPossibleError(f"a value for {name} of {len(raw)} bytes: {VALUE_BYTES} is the most")
    return raw


def _pack(kind: ValueKind, value: Value) -> bytes | None:
    try:
        match kind, value:
            case (ValueKind.UINT | ValueKind.MASK, int(number)):
                return _UINT.pack(number)
            case ValueKind.FLAG, 1:
                return b""
            case ValueKind.RANGE, (int(lowest), int(highest)):
                return _RANGE.pack(lowest, highest)
            case ValueKind.SOURCES, tuple(entries):
                sources = [entry for entry in entries if isinstance(entry, SourceId)]
                if len(sources) == len(entries) > 0:
                    return encode_sources(sources)
            case ValueKind.PAIRS, tuple(entries):
                return _pack_pairs(entries)
            case ValueKind.BYTES, bytes(raw):
                return raw
    except struct.error:  # a number that is negative or beyond 64 bits
        return None
    return None


def _pack_pairs(entries: tuple[object, ...]) -> bytes | None:
    packed: list[bytes] = []
    for entry in entries:
        match entry:
            case (DeviceId() as device, int(number)):
                packed.append(_PAIR.pack(device.major, device.minor, number))
            case _:
                return None
    return b"".join(packed) or None


def decode_value(type_: int, raw: bytes) -> Value:
    """The value in some bytes; `PeerError` says what is wrong with them."""
    row = REGISTRY.get(type_)
    return raw if row is None else _DECODE[row.kind](row, raw)


def _decode_number(row: ConstraintType, raw: bytes) -> int:
    if len(raw) != _UINT.size:
        raise PeerError(f"{row.name} is one 64-bit integer, not {len(raw)} bytes")
    number = int(_UINT.unpack(raw)[0])
    if number == 0 and row.merge is MergeRule.LCM:
        raise PeerError(f"{row.name} of 0: nothing is a multiple of it")
    return number


def _decode_flag(row: ConstraintType, raw: bytes) -> int:
    if raw:
        raise PeerError(f"{row.name} has no value, not {len(raw)} bytes")
    return 1


def _decode_range(row: ConstraintType, raw: bytes) -> tuple[int, int]:
    if len(raw) != _RANGE.size:
        raise PeerError(f"{row.name} is two 64-bit integers, not {len(raw)} bytes")
    lowest, highest = _RANGE.unpack(raw)
    if lowest > highest:
        raise PeerError(f"{row.name} from {lowest:#x} to {highest:#x} is empty")
    return (lowest, highest)


def _decode_sources(row: ConstraintType, raw: bytes) -> tuple[SourceId, ...]:
    sources = decode_sources(raw)
    if not sources:
        raise PeerError(f"{row.name} is empty: nothing would be permitted")
    if len(set(sources)) != len(sources):
        raise PeerError(f"{row.name} names a source twice")
    return sources


def _decode_pairs(row: ConstraintType, raw: bytes) -> tuple[tuple[DeviceId, int], ...]:
    name = row.name
    if not raw or len(raw) % _PAIR.size:
        raise PeerError(f"{name} has entries of {_PAIR.size} bytes, not {len(raw)} bytes")
    pairs: list[tuple[DeviceId, int]] = []
    for major, minor, number in _PAIR.iter_unpack(raw):
        fault = DeviceId.fault(major, minor)
        if fault is not None:
            raise PeerError(f"{name}: {fault}")
        pairs.append((DeviceId(major, minor), number))
    if any(device >= following for (device, _), (following, _) in pairwise(pairs)):
        raise PeerError(f"{name} is not in ascending order of the devices")
    return tuple(pairs)


def _decode_bytes(_row: ConstraintType, raw: bytes) -> bytes:
    return raw


_DECODE: dict[ValueKind, Callable[[ConstraintType, bytes], Value]] = {
    ValueKind.UINT: _decode_number,
    ValueKind.MASK: _decode_number,
    ValueKind.FLAG: _decode_flag,
    ValueKind.RANGE: _decode_range,
    ValueKind.SOURCES: _decode_sources,
    ValueKind.PAIRS: _decode_pairs,
    ValueKind.BYTES: _decode_bytes,
}
