"""A client that does not read is neither ended nor written to, and is told the latest later."""

from __future__ import annotations

import os
import socket
import threading

import pytest
from patience import PATIENCE, turns, until
from stage import NV12, SIZE, Allocator, Stage
from wire_client import DISPLAY

from heapwire.compositor_plugin import allocation
from heapwire.compositor_plugin.answering.turn_queue import Turn, TurnQueue

NEGOTIATIONS = 250
SIZES = (640, 720, 800)


@pytest.fixture
def stage():
    with Stage() as stage:
        yield stage


def work_without_reading(stage: Stage) -> None:
    """Let the compositor do what it can while nobody reads."""
    for _ in range(50):
        stage.display.dispatch(1)


def ask(client, negotiations: list[int], width: int) -> None:
    for negotiation in negotiations:
        client.request(negotiation, "set_extents", width, SIZE.height, 0, 0, 0, 0, pump=False)
        client.request(negotiation, "commit", width, pump=False)


@pytest.fixture
def silent(stage):
    """A client with hundreds of negotiations, whose socket holds little."""
    client = stage.client()
    set_ = client.constraint_set(NV12)
    negotiations = [client.negotiation() for _ in range(NEGOTIATIONS)]
    for negotiation in negotiations:
        client.request(negotiation, "set_participant", 1, 1, 81, 3, "decoder", pump=False)
        client.request(negotiation, "add_alternative", 1, set_, pump=False)
        if negotiation % 16 == 0:
            client.pump()
    client.pump()
    stage.settle()
    for negotiation in negotiations:
        client.batches(negotiation)
    return client, negotiations


def test_who_does_not_read_for_long_has_the_current_answer_then(stage, silent) -> None:
    client, negotiations = silent
    for width in SIZES:
        for start in range(0, NEGOTIATIONS, 16):  # as much as a socket takes of requests
            ask(client, negotiations[start : start + 16], width)
            work_without_reading(stage)
    answers = stage.plugin._state.answers
    assert answers.busy, "all of it was sent, so nothing was tried"
    stage.until(lambda: not answers.busy)
    client.pump()
    assert not client.closed
    for negotiation in negotiations:
        assert client.batches(negotiation)[-1].cookie == SIZES[-1]


def test_others_are_answered_meanwhile(stage, silent) -> None:
    client, negotiations = silent
    other = stage.client()
    for width in SIZES:
        for start in range(0, NEGOTIATIONS, 16):
            ask(client, negotiations[start : start + 16], width)
            work_without_reading(stage)
    negotiation = other.negotiation()
    other.ask(negotiation, 7)
    assert other.batches(negotiation)[-1].cookie == 7
    assert stage.plugin._state.answers._held


def test_memory_waits_for_who_does_not_read(stage, monkeypatch) -> None:
    """All of it has been asked for, and begun, when the first is there."""
    count, begun, goes_on = 60, [], threading.Event()
    begin, allocate = allocation.Allocation._begin, allocation._allocate

    def begins(self, buffer) -> None:
        begin(self, buffer)
        begun.append(None)

    def slowly(*arguments):
        goes_on.wait(PATIENCE)
        return allocate(*arguments)

    monkeypatch.setattr(allocation.Allocation, "_begin", begins)
    monkeypatch.setattr(allocation, "_allocate", slowly)
    allocator = Allocator(stage)
    client = allocator.client
    with socket.socket(fileno=os.dup(client.client.fd)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the least that there is
    asked = [client.allocate(allocator.plan, pump=False) for _ in range(count)]
    until(lambda: len(begun) == count, "all to be begun", lambda: stage.display.dispatch(1))
    times = iter(range(1 << 30))
    stage.plugin._state.answers._clock = lambda: float(next(times))  # a slice for each, and sent
    told: list[None] = []
    stage.plugin._state.kernel_worker.submit(lambda: None, lambda _: told.append(None))
    goes_on.set()
    until(lambda: bool(told), "the memory", lambda: stage.display.dispatch(1))
    work_without_reading(stage)
    client.request(DISPLAY, "sync", client.new("wl_callback"), pump=False)  # who is at fault ends
    stage.until(lambda: client.closed or all(client.of(one) for one in asked))
    assert not client.closed
    for one in asked:
        assert [event[0] for event in client.take(one)] == ["object", "done"]


@pytest.mark.parametrize("how", ["hangs up", "destroys its objects", "is left by the plugin"])
def test_nothing_is_left_of_one_that_never_reads(stage, silent, how) -> None:
    client, negotiations = silent
    for width in SIZES:
        for start in range(0, NEGOTIATIONS, 16):
            ask(client, negotiations[start : start + 16], width)
            work_without_reading(stage)
    answers = stage.plugin._state.answers
    assert answers._held
    if how == "hangs up":
        client.socket.shutdown(socket.SHUT_RDWR)
    elif how == "destroys its objects":
        for negotiation in negotiations:
            client.request(negotiation, "destroy", pump=False)
    else:
        stage.plugin.close()
    work_without_reading(stage)
    assert not answers.busy
    if how != "destroys its objects":
        assert not answers._held


def test_one_that_has_new_objects_while_it_waits_waits_once(stage, silent) -> None:
    client, negotiations = silent
    for width in SIZES:
        for start in range(0, NEGOTIATIONS, 16):
            ask(client, negotiations[start : start + 16], width)
            work_without_reading(stage)
    sources = len(stage.plugin._state.answers._loop.sources)
    for negotiation in negotiations:
        client.request(negotiation, "destroy", pump=False)
    work_without_reading(stage)
    new = client.new("xx_dmabuf_negotiation_v1")
    client.request(client.manager, "get_default_negotiation", new, pump=False)
    client.request(new, "commit", 1, pump=False)
    work_without_reading(stage)
    answers = stage.plugin._state.answers
    assert answers.busy
    assert len(answers._loop.sources) == sources
    stage.until(lambda: not answers.busy)
    client.pump()
    assert client.batches(new)
    assert not answers._held


def take_all(queue: TurnQueue) -> None:
    for _ in turns(100, "the end of the queue"):
        if (work := queue.take()) is None:
            return
        work()


class TestPuttingAside:
    def test_others_come_first_until_it_is_brought_back(self) -> None:
        queue, done = TurnQueue(), []
        for client in ("a", "b"):
            for number in (1, 2):
                key = f"{client}{number}"
                queue.add(client, Turn.ANSWER, key, lambda key=key: done.append(key))
        queue.put_aside("a")
        queue.add("a", Turn.ANSWER, "a3", lambda: done.append("a3"))
        queue.discard("a2")
        assert len(queue) == 4
        take_all(queue)
        assert done == ["b1", "b2"]
        queue.bring_back("a")
        take_all(queue)
        assert done == ["b1", "b2", "a1", "a3"]
        assert len(queue) == 0

    def test_one_of_whom_nothing_is_left_does_not_come_back(self) -> None:
        queue = TurnQueue()
        queue.add("a", Turn.ANSWER, "a1", lambda: None)
        queue.put_aside("a")
        queue.discard("a1")
        queue.bring_back("a")
        assert queue.next is None
        assert len(queue) == 0
