"""Questions too heavy for the host's thread: the loop goes on, and an answer comes all the same."""

from __future__ import annotations

import threading

import pytest
from patience import PATIENCE
from stage import DECODE, NV12, SIZE, Allocator, Stage

from heapwire.compositor_plugin import batch_solver
from heapwire.protocol.values import FailureReason, FormatModifier
from heapwire.protocol.wire.array import format_chunks

FEWEST = batch_solver.LONG + 1  # pairs that make a question heavy


def ask_heavily(client, feedback: int, cookie: int) -> None:
    """A decoder that knows NV12 in thousands of made-up modifiers, and LINEAR."""
    client.request(feedback, "set_participant", 1, DECODE, 81, 3, "decoder")
    left = FEWEST
    while left > 0:
        pairs = [FormatModifier(NV12.fourcc, 1 << 56 | n) for n in range(min(left, 4095))]
        left -= len(pairs)
        creator = client.new("xx_dmabuf_constraint_set_creator_v1")
        set_ = client.new("xx_dmabuf_constraint_set_v1")
        client.request(client.manager, "create_constraint_set", creator)
        for chunk in format_chunks([*pairs, NV12]):
            client.request(creator, "add_formats", 0, chunk)
        client.request(creator, "create", set_)
        client.request(feedback, "add_alternative", 1, set_)
    client.request(feedback, "set_extents", SIZE.width, SIZE.height, 0, 0, 0, 0)
    client.request(feedback, "commit", cookie)


class Gate:
    """Keeps the worker from solving until it is opened."""

    def __init__(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        self.threads: list[threading.Thread] = []
        self.passed = 0  # questions solved on another thread than the host's
        self._open = threading.Event()
        solve = stage.plugin._state.broker.batch

        def batch(question, **more):
            self.threads.append(threading.current_thread())
            if threading.current_thread() is not threading.main_thread():
                self._open.wait(PATIENCE)
                self.passed += 1
            return solve(question, **more)

        monkeypatch.setattr(stage.plugin._state.broker, "batch", batch)

    def open(self) -> None:
        self._open.set()


def test_others_are_answered_while_it_is_solved(monkeypatch) -> None:
    with Stage() as stage:
        gate = Gate(stage, monkeypatch)
        heavy, light = stage.client(), stage.client()
        slow = heavy.feedback()
        ask_heavily(heavy, slow, 1)
        quick = light.feedback()
        light.ask(quick, 7)
        assert light.batches(quick)[-1].cookie == 7
        assert [batch.cookie for batch in heavy.batches(slow)] == [0]
        gate.open()
        found: list[int] = []
        stage.until(lambda: found.extend(one.cookie for one in heavy.batches(slow)) or bool(found))
        assert found == [1]
        solved_here = [one is threading.main_thread() for one in gate.threads]
        assert solved_here.count(False) == 1


def test_a_newer_commit_overtakes_it(monkeypatch) -> None:
    with Stage() as stage:
        gate = Gate(stage, monkeypatch)
        client = stage.client()
        feedback = client.feedback()
        ask_heavily(client, feedback, 1)
        client.request(feedback, "remove_participant", 1)
        client.ask(feedback, 2)
        batches = client.batches(feedback)[1:]
        assert [(one.cookie, one.reason) for one in batches] == [
            (1, FailureReason.SUPERSEDED),
            (2, None),
        ]
        gate.open()
        stage.finish_work()
        assert client.batches(feedback) == []


def test_a_surface_that_goes_ends_it(monkeypatch) -> None:
    with Stage() as stage:
        gate = Gate(stage, monkeypatch)
        client = stage.client()
        surface = client.thing("surface")
        feedback = client.feedback(surface)
        ask_heavily(client, feedback, 1)
        client.request(surface, "destroy")
        last = client.batches(feedback)[-1]
        assert (last.cookie, last.reason) == (1, FailureReason.NO_SURFACE)
        gate.open()
        stage.finish_work()
        assert client.batches(feedback) == []


def test_it_has_a_deadline(monkeypatch) -> None:
    monkeypatch.setattr(batch_solver, "DEADLINE", 1)
    with Stage() as stage:
        gate = Gate(stage, monkeypatch)
        client = stage.client()
        feedback = client.feedback()
        ask_heavily(client, feedback, 1)
        found = client.batches(feedback)
        stage.until(lambda: found.extend(client.batches(feedback)) or len(found) > 1)
        assert (found[1].cookie, found[1].reason) == (1, FailureReason.TOO_COMPLEX)
        gate.open()
        stage.finish_work()


@pytest.mark.parametrize("how", ["destroyed", "disconnected"])
def test_a_client_that_leaves_is_not_waited_for(monkeypatch, how) -> None:
    with Stage() as stage:
        gate = Gate(stage, monkeypatch)
        client = stage.client()
        feedback = client.feedback()
        ask_heavily(client, feedback, 1)
        if how == "destroyed":
            client.request(feedback, "destroy")
        else:
            client.close()
            stage.clients.remove(client)
            stage.display.dispatch(0)
        gate.open()
        stage.finish_work()
        other = stage.client()
        asked = other.feedback()
        other.ask(asked, 3)
        assert other.batches(asked)[-1].reason is None


def test_a_solver_that_fails_is_told_as_internal(monkeypatch) -> None:
    with Stage() as stage:
        client = stage.client()
        feedback = client.feedback()

        def broken(question, **more):
            raise ZeroDivisionError("a bug")

        monkeypatch.setattr(stage.plugin._state.broker, "batch", broken)
        client.ask(feedback, 1)
        batch = client.batches(feedback)[-1]
        assert (batch.cookie, batch.reason) == (1, FailureReason.INTERNAL)


def test_what_changes_meanwhile_is_told_afterwards(monkeypatch) -> None:
    with Stage() as stage:
        stage.candidate(False)
        gate = Gate(stage, monkeypatch)
        client = stage.client()
        surface = client.thing("surface")
        feedback = client.feedback(surface)
        ask_heavily(client, feedback, 1)
        stage.candidate()
        stage.plugin.surface_changed(client.served(surface).address)
        gate.open()
        found = client.batches(feedback)
        stage.until(lambda: found.extend(client.batches(feedback)) or len(found) > 2)
        assert [one.cookie for one in found] == [0, 1, 0]
        assert [any(offer.plan.scanout for offer in one.offers) for one in found[1:]] == [
            False,
            True,
        ]


def test_allocating_does_not_wait_for_it(monkeypatch) -> None:
    with Stage() as stage:
        stage.candidate()
        gate = Gate(stage, monkeypatch)
        heavy = stage.client()
        ask_heavily(heavy, heavy.feedback(), 1)
        allocator = Allocator(stage)
        assert allocator.allocate()[1][-1] == ("done",)
        assert gate.passed == 0, "the question is being solved still"
        gate.open()
        stage.finish_work()


def test_the_end_waits_for_nothing(monkeypatch) -> None:
    with Stage() as stage:
        gate = Gate(stage, monkeypatch)
        client = stage.client()
        ask_heavily(client, client.feedback(), 1)
        stage.until(lambda: gate.threads[-1] is not threading.main_thread())
        stage.plugin.close()
        assert gate.passed == 0, "the question is being solved still"
        gate.open()
        gate.threads[-1].join(PATIENCE)
        assert not gate.threads[-1].is_alive(), "the thread goes when it has nothing to do"


def test_what_is_allocated_when_the_end_comes_is_given_back(monkeypatch) -> None:
    with Stage() as stage:
        stage.candidate()
        allocator = Allocator(stage)
        memory = stage.platform.memory
        allocate = type(memory).allocate
        begun, goes_on = threading.Event(), threading.Event()
        threads: list[threading.Thread] = []

        def slowly(self, *arguments, **options):
            threads.append(threading.current_thread())
            begun.set()
            goes_on.wait(PATIENCE)
            return allocate(self, *arguments, **options)

        monkeypatch.setattr(type(memory), "allocate", slowly)
        client = allocator.client
        id_ = client.new("xx_dmabuf_allocation_v1")
        client.request(allocator.feedback, "allocate", id_, allocator.batch.serial, 0)
        assert begun.wait(PATIENCE)
        stage.plugin.close()
        goes_on.set()
        threads[0].join(PATIENCE)
        assert memory.live() == 0
