"""Questions that take longer than a slice: the loop goes on, and an answer comes all the same."""

from __future__ import annotations

import logging
import os
import signal
import time
from contextlib import suppress

import pytest
from heavy_questions import Gate, ask_fences, ask_heavily, ask_odd_pitches, later
from stage import Allocator, Stage

from heapwire.compositor_plugin.answering import batch_solver, solver_process, solver_queue
from heapwire.protocol.values import FailureReason


@pytest.fixture
def stage():
    with Stage() as stage:
        yield stage


@pytest.fixture
def gate(stage, monkeypatch):
    gate = Gate(stage, monkeypatch)
    yield gate
    with suppress(ProcessLookupError):
        gate.open()


def test_others_are_answered_while_it_is_solved(stage, gate) -> None:
    heavy, light = stage.client(), stage.client()
    slow, quick = heavy.negotiation(), light.negotiation()
    ask_heavily(heavy, slow, 1)
    gate.wait()
    light.ask(quick, 7)
    assert light.batches(quick)[-1].cookie == 7
    assert heavy.batches(slow) == []
    gate.open()
    [batch] = later(stage, heavy, slow)
    assert (batch.cookie, batch.reason) == (1, None)
    assert batch.offers


@pytest.mark.parametrize("ask", [ask_heavily, ask_fences, ask_odd_pitches])
def test_the_answer_is_the_one_that_is_found_on_the_loop(stage, monkeypatch, ask) -> None:
    client = stage.client()
    elsewhere, here = client.negotiation(), client.negotiation()
    ask(client, elsewhere, 1)
    found = later(stage, client, elsewhere)[-1]
    stage.plugin._state.broker._answered._kept.clear()
    monkeypatch.setattr(batch_solver, "tried", lambda call, memory: call.solve(memory=memory))
    ask(client, here, 1)
    assert client.batches(here)[-1].says_the_same_as(found)


def test_a_newer_commit_overtakes_it(stage, gate) -> None:
    client = stage.client()
    negotiation = client.negotiation()
    ask_heavily(client, negotiation, 1)
    gate.wait()
    client.request(negotiation, "remove_participant", 1)
    client.ask(negotiation, 2)
    batches = client.batches(negotiation)
    assert [(one.cookie, one.reason) for one in batches] == [
        (1, FailureReason.SUPERSEDED),
        (2, None),
    ]
    gate.open()
    stage.finish_work()
    assert client.batches(negotiation) == []


def test_a_surface_that_goes_ends_it(stage, gate) -> None:
    client = stage.client()
    surface = client.thing("surface")
    negotiation = client.negotiation(surface)
    ask_heavily(client, negotiation, 1)
    gate.wait()
    client.request(surface, "destroy")
    last = client.batches(negotiation)[-1]
    assert (last.cookie, last.reason) == (1, FailureReason.NO_SURFACE)
    gate.open()
    stage.finish_work()
    assert client.batches(negotiation) == []


def test_nothing_is_solved_or_waits_for_longer_than_was_decided() -> None:
    """The others lower these, so that they pass: only this sees one that is higher."""
    assert (solver_queue.DEADLINE, solver_queue.GRACE) == (5_000, 500)  # milliseconds
    assert solver_queue.PATIENCE == 10_000  # docs/security.md


def test_what_takes_too_long_once_it_has_begun_is_ended(stage, gate, monkeypatch) -> None:
    monkeypatch.setattr(solver_queue, "DEADLINE", 1)
    monkeypatch.setattr(solver_queue, "GRACE", 1)
    client = stage.client()
    negotiation = client.negotiation()
    ask_heavily(client, negotiation, 1)
    batch = later(stage, client, negotiation)[-1]
    assert (batch.cookie, batch.reason) == (1, FailureReason.BUSY)
    assert "too busy" in batch.message
    stage.finish_work()
    monkeypatch.undo()
    client.request(negotiation, "commit", 2)
    assert later(stage, client, negotiation)[-1].offers


def test_what_waits_too_long_for_others_is_told_so(stage, gate, monkeypatch) -> None:
    first, second = stage.client(), stage.client()
    ask_heavily(first, first.negotiation(), 1)
    gate.wait()
    monkeypatch.setattr(solver_queue, "PATIENCE", 1)
    negotiation = second.negotiation()
    ask_heavily(second, negotiation, 2)
    batch = later(stage, second, negotiation)[-1]
    assert (batch.cookie, batch.reason) == (2, FailureReason.BUSY)
    assert "busy with other questions" in batch.message
    assert "fewer" not in batch.message, "it is not the question's fault"


def test_no_question_is_refused_while_the_process_starts(stage, monkeypatch) -> None:
    """However long that takes, on a slow machine: nobody else's question is in the way."""
    client = stage.client()
    negotiation = client.negotiation()
    solving = stage.plugin._state.solving
    with monkeypatch.context() as hurried:
        hurried.setattr(solver_queue, "PATIENCE", 1)
        ask_heavily(client, negotiation, 1)
        stage.until(lambda: solving._process is not None)
        os.kill(solving._process.pid, signal.SIGSTOP)
        for _ in range(5):
            time.sleep(0.005)
            assert client.batches(negotiation) == []
    os.kill(solving._process.pid, signal.SIGCONT)
    assert later(stage, client, negotiation)[-1].offers


def test_a_process_that_never_gets_ready_is_ended(stage, monkeypatch, caplog) -> None:
    client = stage.client()
    negotiation = client.negotiation()
    with monkeypatch.context() as hanging:
        hanging.setattr(solver_process, "_BOOT", "import time; time.sleep(3600)")
        hanging.setattr(solver_queue, "STARTING", 1)
        ask_heavily(client, negotiation, 1)
        batch = later(stage, client, negotiation)[-1]
    assert batch.reason is FailureReason.INTERNAL
    assert "does not get ready" in caplog.text
    client.request(negotiation, "commit", 2)
    assert later(stage, client, negotiation)[-1].offers


@pytest.mark.parametrize("how", ["destroyed", "disconnected"])
def test_a_client_that_leaves_is_not_waited_for(stage, gate, monkeypatch, how) -> None:
    """Though the process does not listen: it is ended, and another one started."""
    monkeypatch.setattr(solver_queue, "GRACE", 1)
    client, other = stage.client(), stage.client()
    negotiation = client.negotiation()
    ask_heavily(client, negotiation, 1)
    gate.wait()
    gate.shut = False
    if how == "destroyed":
        client.request(negotiation, "destroy")
    else:
        client.close()
        stage.clients.remove(client)
        stage.display.dispatch(0)
    asked = other.negotiation()
    ask_heavily(other, asked, 3)
    assert later(stage, other, asked)[-1].reason is None
    assert len(set(gate.pids)) == 2


def test_clients_have_their_turns(stage, gate) -> None:
    greedy, modest = stage.client(), stage.client()
    for cookie in range(1, 5):
        ask_heavily(greedy, greedy.negotiation(), cookie)
    gate.wait()
    negotiation = modest.negotiation()
    ask_heavily(modest, negotiation, 1)
    gate.open()
    stage.finish_work()
    addresses = [client.client.address for client in (greedy, modest)]
    assert [addresses.index(one) for one in gate.asked] == [0, 0, 1, 0, 0] or [
        addresses.index(one) for one in gate.asked
    ] == [0, 1, 0, 0, 0]


@pytest.mark.parametrize("ends", ["before it is ready", "while it solves"])
def test_a_process_that_ends_by_itself_is_not_the_end(
    stage, gate, monkeypatch, caplog, ends
) -> None:
    client = stage.client()
    negotiation = client.negotiation()
    with monkeypatch.context() as broken:
        if ends == "before it is ready":
            broken.setattr(solver_process, "_BOOT", "raise SystemExit(1)")
        ask_heavily(client, negotiation, 1)
        if ends == "while it solves":
            gate.wait()
            stage.plugin._state.solving._process._process.kill()
        batch = later(stage, client, negotiation)[-1]
    assert (batch.cookie, batch.reason) == (1, FailureReason.INTERNAL)
    assert "a negotiation cannot be answered" in caplog.text
    gate.shut = False
    client.request(negotiation, "commit", 2)
    assert later(stage, client, negotiation)[-1].reason is None


def test_a_python_that_cannot_be_started_fails_the_answer(stage, monkeypatch, caplog) -> None:
    client = stage.client()
    negotiation = client.negotiation()
    with monkeypatch.context() as without:
        without.setattr(solver_process.sys, "executable", "/nonexistent/python")
        ask_heavily(client, negotiation, 1)
        batch = later(stage, client, negotiation)[-1]
    assert batch.reason is FailureReason.INTERNAL
    assert "no process can be started" in caplog.text


def test_a_solver_that_fails_is_logged_once_for_a_client(stage, monkeypatch, caplog) -> None:
    def broken(call, budget=None):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(batch_solver.SolverCall, "solve", broken)
    clients = [stage.client() for _ in range(2)]
    with caplog.at_level(logging.ERROR):
        for client in clients:
            negotiation = client.negotiation()
            for cookie in range(1, 6):
                client.ask(negotiation, cookie)
                batch = client.batches(negotiation)[-1]
                assert (batch.cookie, batch.reason) == (cookie, FailureReason.INTERNAL)
    assert len(caplog.records) == len(clients)


def test_what_changes_meanwhile_is_told_afterwards(stage, gate) -> None:
    stage.candidate(False)
    client = stage.client()
    surface = client.thing("surface")
    negotiation = client.negotiation(surface)
    ask_heavily(client, negotiation, 1)
    gate.wait()
    stage.candidate()
    stage.plugin.surface_changed(client.served(surface).address)
    gate.open()
    found = later(stage, client, negotiation, 2)
    assert [one.cookie for one in found] == [1, 0]
    assert [any(offer.plan.scanout for offer in one.offers) for one in found] == [False, True]


def test_allocating_does_not_wait_for_it(stage, gate) -> None:
    stage.candidate()
    heavy = stage.client()
    negotiation = heavy.negotiation()
    ask_heavily(heavy, negotiation, 1)
    gate.wait()
    allocator = Allocator(stage)
    assert allocator.allocate()[1][-1] == ("done",)
    assert heavy.batches(negotiation) == []


def test_the_end_waits_for_nothing(stage, gate) -> None:
    """The process cannot have answered: it is stopped. It is ended all the same."""
    client = stage.client()
    ask_heavily(client, client.negotiation(), 1)
    gate.wait()
    process = stage.plugin._state.solving._process._process
    stage.plugin.close()
    stage.until(process.has_ended)


def test_a_process_without_a_question_is_ended(stage, monkeypatch) -> None:
    monkeypatch.setattr(solver_queue, "IDLE", 1)
    client = stage.client()
    negotiation = client.negotiation()
    ask_heavily(client, negotiation, 1)
    later(stage, client, negotiation)
    stage.until(lambda: stage.plugin._state.solving._process is None)
    client.request(negotiation, "commit", 2)
    ask_heavily(client, client.negotiation(), 1)
    stage.finish_work()


def test_a_process_that_comes_too_late_for_its_question_is_ended(stage, monkeypatch) -> None:
    """Its asker has gone while it started, and nobody else has come."""
    monkeypatch.setattr(solver_queue, "IDLE", 1)
    client = stage.client()
    ask_heavily(client, client.negotiation(), 1)
    solving = stage.plugin._state.solving
    stage.until(lambda: solving._process is not None)
    client.close()
    stage.clients.remove(client)
    stage.until(lambda: solving._process is None)
