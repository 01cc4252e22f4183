"""Constraint sets as they came: cheap to compare, and cheap to send on."""

from __future__ import annotations

import struct
import weakref

try:  # hashlib has this one, and reads OpenSSL first, which takes longer than Python's own start
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

from heapwire.protocol.values import ConstraintSet
from heapwire.protocol.wire import ConstraintSetBuilder

_FORMATS, _CONSTRAINT = 0, 1
_REQUEST = struct.Struct("=BqIIII")  # which, four numbers, bytes of the array that follows


class SetRecording:
    """The requests of a creator, in one row of bytes."""

    __slots__ = ("_bytes",)

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add_formats(self, cost: int, formats: bytes) -> None:
        """The request of that name."""
        self._bytes += _REQUEST.pack(_FORMATS, cost, 0, 0, 0, len(formats)) + formats

    def add(self, type_: int, planes: int, flags: int, provenance: int, value: bytes) -> None:
        """The request of that name."""
        head = _REQUEST.pack(_CONSTRAINT, type_, planes, flags, provenance, len(value))
        self._bytes += head + value

    def create(self) -> bytes:
        """All that was recorded."""
        return bytes(self._bytes)


def recorded_set(recording: bytes) -> ConstraintSet:
    """The set that the requests make."""
    builder = ConstraintSetBuilder()
    position = 0
    while position < len(recording):
        which, number, planes, flags, provenance, length = _REQUEST.unpack_from(recording, position)
        position += _REQUEST.size
        array = recording[position : position + length]
        position += length
        if which == _FORMATS:
            builder.add_formats(number, array)
        else:
            builder.add(number, planes, flags, provenance, array)
    return builder.create()


class SetRecord(weakref.ref[ConstraintSet]):
    """The requests that made a set, and a digest that no other requests have."""

    __slots__ = ("_digest", "number", "recording", "records")
    recording: bytes
    records: dict[int, SetRecord]
    number: int
    _digest: bytes

    @property
    def digest(self) -> bytes:
        """Of the requests; worked out when it is first asked for."""
        if not self._digest:
            self._digest = blake2b(self.recording, digest_size=32).digest()
        return self._digest


class SetRecords:
    """The record of each set that a client has made, for as long as the set is there.

    A set may have thousands of pairs: who compares two, or hands one to another process,
    does not look at each.
    """

    def __init__(self) -> None:
        self._records: dict[int, SetRecord] = {}

    def add(self, constraint_set: ConstraintSet, recording: bytes) -> None:
        """These requests have made a set."""
        # The entry goes before the memory does, so that no other set has its number meanwhile.
        record = SetRecord(constraint_set, _set_is_gone)
        record.recording, record._digest = recording, b""
        record.records, record.number = self._records, id(constraint_set)
        self._records[record.number] = record

    def of(self, constraint_set: ConstraintSet) -> SetRecord | None:
        """How a set was made; None of one that no client has made."""
        return self._records.get(id(constraint_set))


def _set_is_gone(record: weakref.ref[ConstraintSet]) -> None:
    assert isinstance(record, SetRecord)
    record.records.pop(record.number, None)
