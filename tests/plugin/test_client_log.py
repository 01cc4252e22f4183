"""The lines on what each client asks, is answered and is given."""

from __future__ import annotations

import logging
import os

import pytest
from stage import SIZE, Allocator, Stage

from heapwire.compositor_plugin import SecurityContext
from heapwire.compositor_plugin.clients import ClientLog

ME = f"client with pid {os.getpid()}"


@pytest.fixture
def stage():
    with Stage() as stage:
        stage.candidate()
        yield stage


@pytest.fixture
def lines(stage):
    said: list[str] = []
    stage.plugin.listen("test", said.append)
    return said


def test_who_listens_hears_the_question_and_all_of_the_answer(stage, lines) -> None:
    client = stage.client()
    negotiation = client.negotiation(client.thing("surface"))
    client.ask(negotiation, 7, decoder=stage.decoder())
    stage.finish_work()
    assert all(line.startswith(f"{ME}: ") for line in lines)
    said = [line.removeprefix(f"{ME}: ") for line in lines]
    assert said[0].startswith(f"question 7: {SIZE}, for decoder (")
    assert said[1].startswith("answer to question 7: plan 0, for scanout: ")
    assert said[1].endswith(" from linux,cma")
    assert any(line.startswith("answer to question 7: not system: ") for line in said)


def test_a_failure_and_an_answer_that_came_unasked_are_told(stage, lines) -> None:
    client = stage.client()
    negotiation = client.negotiation(client.thing("surface"))
    client.ask(negotiation, 1, decoder=stage.decoder())
    stage.finish_work()
    lines.clear()
    stage.candidate(False)
    stage.plugin.surface_changed(stage.plugin._state.negotiations.all()[0].surface)
    stage.settle()
    assert lines[0].startswith(f"{ME}: answer that came unasked: plan 0, for sampling: ")
    lines.clear()
    client.request(negotiation, "commit", 2, pump=False)
    client.request(negotiation, "commit", 3)
    assert f"{ME}: answer to question 2: superseded" in lines


def test_memory_that_is_allocated_and_that_is_refused_is_told(stage, lines) -> None:
    allocator = Allocator(stage)
    lines.clear()
    allocator.allocate()
    size = allocator.plan.layout.objects[0].size
    assert lines == [
        f"{ME}: asks for {size} bytes of linux,cma",
        f"{ME}: allocated {size} bytes of linux,cma",
    ]
    lines.clear()
    stage.plugin.close()
    allocator.allocate()
    assert lines[1].startswith(f"{ME}: allocation refused: internal: ")


def test_what_became_of_a_buffer_is_told(stage, lines) -> None:
    client = stage.client()
    buffer = client.thing("buffer")
    client.watch(buffer)
    stage.plugin.buffer_shown(next(iter(stage.plugin._state.statuses._by_buffer)), scanned_out=True)
    assert lines == [f"{ME}: a buffer was scanout: reason none"]


@pytest.mark.parametrize("level", [logging.INFO, logging.DEBUG])
def test_lines_are_made_for_who_reads_them(stage, caplog, monkeypatch, level) -> None:
    made: list[object] = []
    monkeypatch.setattr(ClientLog, "say", lambda *arguments: made.append(arguments))
    caplog.set_level(level, "heapwire.clients")
    client = stage.client()
    client.ask(client.negotiation(client.thing("surface")), 1, decoder=stage.decoder())
    stage.finish_work()
    assert bool(made) is (level == logging.DEBUG)


def test_a_sandboxed_client_is_named_as_its_sandbox_has_it(stage, lines) -> None:
    stage.host.contexts = [SecurityContext("org.flatpak", "org.example.Player")]
    client = stage.client()
    client.ask(client.negotiation(), 1, decoder=stage.decoder())
    assert lines[0].startswith(f"{ME} (org.flatpak:org.example.Player): question 1: ")


def test_nothing_of_a_clients_moves_a_terminal(stage, lines) -> None:
    client = stage.client()
    negotiation = client.negotiation()
    client.request(negotiation, "set_participant", 1, 1, 81, 3, "\x1b[2J\nclient with pid 1: x")
    client.request(negotiation, "set_extents", SIZE.width, SIZE.height, 0, 0, 0, 0)
    client.request(negotiation, "commit", 1)
    assert lines
    assert all(line.isprintable() and line.startswith(f"{ME}: ") for line in lines)


def test_who_listens_and_fails_keeps_nobody_from_an_answer(stage, caplog) -> None:
    def broken(_line: str) -> None:
        raise RuntimeError("broken")

    stage.plugin.listen("test", broken)
    client = stage.client()
    negotiation = client.negotiation(client.thing("surface"))
    client.ask(negotiation, 1, decoder=stage.decoder())
    stage.finish_work()
    client.read()
    assert client.batches(negotiation)[0].offers
    assert "cannot be logged" in caplog.text
