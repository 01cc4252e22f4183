"""What becomes of objects that a client destroys by the hundred: libwayland's go in slices.

Told from outside by `delete_id`, which comes when libwayland's object has gone.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from stage import NV12, Allocator, Client, Stage
from wire_client import DISPLAY

from heapwire.compositor_plugin.answering import answer_schedule
from heapwire.compositor_plugin.server import resource
from heapwire.compositor_plugin.server.resource import live_resources

MANY = 20
AT_ONCE = 3
INVALID_OBJECT, INVALID_METHOD = 0, 1  # of wl_display


@pytest.fixture
def stage(monkeypatch):
    monkeypatch.setattr(answer_schedule, "DESTROYED", AT_ONCE)
    with Stage() as stage:
        stage.candidate()
        yield stage


def sets(client: Client) -> list[int]:
    return [client.constraint_set(NV12) for _ in range(MANY)]


def creators(client: Client) -> list[int]:
    made = [client.new("xx_dmabuf_constraint_set_creator_v1") for _ in range(MANY)]
    for creator in made:
        client.request(client.manager, "create_constraint_set", creator, pump=False)
    return made


def negotiations(client: Client) -> list[int]:
    made = [client.negotiation() for _ in range(MANY)]
    for negotiation in made:
        client.ask(negotiation)
    return made


def statuses(client: Client) -> list[int]:
    return [client.watch(client.thing("buffer")) for _ in range(MANY)]


def allocations(client: Client) -> list[int]:
    plan = Allocator(client.stage).plan
    return [client.allocate(plan, pump=False) for _ in range(MANY)]


KINDS = (sets, creators, negotiations, statuses, allocations)


def without_slices(stage: Stage) -> Callable[[], None]:
    """No slice comes from here on, until what is returned is called."""
    answers = stage.plugin._state.answers
    begin = answers._begin
    answers._begin = lambda: None

    def begin_again() -> None:
        answers._begin = begin
        begin()
        stage.until(lambda: not answers.busy)

    return begin_again


def destroyed(stage: Stage, client: Client, objects: list[int]) -> Callable[[], None]:
    """All of them are destroyed, and no slice comes yet."""
    client.pump()
    stage.finish_work()
    told_gone(client)
    client.events.clear()
    begin = without_slices(stage)
    stage.plugin._state.answers._destroyed = 0  # as after a slice
    for object_ in objects:
        client.request(object_, "destroy", pump=False)
    client.pump()
    return begin


def told_gone(client: Client) -> set[int]:
    """The ids that the client may use again, which libwayland sends with whatever comes next."""
    client.request(DISPLAY, "sync", client.new("wl_callback"))
    gone = {event.args[0] for event in client.of(DISPLAY) if event.name == "delete_id"}
    return {one for one in gone if client.objects[one] != "wl_callback"}


@pytest.mark.parametrize("make", KINDS)
def test_most_of_many_go_in_slices_and_are_no_more_at_once(stage, make) -> None:
    client = stage.client()
    objects = make(client)
    client.pump()
    served = [client.served(one) for one in objects]
    begin = destroyed(stage, client, objects)
    assert not any(one.alive for one in served)
    assert not set(served) & set(live_resources())
    assert told_gone(client) == set(objects[:AT_ONCE])
    begin()
    assert told_gone(client) == set(objects)
    assert client.error is None
    assert not resource._left


@pytest.mark.parametrize("late", [False, True])
def test_to_use_what_is_destroyed_is_the_same_error_at_once_and_later(stage, late) -> None:
    client = stage.client()
    objects = sets(client)
    begin = destroyed(stage, client, objects)
    one = objects[-1 if late else 0]
    client.request(one, "destroy")
    assert client.error == (DISPLAY, INVALID_OBJECT, f"invalid object {one}")
    begin()


@pytest.mark.parametrize("late", [False, True])
def test_to_name_what_is_destroyed_is_the_same_error_at_once_and_later(stage, late) -> None:
    client = stage.client()
    negotiation = client.negotiation()
    client.request(negotiation, "set_participant", 1, 1, 0, 0, "decoder")
    objects = sets(client)
    begin = destroyed(stage, client, objects)
    client.request(negotiation, "add_alternative", 1, objects[-1 if late else 0])
    assert client.error is not None
    assert client.error[:2] == (DISPLAY, INVALID_METHOD)
    said = client.error.message.replace("@", "#")  # as libwayland writes it before 1.22
    assert said == f"invalid arguments for xx_dmabuf_negotiation_v1#{negotiation}.add_alternative"
    begin()


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("plugin_first", [False, True])
def test_who_hangs_up_then_leaves_nothing(stage, make, plugin_first) -> None:
    """The fixture of all tests looks for what is left."""
    client = stage.client()
    begin = destroyed(stage, client, make(client))
    assert resource._left
    if plugin_first:
        stage.plugin.close()
        assert not resource._left
    for one in tuple(stage.clients):
        one.close()
        stage.clients.remove(one)
    stage.until(lambda: not live_resources())
    assert not resource._left
    if not plugin_first:
        begin()  # what waits for a slice is freed memory by now, and is not touched


def test_no_more_wait_than_there_may(stage, monkeypatch) -> None:
    """What a client makes and destroys while no slice comes has no end."""
    monkeypatch.setattr(resource, "_MOST_LEFT", 5)
    client = stage.client()
    begin = destroyed(stage, client, sets(client))
    assert len(resource._left) == 5
    assert len(told_gone(client)) == MANY - 5
    begin()
    assert not resource._left


def test_memory_that_nobody_waits_for_any_more_is_not_allocated(stage) -> None:
    """What waited for its turn is let go of in slices too."""
    allocator = Allocator(stage)
    client, state = allocator.client, stage.plugin._state
    begin = without_slices(stage)
    objects = [client.allocate(allocator.plan, pump=False) for _ in range(MANY)]
    client.pump()
    for object_ in objects:
        client.request(object_, "destroy", pump=False)
    client.pump()
    assert len(state.answers._turns) == MANY
    charged: list[object] = []
    state.accounts.charge = lambda *what: charged.append(what)
    begin()
    assert not charged
    assert len(state.answers._turns) == 0
    assert client.error is None
