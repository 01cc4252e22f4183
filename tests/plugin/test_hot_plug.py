"""The machine changes under the plugin: clients get new answers, and nobody an error."""

from __future__ import annotations

import gc
import itertools
import threading
import weakref
from dataclasses import replace

import pytest
from stage import Events, Stage

from heapwire.protocol.values import FailureReason


@pytest.fixture
def stage():
    with Stage() as stage:
        yield stage


def names(client) -> list[str]:
    return [event[0] for event in client.take(client.manager)]


def test_a_heap_that_goes_is_a_new_answer(stage, caplog) -> None:
    events, threads = Events(), []
    [cma] = [one for one in stage.platform.sources if one.contiguous]
    others = tuple(one for one in stage.platform.sources if one is not cma)

    def discover():
        threads.append(threading.current_thread())
        return replace(stage.platform, sources=others)

    stage.plugin.follow(events, discover)
    client = stage.client()
    negotiation = client.negotiation()
    client.ask(negotiation, decoder=stage.decoder())
    assert client.batches(negotiation)[-1].reason is None
    names(client)
    events.happen()
    told: list[str] = []
    stage.until(lambda: told.extend(names(client)) or "done" in told)
    assert told == ["source_gone", "done"]
    batch = client.batches(negotiation)[-1]
    assert (batch.cookie, batch.offers) == (0, ())
    assert batch.reason is FailureReason.CONFLICT
    assert client.error is None
    assert not caplog.records, "it is an answer, and not a failure to answer"
    assert threads[0] is not threading.main_thread()


def test_the_machine_is_looked_at_once_more_if_that_is_asked_for(stage) -> None:
    events, threads = Events(), []

    def discover():
        threads.append(threading.current_thread())
        return replace(stage.platform, title="looked at")

    stage.plugin.follow(events, discover, at_once=True)
    stage.until(lambda: stage.plugin.platform.title == "looked at")
    assert threads[0] is not threading.main_thread()
    assert len(threads) == 1


def test_a_machine_that_cannot_be_looked_at_stays_as_it_was(stage) -> None:
    events, tried = Events(), []

    def discover():
        tried.append(1)
        raise OSError("a device is gone")

    stage.plugin.follow(events, discover)
    client = stage.client()
    names(client)
    events.happen()
    stage.until(lambda: bool(tried))
    stage.finish_work()
    assert names(client) == []
    assert client.error is None


def test_the_watch_ends_with_the_plugin(stage) -> None:
    events = Events()
    stage.plugin.follow(events, lambda: stage.platform)
    stage.plugin.close()
    assert events.closed


def test_another_watch_ends_the_one_before(stage) -> None:
    before, after = Events(), Events()
    stage.plugin.follow(before, lambda: stage.platform)
    stage.plugin.follow(after, lambda: stage.platform)
    assert before.closed
    assert not after.closed


def test_nothing_is_kept_of_a_machine_that_was(stage) -> None:
    """Nor is it for the collector, which looks at what is old as good as never."""
    client = stage.client()
    negotiation = client.negotiation()
    client.ask(negotiation, decoder=stage.decoder())
    stage.finish_work()
    before = weakref.ref(stage.plugin._state.broker)
    gc.disable()
    try:
        stage.plugin.platform_changed(stage.platform)
        stage.finish_work()
        assert before() is None
    finally:
        gc.enable()


def test_it_is_let_go_of_in_turns(stage) -> None:
    client = stage.client()
    negotiation = client.negotiation()
    client.ask(negotiation, decoder=stage.decoder())
    for number in range(2, 61):
        client.request(negotiation, "set_extents", 64 * number, 64, 0, 0, 0, 0)
        client.request(negotiation, "commit", number)
        stage.finish_work()
    answers = stage.plugin._state.answers
    kept = stage.plugin._state.broker._answered
    sizes = [len(kept._kept)]
    ticks = itertools.count()
    answers._clock = lambda: float(next(ticks))  # one turn a slice
    stage.plugin.platform_changed(stage.platform)
    while answers.busy:
        stage.display.dispatch(50)
        sizes.append(len(kept._kept))
    assert sizes[0] == 60
    assert sizes[-1] == 0
    assert (
        max(before - after for before, after in itertools.pairwise(sizes)) <= 2 * 16
    )  # slices in a pass
