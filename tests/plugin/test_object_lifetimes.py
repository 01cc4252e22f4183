"""Every order in which a client can destroy its objects, and dying at each step."""

from __future__ import annotations

import errno
import gc
import itertools
import os
import weakref

import pytest
from open_files import open_fds
from stage import ScriptedHost, Stage

from heapwire.compositor_plugin import HeapPlugin
from heapwire.compositor_plugin.server import EventLoop, OwnDisplay, event_loop
from heapwire.compositor_plugin.server.resource import live_resources
from heapwire.kernel.description import Platform

OBJECTS = ("status", "negotiation", "surface", "buffer", "set", "allocation")


class Play:
    """A client with one object of each kind, all of them tied to each other, and no manager."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.client = client = stage.client()
        surface = client.thing("surface")
        negotiation = client.negotiation(surface)
        client.ask(negotiation)
        batch = client.batches(negotiation)[-1]
        buffer = client.thing("buffer")
        client.request(negotiation, "use_plan", batch.serial, 0)
        status = client.watch(buffer)
        set_ = client.constraint_set()
        client.request(negotiation, "add_alternative", 1, set_)
        allocation = client.allocate(batch.offers[0].plan)
        for manager in (client.manager, client.allocation_manager, client.status_manager):
            client.request(manager, "destroy")
        self.ids = dict(
            zip(
                OBJECTS,
                (status, negotiation, surface, buffer, set_, allocation),
                strict=True,
            )
        )
        self.addresses = {
            name: client.served(self.ids[name]).address for name in ("surface", "buffer")
        }
        self.refs = {name: weakref.ref(client.served(id_)) for name, id_ in self.ids.items()}

    def destroy(self, name: str) -> None:
        self.client.request(self.ids[name], "destroy")
        assert self.client.error is None

    def disturb(self) -> None:
        """All that the host and the machine may tell at any time, whoever is left."""
        plugin = self.stage.plugin
        self.stage.candidate(not self.stage.host.state.candidate)
        plugin.surface_changed(self.addresses["surface"])
        plugin.buffer_shown(self.addresses["buffer"], scanned_out=True)
        plugin.platform_changed(self.stage.platform)
        self.client.pump()

    def check(self, destroyed: tuple[str, ...]) -> None:
        """What was destroyed is gone, what was not is there."""
        gc.collect()
        alive = {name for name, ref in self.refs.items() if ref() is not None}
        assert alive == set(OBJECTS) - set(destroyed)


@pytest.fixture(scope="module")
def stage():
    with Stage() as stage:
        stage.candidate()
        play = Play(stage)  # the tables of formats that are sent stay with the plugin: see them all
        play.disturb()
        for name in OBJECTS:
            play.destroy(name)
        leave(stage, play)
        yield stage


@pytest.fixture(autouse=True)
def nothing_left():
    """The module has one stage; each test looks after what it adds."""
    return


@pytest.mark.parametrize("first", OBJECTS)
def test_every_order_of_destroying(stage: Stage, first: str) -> None:
    before = None
    for rest in itertools.permutations([name for name in OBJECTS if name != first]):
        order = (first, *rest)
        play = Play(stage)
        gc.disable()
        for name in order:
            play.destroy(name)
        gc.enable()
        play.disturb()
        if rest[0] == min(rest) and rest[1] == min(rest[1:]):
            play.check(order)
        leave(stage, play)
        now = (len(live_resources()), open_fds())
        before = before or now
        assert now == before, order
    assert_idle(stage)


@pytest.mark.parametrize("steps", range(len(OBJECTS) + 1))
def test_dying_after_each_step(stage: Stage, steps: int) -> None:
    before = None
    ordered = steps if steps <= 3 else 2  # which came first matters, all 720 take too long
    for order in itertools.permutations(OBJECTS, ordered):
        rest = tuple(name for name in OBJECTS if name not in order)
        order += rest[: steps - ordered]
        play = Play(stage)
        for name in order:
            play.destroy(name)
            play.disturb()
        play.check(order)
        leave(stage, play)
        play.check(OBJECTS)
        play_disturb_dead(stage, play)
        now = (len(live_resources()), open_fds())
        before = before or now
        assert now == before, order
    assert_idle(stage)


def leave(stage: Stage, play: Play) -> None:
    """The client hangs up, whatever it still has."""
    stage.clients.remove(play.client)
    play.client.close()
    stage.display.dispatch(0)
    stage.finish_work()
    stage.until(lambda: not live_resources())
    stage.plugin._state.accounts._settle()  # at once, and not when the timer comes to it
    stage.finish_work()
    assert stage.platform.memory.live() == 0


def play_disturb_dead(stage: Stage, play: Play) -> None:
    """The host may be late in telling of what is gone."""
    stage.plugin.surface_changed(play.addresses["surface"])
    stage.plugin.buffer_shown(play.addresses["buffer"], scanned_out=False)
    stage.display.dispatch(0)


def assert_idle(stage: Stage) -> None:
    """The plugin remembers nothing of clients that are gone."""
    plugin = stage.plugin
    stage.settle()
    state = plugin._state
    negotiations, answers, statuses = state.negotiations, state.answers, state.statuses
    assert not negotiations.all()
    remembered = {
        "managers": state.managers,
        "surfaces": negotiations._by_surface,
        "buffers": statuses._by_buffer,
        "waiting": answers._turns._clients,
        "turns": answers._turns._turns,
        "solving": state.solving._waiting,
        "sets": state.records._records,
        "upgrades": answers._upgrades,
        "accounts": state.accounts._charges,
    }
    assert {name: what for name, what in remembered.items() if what} == {}


@pytest.mark.parametrize("when", ["before", "between", "after"])
def test_the_display_may_end_before_its_clients(when: str) -> None:
    fds = open_fds()
    stage = Stage()
    stage.candidate()
    play = Play(stage)
    if when == "before":
        stage.plugin.close()
    if when == "between":
        play.destroy("negotiation")
    stage.display.destroy()
    if when != "before":
        assert stage.plugin.closed, "the plugin ends with its display"
    stage.plugin.close()
    gc.collect()
    assert [name for name, ref in play.refs.items() if ref() is not None] == []
    play.client.close()
    assert open_fds() == fds


@pytest.mark.parametrize("how", ["destroyed", "disconnected"])
def test_what_a_client_leaves_is_let_go_of_without_the_collector(how: str) -> None:
    with Stage() as stage:
        stage.candidate()
        play = Play(stage)
        stage.finish_work()
        gc.collect()
        gc.disable()
        try:
            if how == "destroyed":
                for name in OBJECTS:
                    play.destroy(name)
            else:
                play.client.close()
                stage.clients.remove(play.client)
                stage.display.dispatch(0)
            stage.finish_work()
            assert [name for name, ref in play.refs.items() if ref() is not None] == []
            assert stage.plugin._state.records._records == {}
        finally:
            gc.enable()


@pytest.mark.parametrize("failing", range(5))
def test_where_descriptors_run_out_a_plugin_leaves_nothing(monkeypatch, failing: int) -> None:
    """Whichever of them is the one too many: the host goes on without the plugin."""
    display, left = OwnDisplay(), failing
    display.loop.add_timer(lambda: None).remove()  # the loop has one descriptor for all of them

    def scarce(real):
        def call(*arguments, **options):
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(errno.EMFILE, "Too many open files")
            return real(*arguments, **options)

        return call

    for module, name in ((os, "eventfd"), (os, "dup"), (EventLoop, "add_fd")):
        monkeypatch.setattr(module, name, scarce(getattr(module, name)))
    before, sources = open_fds(), dict(event_loop._sources)
    try:
        with pytest.raises(OSError, match="Too many open files"):
            HeapPlugin(display.address, Platform.load("raspberry-pi-4"), ScriptedHost())
        gc.collect()
        assert open_fds() == before
        assert event_loop._sources == sources
    finally:
        display.destroy()
