"""Misuse of a negotiation, request by request: the errors that the text names, and its limits."""

from __future__ import annotations

import struct
from functools import partial

from heapwire.client_lib.compliance.case import CaseGroup
from heapwire.client_lib.compliance.layout_rows import ROWS as LAYOUTS, LayoutRow
from heapwire.client_lib.compliance.probe import Probe
from heapwire.client_lib.compliance.question import CPU_WRITE, MANAGER, NEGOTIATION, Question
from heapwire.client_lib.compliance.verdict import DeviationError
from heapwire.client_lib.compliance.wire_connection import Value
from heapwire.protocol.late_dataclasses import dataclass

GROUP = CaseGroup("negotiation")

_Request = tuple[str, tuple[Value, ...]]
_MANAGERS, _NEGOTIATIONS, _COMMITS, _ALTERNATIVES = 16, 256, 256, 16
_U32 = 2**32 - 1


@dataclass(frozen=True, slots=True)
class _Row:
    """Requests, and the error of the last of them; none if it is empty."""

    name: str
    error: str
    says: str
    requests: tuple[_Request, ...]


def _participant(
    id_: int = 1, usage: int = CPU_WRITE, major: int = 0, minor: int = 0, name: str = "check"
) -> _Request:
    return "set_participant", (id_, usage, major, minor, name)


def _extents(*sizes: int) -> _Request:
    return "set_extents", (*sizes, *(0,) * (6 - len(sizes)))


def _content(flags: int = 0, rotation: int = 0, encoding: int = 2, range_: int = 0) -> _Request:
    return "set_content", (flags, rotation, encoding, range_)


def _count(minimum: int, queue: int) -> _Request:
    return "set_buffer_count", (minimum, queue)


def _openable(*sources: tuple[int, int, int]) -> _Request:
    return "set_openable", (b"".join(struct.pack("=III", *source) for source in sources),)


_ID = "An id of 0 or above 0x7fffffff raises invalid_participant."
_USAGE = "No usage, or one with bits that are not in the enum, raises invalid_usage."
_DEVICE = "A major above 4095 or a minor above 1048575 raises invalid_device."
_EXTENT = "A size of 0, one above 65536, and a visible size above the coded raise invalid_extent."
_CONTENT = "Unknown flags, and what is not in its enum, raise invalid_content."
_BUFFERS = "A sum of 0 or above 64 raises invalid_count."
_SOURCE = "A kind that is not in source_kind, or no device number, raises invalid_device."
_NOBODY = "Without such a participant no_participant is raised."
_WITHIN = "What is within the limits must be accepted."
_HALF = "A length that is no multiple of 12 raises invalid_array."
_LEVEL = "A level that is not in its enum raises invalid_explanation."
_HEAP = (0, 254, 0)

ROWS = (
    _Row("id-0", "invalid_participant", _ID, (_participant(0),)),
    _Row("id-high", "invalid_participant", _ID, (_participant(0x8000_0000),)),
    _Row("usage-0", "invalid_usage", _USAGE, (_participant(usage=0),)),
    _Row("usage-256", "invalid_usage", _USAGE, (_participant(usage=256 | CPU_WRITE),)),
    _Row("major-4096", "invalid_device", _DEVICE, (_participant(major=4096),)),
    _Row("minor-1048576", "invalid_device", _DEVICE, (_participant(minor=1 << 20),)),
    _Row("name-129", "invalid_name", "A name longer than 128 bytes raises invalid_name.",
         (_participant(name="n" * 129),)),
    _Row("name-of-letters", "invalid_name", "It is the bytes of a name that count.",
         (_participant(name="ä" * 65),)),
    _Row("participants-17", "too_many", "More than 16 participants raise too_many.",
         tuple(_participant(id_) for id_ in range(1, 18))),
    _Row("participants-16", "", _WITHIN,
         (*(_participant(0x7FFF_FFFF - id_, 255, 4095, (1 << 20) - 1, "n" * 128)
            for id_ in range(16)), _participant(0x7FFF_FFFF, 1))),
    _Row("remove-nobody", "no_participant", _NOBODY, (("remove_participant", (1,)),)),
    _Row("remove-twice", "no_participant", _NOBODY,
         (_participant(), *(("remove_participant", (1,)),) * 2)),
    _Row("coded-0", "invalid_extent", _EXTENT, (_extents(0, 0),)),
    _Row("coded-width-0", "invalid_extent", _EXTENT, (_extents(0, 64),)),
    _Row("coded-65537", "invalid_extent", _EXTENT, (_extents(64, 65537),)),
    _Row("visible-height-0", "invalid_extent", _EXTENT, (_extents(64, 64, 64, 0),)),
    _Row("visible-wider", "invalid_extent", _EXTENT, (_extents(64, 64, 65, 64),)),
    _Row("visible-higher", "invalid_extent", _EXTENT, (_extents(64, 64, 64, 65),)),
    _Row("maximum-width-0", "invalid_extent", _EXTENT, (_extents(64, 64, 64, 64, 0, 64),)),
    _Row("maximum-65537", "invalid_extent", _EXTENT, (_extents(64, 64, 0, 0, 65537, 64),)),
    _Row("extents-65536", "", _WITHIN, (_extents(*(65536,) * 6),)),
    _Row("content-flags-4", "invalid_content", _CONTENT, (_content(4),)),
    _Row("rotation-45", "invalid_content", _CONTENT, (_content(rotation=45),)),
    _Row("encoding-3", "invalid_content", _CONTENT, (_content(encoding=3),)),
    _Row("range-3", "invalid_content", _CONTENT, (_content(range_=3),)),
    _Row("contents", "", "Each value of the enums may be given.",
         tuple(_content(flags, rotation, encoding, range_)
               for flags in range(4) for rotation in (0, 90, 180, 270)
               for encoding in (0, 1, 2, 6, 9) for range_ in range(3))),
    _Row("buffers-0", "invalid_count", _BUFFERS, (_count(0, 0),)),
    _Row("buffers-65", "invalid_count", _BUFFERS, (_count(64, 1),)),
    _Row("buffers-far", "invalid_count", _BUFFERS, (_count(_U32, 2),)),
    _Row("buffers-64", "", _WITHIN, (_count(0, 64), _count(64, 0), _count(0, 1))),
    _Row("half-a-source", "invalid_array", _HALF,
         (("set_openable", (bytes(8),)),)),
    _Row("sources-257", "too_many", "More than 256 entries raise too_many.",
         (_openable(*(_HEAP,) * 257),)),
    _Row("source-of-no-kind", "invalid_device", _SOURCE, (_openable(_HEAP, (3, 254, 0)),)),
    _Row("source-major-4096", "invalid_device", _SOURCE, (_openable((1, 4096, 0)),)),
    _Row("source-minor-1048576", "invalid_device", _SOURCE, (_openable((2, 0, 1 << 20)),)),
    _Row("sources-256", "", "Sources that are not known to the compositor are ignored.",
         (_openable(*((2, 4095, minor) for minor in range(256))), _openable())),
    _Row("explanation-3", "invalid_explanation", _LEVEL,
         (("set_explanation", (3,)),)),
    _Row("cookie-0", "invalid_cookie", "A cookie of 0 raises invalid_cookie.", (("commit", (0,)),)),
    _Row("no-extents", "incomplete", "Participants without any size raise incomplete.",
         (_participant(), ("commit", (1,)))),
    _Row("unset-nothing", "incomplete", "unset_fixed_layout alone has sent no size.",
         (_participant(), ("unset_fixed_layout", ()), ("commit", (1,)))),
    _Row("use-no-plan", "", "Where the serial is not known the request does nothing.",
         (("use_plan", (0, 0)), ("use_plan", (_U32, _U32)))),
)  # fmt: skip


def _run(row: _Row, probe: Probe) -> None:
    question = Question(probe)
    for name, values in row.requests:
        question.send(name, *values)
    _judge(probe, row.error, row.requests[-1][0])


def _judge(probe: Probe, error: str, request: str) -> None:
    if error:
        probe.expect_error(NEGOTIATION, error)
    else:
        probe.expect_alive(request)


def _laid_out(row: LayoutRow, probe: Probe) -> None:
    question = Question(probe)
    question.send("set_fixed_layout", *row.arguments)
    if row.error:
        probe.expect_error(NEGOTIATION, row.error)
        return
    question.send("commit", 1)
    question.answer()


for _row in ROWS:
    GROUP.add(_row.name, _row.says, partial(_run, _row))
for _layout in LAYOUTS:
    GROUP.add(f"layout-{_layout.name}", _layout.says, partial(_laid_out, _layout))


@GROUP.case("set-for-nobody")
def set_for_nobody(probe: Probe) -> None:
    """add_alternative without such a participant raises no_participant."""
    question = Question(probe)
    question.participant(1)
    question.send("add_alternative", 2, question.set())
    probe.expect_error(NEGOTIATION, "no_participant")


@GROUP.case("alternatives-17")
def alternatives_17(probe: Probe) -> None:
    """More than 16 alternatives raise too_many."""
    question = Question(probe)
    question.participant(1, *(question.set(),) * (_ALTERNATIVES + 1))
    probe.expect_error(NEGOTIATION, "too_many")


@GROUP.case("alternatives-16")
def alternatives_16(probe: Probe) -> None:
    """A compositor must accept what is within the limits, and replacing begins anew."""
    question = Question(probe)
    for _ in range(2):
        question.participant(1, *(question.set(),) * _ALTERNATIVES)
    question.extents()
    question.send("commit", 1)
    question.answer()


@GROUP.case("managers-17")
def managers_17(probe: Probe) -> None:
    """A client that has 16 managers and binds another ends with wl_display.no_memory."""
    probe.bind_many(MANAGER, _MANAGERS)


@GROUP.case("negotiations-257")
def negotiations_257(probe: Probe) -> None:
    """A client that would have more than 256 negotiations ends with wl_display.no_memory."""
    question = Question(probe)
    for _ in range(_NEGOTIATIONS - 1):
        _another(probe, question)
    probe.expect_alive("256 negotiations")
    question.send("destroy")
    _another(probe, question)
    probe.expect_alive("one for one that is destroyed")
    _another(probe, question)
    probe.expect_error("wl_display", "no_memory")


def _another(probe: Probe, question: Question) -> None:
    made = probe.connection.new(NEGOTIATION)
    probe.connection.request(question.manager, "get_default_negotiation", made)


@GROUP.case("commits-256")
def commits_256(probe: Probe) -> None:
    """256 commits may wait for their answers, and each gets one, in their order."""
    question = Question(probe)
    with probe.connection.at_once():
        for cookie in range(1, _COMMITS + 1):
            question.send("commit", cookie)
    question.answer(_COMMITS)
    told = [one.cookie for one in question.answers() if one.cookie]
    if told != list(range(1, _COMMITS + 1)):
        raise DeviationError(expected="an answer to each, in order", seen=f"{len(told)} answers")
