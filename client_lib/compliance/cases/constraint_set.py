"""Constraint sets of xx-dmabuf-negotiation-v1: what may be in one, and what may not."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial

from heapwire.client_lib.compliance.case import CaseGroup
from heapwire.client_lib.compliance.probe import XRGB, Probe
from heapwire.client_lib.compliance.question import (
    CREATOR,
    PLAIN,
    SET,
    USER,
    Question,
    packed_pairs,
)
from heapwire.client_lib.compliance.verdict import DeviationError, SkippedCaseError
from heapwire.client_lib.compliance.wire_connection import Value, WireObject
from heapwire.protocol.values import LINEAR, FormatModifier

GROUP = CaseGroup("set")

_UNHEARD_OF = 0x7F00_0001
"""A type of a vendor that drm_fourcc.h does not know."""
_MUST_UNDERSTAND = 1
_PITCH_ALIGNMENT, _MAX_PITCH = 1, 6
_CONTIGUOUS, _ADDRESSES, _SOURCES, _HOPS = 16, 17, 18, 56
_PAIRS, _CONSTRAINTS = 4096, 256
_IN_A_MESSAGE = 240  # pairs
_FULL_SETS = 7  # of 4096 pairs, in 4 MiB, as the request that begins a set counts them

_Request = tuple[str, tuple[Value, ...]]


def _some_pairs(count: int, first: int = 0) -> list[FormatModifier]:
    return [FormatModifier(XRGB, number) for number in range(first, first + count)]


def _formats(pairs: list[FormatModifier] | None = None, padding: int = 0) -> _Request:
    return "add_formats", (0, packed_pairs(PLAIN if pairs is None else pairs, padding))


def _in_messages(pairs: list[FormatModifier]) -> Iterator[_Request]:
    for first in range(0, len(pairs), _IN_A_MESSAGE):
        yield _formats(pairs[first : first + _IN_A_MESSAGE])


def _add(type_: int, value: bytes, planes: int = 0, flags: int = 0, from_: int = USER) -> _Request:
    return "add", (type_, planes, flags, from_, value)


def _uint(number: int) -> bytes:
    return struct.pack("=Q", number)


def _range(lowest: int, highest: int) -> bytes:
    return struct.pack("=QQ", lowest, highest)


def _source(kind: int = 0, major: int = 254, minor: int = 0) -> bytes:
    return struct.pack("=III", kind, major, minor)


def _hops(major: int = 226, minor: int = 0) -> bytes:
    return struct.pack("=IIQ", major, minor, 1)


_ARRAY = "An array that is empty, or no multiple of 16 bytes long, raises invalid_array."
_PAIR_TWICE = "A pair that is added twice raises already_set."
_PLANES = "Planes with bits above bit 3 raise invalid_planes."
_FLAGS = "Flags that are not in constraint_flag raise invalid_flags."
_PROVENANCE = "A provenance that is not in the enum raises invalid_provenance."
_LENGTH = "A value of the wrong length for its kind raises invalid_value."
_VALUE = "A value that the registry does not allow raises invalid_value."
_LONG = "A value of more than 1024 bytes raises invalid_value, whatever its type."
_TWICE = "A constraint of the same type and planes raises already_set."

_MISUSES: tuple[tuple[str, str, str, tuple[_Request, ...]], ...] = (
    ("no-formats", _ARRAY, "invalid_array", (("add_formats", (0, b"")),)),
    ("half-a-pair", _ARRAY, "invalid_array", (("add_formats", (0, packed_pairs(PLAIN)[:8])),)),
    ("a-byte-more", _ARRAY, "invalid_array", (("add_formats", (0, packed_pairs(PLAIN) + b"x")),)),
    ("pair-twice", _PAIR_TWICE, "already_set", (_formats(), _formats())),
    ("pair-twice-at-once", _PAIR_TWICE, "already_set", (_formats([*PLAIN, *PLAIN]),)),
    ("pair-twice-but-padding", "The value of the padding is ignored: the pair is the same.",
     "already_set", (_formats(), _formats(padding=7))),
    ("pairs-4097", "More than 4096 pairs raise too_many.", "too_many",
     tuple(_in_messages(_some_pairs(_PAIRS + 1)))),
    ("planes-16", _PLANES, "invalid_planes", (_add(_PITCH_ALIGNMENT, _uint(64), planes=16),)),
    ("planes-far", _PLANES, "invalid_planes", (_add(_UNHEARD_OF, b"", planes=1 << 31),)),
    ("flags-2", _FLAGS, "invalid_flags", (_add(_PITCH_ALIGNMENT, _uint(64), flags=2),)),
    ("flags-3", _FLAGS, "invalid_flags", (_add(_UNHEARD_OF, b"", flags=3),)),
    ("provenance-7", _PROVENANCE, "invalid_provenance",
     (_add(_PITCH_ALIGNMENT, _uint(64), from_=7),)),
    ("provenance-far", _PROVENANCE, "invalid_provenance",
     (_add(_UNHEARD_OF, b"", from_=2**32 - 1),)),
    ("value-1025", _LONG, "invalid_value", (_add(_UNHEARD_OF, bytes(1025)),)),
    ("constraint-twice", _TWICE, "already_set",
     (_add(_UNHEARD_OF, b"a"), _add(_UNHEARD_OF, b"b"))),
    ("constraint-twice-of-planes", _TWICE, "already_set",
     (_add(_UNHEARD_OF, b"", planes=5), _add(_UNHEARD_OF, b"", planes=5, from_=0))),
    ("constraints-257", "More than 256 constraints raise too_many.", "too_many",
     tuple(_add(_UNHEARD_OF + number, b"") for number in range(_CONSTRAINTS + 1))),
    ("incomplete", "A set without pairs raises incomplete_set.", "incomplete_set",
     (_add(_UNHEARD_OF, b""),)),
)  # fmt: skip

_VALUES: tuple[tuple[str, str, int, bytes], ...] = (
    ("uint-short", _LENGTH, _PITCH_ALIGNMENT, bytes(4)),
    ("uint-long", _LENGTH, _MAX_PITCH, bytes(16)),
    ("uint-empty", _LENGTH, _MAX_PITCH, b""),
    ("flag-with-a-value", _LENGTH, _CONTIGUOUS, _uint(1)),
    ("range-short", _LENGTH, _ADDRESSES, bytes(8)),
    ("sources-short", _LENGTH, _SOURCES, _source()[:8]),
    ("pairs-short", _LENGTH, _HOPS, _hops()[:8]),
    ("alignment-0", _VALUE, _PITCH_ALIGNMENT, _uint(0)),
    ("range-reversed", _VALUE, _ADDRESSES, _range(2, 1)),
    ("source-of-no-kind", _VALUE, _SOURCES, _source(3)),
    ("source-of-no-device", _VALUE, _SOURCES, _source(major=4096)),
    ("source-twice", _VALUE, _SOURCES, _source() * 2),
    ("hops-from-no-device", _VALUE, _HOPS, _hops(minor=1 << 20)),
    ("hops-twice", _VALUE, _HOPS, _hops() * 2),
    ("hops-in-disorder", _VALUE, _HOPS, _hops(minor=1) + _hops(minor=0)),
)

_WITHIN = "What is within the limits must be accepted."
_ACCEPTED: tuple[tuple[str, str, tuple[_Request, ...]], ...] = (
    ("pairs-4096", _WITHIN, tuple(_in_messages(_some_pairs(_PAIRS)))),
    ("constraints-256", _WITHIN,
     (_formats(), *(_add(_UNHEARD_OF + number, b"") for number in range(_CONSTRAINTS)))),
    ("value-1024", _WITHIN, (_formats(), _add(_UNHEARD_OF, bytes(1024), planes=15))),
    ("other-planes", "The same type may be given for other planes.",
     (_formats(), *(_add(_PITCH_ALIGNMENT, _uint(64), planes=planes) for planes in range(16)))),
    ("any-pair", "A format of 0 stands for all formats, and all ones for all modifiers.",
     (_formats([FormatModifier(0, 2**64 - 1)]),)),
    ("provenances", "Each provenance of the enum may be given.",
     (_formats(), *(_add(_UNHEARD_OF + rung, b"", from_=rung) for rung in range(7)))),
    ("unheard-of-type", "A compositor that does not know the type does not look at the value.",
     (_formats(), _add(_UNHEARD_OF, b"\xff\x00\xff", flags=_MUST_UNDERSTAND))),
)  # fmt: skip


def _misused(requests: tuple[_Request, ...], error: str, probe: Probe) -> None:
    creator = Question(probe).creator()
    _send(probe, creator, *requests)
    if error == "incomplete_set":
        _create(probe, creator)
    probe.expect_error(CREATOR, error)


def _refused_value(type_: int, value: bytes, probe: Probe) -> None:
    question = Question(probe)
    probe.expect_alive("bind")
    types = probe.connection.of(question.manager, "supported_type")
    if not any(one.number(0) == type_ for one in types):
        raise SkippedCaseError(f"the compositor does not merge constraints of type {type_}")
    _send(probe, question.creator(), _add(type_, value))
    probe.expect_error(CREATOR, "invalid_value")


def _send(probe: Probe, creator: WireObject, *requests: _Request) -> None:
    for name, values in requests:
        probe.connection.request(creator, name, *values)


def _create(probe: Probe, creator: WireObject) -> WireObject:
    made = probe.connection.new(SET)
    probe.connection.request(creator, "create", made)
    return made


def _accepted(requests: tuple[_Request, ...], probe: Probe) -> None:
    creator = Question(probe).creator()
    _send(probe, creator, *requests)
    _create(probe, creator)
    probe.expect_alive("create")


for _name, _says, _error, _requests in _MISUSES:
    GROUP.add(_name, _says, partial(_misused, _requests, _error))
for _name, _says, _type, _value in _VALUES:
    GROUP.add(_name, _says, partial(_refused_value, _type, _value))
for _name, _says, _requests in _ACCEPTED:
    GROUP.add(_name, _says, partial(_accepted, _requests))


@GROUP.case("given-up")
def given_up(probe: Probe) -> None:
    """A creator may be destroyed without creating a set, empty or not."""
    question = Question(probe)
    for add in (False, True):
        creator = question.creator()
        if add:
            _send(probe, creator, _formats())
        probe.connection.request(creator, "destroy")
    probe.expect_alive("destroy")


@GROUP.case("destroyed-manager")
def destroyed_manager(probe: Probe) -> None:
    """Objects that were created through the manager are not affected when it is destroyed."""
    question = Question(probe)
    creator = question.creator()
    probe.connection.request(question.manager, "destroy")
    _send(probe, creator, _formats())
    question.participant(1, _create(probe, creator))
    question.extents()
    question.send("commit", 1)
    question.answer()


@GROUP.case("destroyed-set")
def destroyed_set(probe: Probe) -> None:
    """Negotiations that refer to a set keep it when it is destroyed."""
    question = Question(probe)
    none = question.set(pairs=[FormatModifier(_UNHEARD_OF, LINEAR)])
    question.participant(1, none)
    probe.connection.request(none, "destroy")
    question.extents()
    question.send("commit", 1)
    if question.answer().plans:
        raise DeviationError(expected="no plan: the set has a pair that nobody has", seen="plans")


@GROUP.case("bytes-kept")
def bytes_kept(probe: Probe) -> None:
    """Sets of more than 4 MiB raise too_many, and sets of less do not."""
    question = Question(probe)
    for number in range(_FULL_SETS):
        _full_set(probe, question, number)
    probe.expect_alive("create")
    _full_set(probe, question, _FULL_SETS)
    probe.expect_error(CREATOR, "too_many")


@GROUP.case("bytes-given-back")
def bytes_given_back(probe: Probe) -> None:
    """A set counts until nothing refers to it."""
    question = Question(probe)
    for number in range(2 * _FULL_SETS):
        _full_set(probe, question, number, keep=False)
        probe.expect_alive("destroy")


def _full_set(probe: Probe, question: Question, number: int, *, keep: bool = True) -> None:
    creator = question.creator()
    _send(probe, creator, *_in_messages(_some_pairs(_PAIRS, number)))
    made = _create(probe, creator)
    if not keep:
        probe.connection.request(made, "destroy")
