"""What requests that arrive together cost, counted in calls.

libwayland reads 4 KiB of a client's and handles all of that before anybody else has a turn.
`bench/bench_requests.py` has the milliseconds.
"""

from __future__ import annotations

import struct
import sys
from dataclasses import replace
from functools import partial

import pytest
from stage import NV12, SIZE, XRGB, Allocator, Stage

from heapwire.compositor_plugin import broker
from heapwire.compositor_plugin.answering import answer_schedule
from heapwire.compositor_plugin.server import library
from heapwire.protocol.wire import CLIENT_SET_BYTES
from heapwire.protocol.wire.array import encode_formats

UNKNOWN = 0x7F000100
MANY = 40


@pytest.fixture
def stage():
    with Stage() as stage:
        yield stage


def calls_of_dispatch(stage: Stage) -> int:
    """Functions that are called, Python's and C's, while what has arrived is handled."""
    count = 0

    def counted(_frame, event: str, _argument) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    pointer = stage.display.loop.pointer
    dispatch = library().wl_event_loop_dispatch
    sys.setprofile(counted)
    try:
        dispatch(pointer, 0)
    finally:
        sys.setprofile(None)
    return count


def adds(client) -> int:
    creator = client.new("xx_dmabuf_constraint_set_creator_v1")
    client.request(client.manager, "create_constraint_set", creator)
    for number in range(MANY):
        value = struct.pack("=Q", number)
        client.request(creator, "add", UNKNOWN + number, 0, 0, 0, value, pump=False)
    return MANY


def sets(client) -> int:
    for _ in range(MANY):
        creator = client.new("xx_dmabuf_constraint_set_creator_v1")
        set_ = client.new("xx_dmabuf_constraint_set_v1")
        client.request(client.manager, "create_constraint_set", creator, pump=False)
        client.request(creator, "add_formats", 0, encode_formats([NV12]), pump=False)
        client.request(creator, "create", set_, pump=False)
    return 3 * MANY


def negotiations(client) -> int:
    for _ in range(MANY):
        id_ = client.new("xx_dmabuf_negotiation_v1")
        client.request(client.manager, "get_default_negotiation", id_, pump=False)
    return MANY


def states(client) -> int:
    negotiation = client.negotiation()
    for _ in range(MANY):
        client.request(negotiation, "set_extents", 640, 480, 0, 0, 0, 0, pump=False)
        client.request(negotiation, "set_content", 0, 0, 2, 0, pump=False)
        client.request(negotiation, "set_buffer_count", 1, 1, pump=False)
        client.request(negotiation, "unset_fixed_layout", pump=False)
    return 4 * MANY


def destroyed(client) -> int:
    ids = [client.negotiation() for _ in range(MANY)]
    for negotiation in ids:
        client.ask(negotiation)
    for negotiation in ids:
        client.request(negotiation, "destroy", pump=False)
    return MANY


def given_up(client) -> int:
    allocator = Allocator(client.stage)
    ids = [allocator.client.allocate(allocator.plan, pump=False) for _ in range(MANY)]
    client.stage.finish_work()
    for allocation in ids:
        allocator.client.request(allocation, "destroy", pump=False)
    return MANY


@pytest.mark.parametrize(
    ("burst", "most"),
    [(adds, 25), (sets, 30), (negotiations, 30), (states, 20), (destroyed, 34), (given_up, 19)],
)
def test_a_request_takes_few_calls(stage, burst, most) -> None:
    client = stage.client()
    number = burst(client)
    stage.plugin._state.answers._begin = lambda: None  # which comes later, in slices
    assert calls_of_dispatch(stage) <= most * number
    assert not client.closed


def narrow(stage: Stage) -> None:
    """Let one turn fill a slice."""
    times = iter(range(1 << 30))
    stage.plugin._state.answers._clock = lambda: float(next(times))


def test_what_ended_objects_had_is_let_go_in_slices(stage, monkeypatch) -> None:
    client = stage.client()
    for negotiation in [client.negotiation() for _ in range(MANY)]:
        client.ask(negotiation)
        client.watch(client.thing("buffer"))
    narrow(stage)
    state = stage.plugin._state
    ended: list[int] = []
    slice_ = answer_schedule.AnswerSchedule._slice

    def counted(schedule) -> None:
        before = len(schedule._ended)
        slice_(schedule)
        ended.append(before - len(schedule._ended))

    answers = stage.plugin._state.answers
    monkeypatch.setattr(answers._idle, "_callback", partial(counted, answers))
    client.close()
    stage.clients.remove(client)
    stage.display.dispatch(100)
    assert state.answers._ended
    assert not state.negotiations.all()
    assert not state.statuses.all()
    stage.until(lambda: not state.answers.busy)
    assert max(ended) == 1
    assert sum(ended) == 2 * MANY


def test_nothing_is_worked_out_for_ended_objects_meanwhile(stage) -> None:
    """Their client is no more either: a look at its connection would be a look at freed memory."""
    client = stage.client()
    client.ask(client.negotiation(client.thing("surface")))
    surface = client.served(client.thing("surface")).address
    answers = stage.plugin._state.answers
    answers._begin = lambda: None  # no slice comes
    client.close()
    stage.clients.remove(client)
    stage.display.dispatch(100)
    assert answers._ended
    stage.plugin.platform_changed(stage.platform)
    stage.plugin.surface_changed(surface)
    assert answers._turns.next is None


def test_of_a_client_that_ended_nothing_is_left_to_tell(stage) -> None:
    """Whatever object of its own it was to be told through."""
    client = stage.client()
    client.bind("xx_dmabuf_sources_v1")
    client.negotiation()
    answers = stage.plugin._state.answers
    answers._begin = lambda: None  # no slice comes
    stage.plugin.platform_changed(replace(stage.platform, sources=stage.platform.sources[1:]))
    assert answers._turns.next is not None
    client.close()
    stage.clients.remove(client)
    stage.display.dispatch(100)
    assert answers._turns.next is None
    assert len(answers._turns) == 0


def test_sets_of_an_object_that_was_destroyed_are_not_held_against_its_client(stage) -> None:
    """Although they are there until a slice lets go of them."""
    client = stage.client()
    negotiation = client.negotiation()
    client.request(negotiation, "set_participant", 1, 1, 0, 0, "decoder")
    for _ in range(2):
        set_ = large_set(client)
        client.request(negotiation, "add_alternative", 1, set_)
        client.request(set_, "destroy")
    stage.plugin._state.answers._begin = lambda: None  # no slice comes
    client.request(negotiation, "destroy")
    large_set(client)
    assert not client.closed


def large_set(client) -> int:
    """Nearly half of what a client may have."""
    creator = client.new("xx_dmabuf_constraint_set_creator_v1")
    client.request(client.manager, "create_constraint_set", creator)
    client.request(creator, "add_formats", 0, encode_formats([NV12]))
    for number in range(CLIENT_SET_BYTES // 2 // 8300):
        client.request(creator, "add", UNKNOWN + number, 0, 0, 0, bytes(1024))
    set_ = client.new("xx_dmabuf_constraint_set_v1")
    client.request(creator, "create", set_)
    return set_


def test_the_same_question_is_recognised_without_a_look_at_what_it_says(stage, monkeypatch) -> None:
    client = stage.client()
    negotiation = client.negotiation(client.thing("surface"))
    client.ask(negotiation)
    [first] = client.batches(negotiation)
    looks: list[str] = []
    for name in ("question_key", "KeyHashedOnce"):
        there = getattr(broker, name)
        monkeypatch.setattr(
            broker, name, lambda *said, name=name, there=there: looks.append(name) or there(*said)
        )
    for cookie in (2, 3):
        client.request(negotiation, "set_extents", SIZE.width, SIZE.height, 0, 0, 0, 0)
        client.request(negotiation, "commit", cookie)
        [batch] = client.batches(negotiation)
        assert batch.cookie == cookie
        assert batch.says_the_same_as(first)
    assert looks == []
    stage.host.importable = frozenset((XRGB,))
    client.request(negotiation, "commit", 4)
    [batch] = client.batches(negotiation)
    assert batch.reason is not None
    assert looks


def test_of_another_machine_the_same_question_is_another(stage) -> None:
    client = stage.client()
    negotiation = client.negotiation()
    client.ask(negotiation)
    [first] = client.batches(negotiation)
    gone = first.offers[0].plan.layout.objects[0].source
    left = tuple(one for one in stage.platform.sources if one.id != gone)
    stage.plugin.platform_changed(replace(stage.platform, sources=left))
    client.request(negotiation, "commit", 2)
    batch = next(one for one in client.batches(negotiation) if one.cookie == 2)
    assert gone not in [
        entry.source for offer in batch.offers for entry in offer.plan.layout.objects
    ]


def test_what_is_asked_with_more_than_half_of_much_is_answered_in_the_next_pass(
    stage, monkeypatch
) -> None:
    """And not after a pause: whoever asks for a sign of life comes between the two."""
    client = stage.client()
    negotiation = client.negotiation()
    answers = stage.plugin._state.answers
    monkeypatch.setattr(answer_schedule, "PAUSE", 60_000)
    for cookie, much, told in ((1, 2 * MANY, [[1], []]), (2, 2 * MANY - 2, [[], [2]])):
        answers._much = much
        client.request(negotiation, "commit", cookie, pump=False)
        for _ in range(MANY):
            client.request(negotiation, "set_extents", 640, 480, 0, 0, 0, 0, pump=False)
        found = []
        for _ in range(2):
            stage.display.dispatch(0)
            client.read()
            found.append([batch.cookie for batch in client.batches(negotiation)])
        assert found == told
