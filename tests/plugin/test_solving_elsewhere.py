"""What is tried on the loop, and how a question travels to the process that has more time."""

from __future__ import annotations

import itertools

import pytest
from problem_building import NV12, XRGB, ask, need, of, part

from heapwire.compositor_plugin.answering import SetRecording, SetRecords, SolverCall, trial
from heapwire.compositor_plugin.answering.frames import Frame, FrameKind, FrameReader
from heapwire.compositor_plugin.answering.question_message import (
    decode_answer,
    decode_question,
    encode_answer,
    encode_question,
)
from heapwire.compositor_plugin.answering.set_records import recorded_set
from heapwire.compositor_plugin.answering.solver_child import _answer, _Wanted
from heapwire.kernel.description import Platform
from heapwire.protocol.explain import solve
from heapwire.protocol.values import Answer, Constraint, Extent, Extents, FormatModifier, Problem
from heapwire.protocol.wire.array import encode_formats


def contradicting(count: int) -> Problem:
    """So many participants, of which each leaves one of as many fences out."""
    everything = (1 << count) - 1
    fences = [need("fences", everything & ~(1 << n)) for n in range(count)]
    return ask(*(part(f"p{n}", of(XRGB, fence)) for n, fence in enumerate(fences)))


def alternatives(count: int) -> Problem:
    """Two participants with so many alternatives each."""
    sets = [of(NV12, need("min-pitch", n + 1)) for n in range(count)]
    return ask(part("a", *sets), part("b", *sets))


@pytest.mark.parametrize("make", [contradicting, alternatives])
def test_what_a_trial_tells_is_what_any_budget_tells(monkeypatch, make) -> None:
    told = set()
    for steps in range(20, 800, 30):
        monkeypatch.setattr(trial, "TRIAL_STEPS", steps)
        for count in range(2, 8):
            problem = make(count)
            answer = trial.tried(SolverCall(problem, explained=True))
            told.add(answer is None)
            assert answer in (None, solve(problem))
    assert told == {True, False}


@pytest.mark.parametrize("make", [contradicting, alternatives])
def test_a_trial_ends_when_its_time_is_over(monkeypatch, make) -> None:
    """However few steps it has spent; and what it tells is what any budget tells."""
    monkeypatch.setattr(trial, "TRIAL_STEPS", 100_000)
    told = set()
    for seconds in (1, 3, 10, 10_000):
        for number in range(2, 8):
            clock = itertools.count()
            monkeypatch.setattr(trial, "clock", clock.__next__)
            problem = make(number)
            answer = trial.tried(SolverCall(problem, explained=True), None, seconds)
            told.add(answer is None)
            assert answer in (None, solve(problem))
            assert next(clock) <= seconds + 2, "it went on"
    assert told == {True, False}


def test_what_is_too_heavy_is_not_even_tried(monkeypatch) -> None:
    """Of more than 512 pairs and constraints, however few steps they take.

    Where all is explained, a constraint is five.
    """
    monkeypatch.setattr(trial, "TRIAL_STEPS", 100_000)
    pairs = [FormatModifier(NV12.fourcc, n << 8) for n in range(513)]
    for tried, is_tried in ((pairs[1:], True), (pairs, False)):
        problem = ask(part("a", of(tried)))
        answer = trial.tried(SolverCall(problem, explained=False))
        assert (answer is not None) is is_tried
    vendors = [
        Constraint(type=0x7F000100, value=bytes([n]), must_understand=False) for n in range(103)
    ]
    for constraints, is_tried in ((vendors[1:], True), (vendors, False)):
        problem = ask(part("a", of(NV12, *constraints)))
        for explained in (True, False):
            answer = trial.tried(SolverCall(problem, explained))
            assert (answer is not None) is (is_tried or not explained)


@pytest.mark.parametrize("explained", [True, False])
def test_a_question_arrives_as_it_was_asked(explained: bool) -> None:
    platform = Platform.load("raspberry-pi-4")
    recording = SetRecording()
    recording.add_formats(3, encode_formats([XRGB]))
    recording.add_formats(0, encode_formats([NV12]))
    recording.add(0x7F000100, 1, 0, 0, b"a vendor's")
    made = recorded_set(recording.create())
    records = SetRecords()
    records.add(made, recording.create())
    machine = [platform.participant(one.name, use) for one in platform.devices for use in one.sets]
    problem = platform.problem(
        participants=(part("a", made), part("b", made, of(NV12)), *machine),
        extents=Extents(coded=Extent(64, 64)),
    )
    call = SolverCall(problem, explained)
    message = encode_question(call, records)
    assert decode_question(message) == call
    assert message.count(recording.create()) == 1, "a set travels once"
    assert records.of(machine[0].sets[0]) is None


def test_an_answer_arrives_as_it_was_given() -> None:
    for answer in (solve(contradicting(4)), solve(alternatives(3)), "a bug"):
        assert decode_answer(encode_answer(answer)) == answer


def test_what_nobody_waits_for_is_ended_in_the_middle() -> None:
    message = encode_question(SolverCall(alternatives(3), explained=True), SetRecords())
    wanted = _Wanted()
    assert isinstance(decode_answer(_answer(1, message, wanted)), Answer)
    wanted.cancelled.add(1)
    assert decode_answer(_answer(1, message, wanted)) == "cancelled"


def test_a_question_that_breaks_the_solver_is_an_answer_in_words() -> None:
    assert decode_answer(_answer(1, b"no question", _Wanted())) != ""


def test_frames_come_out_of_whatever_pieces_arrive() -> None:
    frames = [Frame(FrameKind.READY, 0), Frame(FrameKind.ANSWER, 7, b"x" * 1000)]
    stream = b"".join(frame.encode() for frame in frames)
    for size in (1, 7, 16, 17, 5000):
        reader = FrameReader()
        pieces = (stream[at : at + size] for at in range(0, len(stream), size))
        assert [frame for piece in pieces for frame in reader.feed(piece)] == frames


def test_sets_are_told_apart_by_all_that_was_sent() -> None:
    def digest(*requests: tuple[int, bytes]) -> bytes:
        recording = SetRecording()
        for cost, formats in requests:
            recording.add_formats(cost, formats)
        made, records = recorded_set(recording.create()), SetRecords()
        records.add(made, recording.create())
        record = records.of(made)
        assert record is not None
        return record.digest

    one, other = encode_formats([NV12]), encode_formats([XRGB])
    digests = [digest((0, one)), digest((1, one)), digest((0, one + other)), digest((0, other))]
    digests.append(digest((0, one), (0, other)))
    assert len(set(digests)) == len(digests)
    assert digest((0, one)) == digests[0]
