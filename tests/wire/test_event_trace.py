"""A client's capture: the events as they came, and what they said."""

from __future__ import annotations

import json

import pytest

from heapwire.protocol import Document, InputError, Json
from heapwire.protocol.wire import (
    Batch,
    Event,
    parse_trace,
    trace_differences,
    trace_document,
)

EVENTS: list[Event] = [
    ("shown", (1, 2)),
    ("plan", (0, 1, 1, 0, 2, 1, 64, 64, 3)),
    ("plan_source", (0, 250, 1, 1)),
    ("plan_constraint", (1, 0, 0, 0, (64).to_bytes(8, "little"))),
    ("failed", (1, 7, 0, "nö")),
]


def written() -> Document:
    document: Document = json.loads(json.dumps(trace_document(EVENTS)))
    return document


def test_a_trace_is_read_and_says_the_same() -> None:
    trace = parse_trace(written())
    assert trace.events == tuple(event for event in EVENTS if event[0] != "shown")
    assert trace_differences(trace) is None


def test_another_batch_is_a_difference() -> None:
    document = written()
    batches = document["batches"]
    assert isinstance(batches, list)
    assert isinstance(batches[0], dict)
    batches[0]["message"] = "no"
    told = trace_differences(parse_trace(document))
    assert told is not None
    assert ('"no"' in told[0], '"nö"' in told[1]) == (True, True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kind": "heapwire capture"}, "not a heapwire exchange of schema_version 1"),
        ({"schema_version": 2}, "not a heapwire exchange of schema_version 1"),
        ({"events": None}, "no list of events"),
        ({"events": [["shown", 1, 2]]}, r"events\[0\] is no event"),
        ({"events": [["done", 1, 2], []]}, r"events\[1\] is no event"),
        ({"events": [["done", 1, 2.5]]}, r"events\[0\]: 2.5 is no argument"),
        (
            {"events": [["plan_constraint", 1, 0, 0, 0, {"bytes": "0"}]]},
            r"events\[0\]: '0' is not bytes",
        ),
    ],
)
def test_what_is_no_trace(changed: dict[str, Json], said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_trace({**written(), **changed})


def test_two_batches_that_answer_other_commits_may_say_the_same() -> None:
    batch = Batch(cookie=1, serial=2, message="no")
    assert batch.says_the_same_as(Batch(cookie=3, serial=4, message="no"))
    assert not batch.says_the_same_as(Batch(cookie=1, serial=2, message="yes"))
