"""The machine changes under the plugin: clients get new answers, and nobody an error."""

from __future__ import annotations

import gc
import itertools
import threading
import weakref
from dataclasses import replace

import pytest
from patience import turns
from stage import Events, Stage

from heapwire.protocol.values import FailureReason
from heapwire.protocol.wire import Explanation


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
    for _ in turns(1000, "all turns"):
        if not answers.busy:
            break
        stage.display.dispatch(50)
        sizes.append(len(kept._kept))
    assert sizes[0] == 60
    assert sizes[-1] == 0
    in_a_pass = [before - after for before, after in itertools.pairwise(sizes)]
    assert max(in_a_pass) <= 2 * 16  # it has two slices


def another(source):
    """What has a source's numbers now, and is another source."""
    return replace(source, name=f"{source.name} of a module loaded since")


def test_numbers_that_come_again_are_a_new_source_and_a_new_answer(stage) -> None:
    """As the protocol says: the same plans mean other memory from then on."""
    client = stage.client()
    negotiation = client.negotiation()
    client.ask(negotiation, decoder=stage.decoder())
    client.request(negotiation, "set_explanation", Explanation.NONE)
    client.request(negotiation, "commit", 2)
    told = client.batches(negotiation)[-1]
    names(client)
    used = told.offers[0].plan.layout.objects[0].source
    sources = tuple(another(one) if one.id == used else one for one in stage.platform.sources)
    stage.plugin.platform_changed(replace(stage.platform, sources=sources))
    stage.settle()
    assert names(client) == ["source_gone", "source", "done"]
    [batch] = client.batches(negotiation)
    assert (batch.cookie, batch.says_the_same_as(told)) == (0, True)
    assert batch.serial != told.serial
    stage.plugin.platform_changed(replace(stage.platform, sources=sources, title="looked at"))
    stage.settle()
    assert names(client) == client.batches(negotiation) == []


def test_a_plan_of_what_is_gone_is_kept_for_no_source_that_has_its_numbers(stage) -> None:
    """Buffers of before are of other memory: what is nearest to them now is nothing better."""
    client = stage.client()
    negotiation = client.negotiation()
    client.ask(negotiation)
    told = client.batches(negotiation)[-1]
    others = [offer for offer in told.offers if offer.plan.layout != told.offers[0].plan.layout]
    client.request(negotiation, "use_plan", told.serial, others[-1].index)
    used = {one.source for one in others[-1].plan.layout.objects}
    sources = tuple(another(one) if one.id in used else one for one in stage.platform.sources)
    stage.plugin.platform_changed(replace(stage.platform, sources=sources))
    stage.settle()
    assert client.batches(negotiation)[-1].offers[0].plan == told.offers[0].plan
