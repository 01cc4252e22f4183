"""What the collector looks at together stays little, however long answers come and go."""

from __future__ import annotations

import gc

import pytest
from stage import Stage

from heapwire.compositor_plugin import garbage
from heapwire.compositor_plugin.answering.answer_schedule import TURNS

KEPT = 100  # answers
OBJECTS = 120  # of a turn; the two of a question leave some 90 together


@pytest.fixture
def stage():
    with Stage() as stage:
        yield stage


@pytest.fixture
def spared():
    threshold = gc.get_threshold()
    garbage.spare_the_loop()
    yield
    garbage._spared = False
    gc.set_threshold(*threshold)
    gc.unfreeze()


def asked(stage: Stage, questions: int) -> int:
    """Ask as many new ones as that; the most objects that were young at once, as they came."""
    client = stage.client()
    negotiation = client.negotiation()
    client.ask(negotiation, decoder=stage.decoder())
    most = 0
    for number in range(questions):
        client.request(negotiation, "set_extents", 64 + 16 * number, 64, 0, 0, 0, 0, pump=False)
        client.request(negotiation, "commit", 1)
        client.events.clear()
        most = max(most, len(gc.get_objects(generation=0)))
    return most


def test_old_answers_that_make_room_hide_nothing_from_the_collector(stage, spared) -> None:
    """It counts what has come less what has gone, which is nothing while each new one is kept."""
    store = stage.plugin._state.broker._answered
    asked(stage, 1)
    store._most = KEPT * store.size
    asked(stage, KEPT)
    assert asked(stage, 2 * KEPT) < TURNS * OBJECTS


def test_in_an_interpreter_of_somebody_elses_nothing_is_collected(stage, monkeypatch) -> None:
    monkeypatch.setattr(garbage, "_spared", False)  # whatever ran in this process before
    looked: list[int] = []
    monkeypatch.setattr(gc, "collect", looked.append)
    asked(stage, 2 * TURNS)
    assert stage.plugin._state.answers._taken >= 2 * TURNS
    assert looked == []
