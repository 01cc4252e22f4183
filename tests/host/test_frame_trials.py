"""Buffers in memory that no heap of the machine is: the display's driver is asked of each."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from dataclasses import replace
from threading import Event

import pytest
from fake_card import FakeCard, FakeDriver
from host_stage import OUTPUT, XRGB, HostStage, memfd

from heapwire.compositor_plugin import StatusReason
from heapwire.compositor_plugin.hosts.reference.dmabuf import frame_trials
from heapwire.compositor_plugin.hosts.reference.dmabuf.object_memory import ObjectMemory
from heapwire.kernel.description import Platform
from heapwire.protocol.values import Usage

PITCH = OUTPUT.width * 4
FOREIGN = "heapwire-test"  # what host_stage calls its memfds
PATH = "heapwire.compositor_plugin.hosts.reference.dmabuf"


class Trials:
    """A machine whose display has a node, which a fake card stands behind."""

    def __init__(self, monkeypatch, card) -> None:
        self.card = card
        self.begun, self.go_on = Event(), Event()
        self.go_on.set()
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        monkeypatch.setattr(frame_trials, "_opened", self.opened)
        pi = Platform.load("raspberry-pi-4")
        devices = tuple(
            replace(one, node="/dev/null") if Usage.SCANOUT in one.sets else one
            for one in pi.devices
        )
        self.stage = HostStage(replace(pi, devices=devices))
        self.told: list[StatusReason] = []
        plugin = self.stage.compositor.plugin
        monkeypatch.setattr(plugin, "wants", lambda _: True)
        monkeypatch.setattr(
            plugin, "buffer_shown", lambda _, *, scanned_out, reason: self.told.append(reason)
        )

    @contextmanager
    def opened(self, node):
        self.begun.set()
        self.go_on.wait()
        with self.card.open(node) as card:
            yield card

    def shown(self, client):
        """A fullscreen window with a picture in memory that nobody knows."""
        window = client.window(fullscreen=True)
        fd = memfd(bytes(PITCH * OUTPUT.height), seal=True)
        params = client.params()
        client.request(params, "add", fd, 0, 0, PITCH, 0, 0)
        os.close(fd)
        buffer = client.new("wl_buffer")
        client.request(params, "create_immed", buffer, OUTPUT.width, OUTPUT.height, XRGB, 0)
        client.show(window.surface, buffer)
        return window, buffer

    def answered(self):
        """Wait until nobody waits for the card."""
        asking = self.stage.compositor._desktop.dmabuf._trials
        self.stage.until(lambda: not asking._waiting)

    def settled(self, window):
        """Two pictures more, with which what is known is told."""
        for _ in range(2):
            window.client.settle(window.surface)


@pytest.fixture
def trials(nothing_left, monkeypatch, request):
    trials = Trials(monkeypatch, FakeCard(request.param))
    yield trials
    trials.go_on.set()
    trials.stage.close()
    assert trials.card.left == ({}, {}, set())


TAKES = FakeDriver(modifiers=True)
REFUSES = FakeDriver(imports={FOREIGN: errno.EINVAL})


@pytest.mark.parametrize("trials", [TAKES], indirect=True)
def test_what_the_driver_takes_is_scanned_out(trials) -> None:
    """From when it has said so on: until then it is composited, and the loop waits for nobody."""
    trials.go_on.clear()
    client = trials.stage.client()
    window, buffer = trials.shown(client)
    trials.stage.until(trials.begun.is_set)
    trials.settled(window)
    assert trials.told == [StatusReason.MEMORY]
    trials.go_on.set()
    trials.stage.until(lambda: trials.told[-1] is StatusReason.NONE)
    client.show(window.surface, buffer)
    trials.settled(window)
    assert trials.stage.frames[-1].scanned_out
    assert trials.stage.frames[-1].sources == (None,)
    assert trials.card.asked.count("add_fb2") == 1, "each buffer is asked about once"


@pytest.mark.parametrize("trials", [REFUSES], indirect=True)
def test_what_the_driver_refuses_is_composited(trials) -> None:
    window, _ = trials.shown(trials.stage.client())
    trials.answered()
    trials.settled(window)
    assert "fd_to_handle" in trials.card.asked
    assert trials.told == [StatusReason.MEMORY]


@pytest.mark.parametrize("trials", [TAKES], indirect=True)
def test_scattered_memory_is_no_single_run_whatever_a_driver_takes(trials, monkeypatch) -> None:
    """The kernel's name for its maker says so, and somebody has said what the display needs."""
    monkeypatch.setattr(ObjectMemory, "scattered", True)
    window, _ = trials.shown(trials.stage.client())
    trials.answered()
    trials.settled(window)
    assert "rm_fb" in trials.card.asked
    assert trials.told == [StatusReason.MEMORY]


@pytest.mark.parametrize("trials", [TAKES], indirect=True)
def test_who_goes_meanwhile_leaves_nothing(trials) -> None:
    trials.go_on.clear()
    client = trials.stage.client()
    trials.shown(client)
    trials.stage.until(trials.begun.is_set)
    client.close()
    trials.stage.clients.remove(client)
    trials.stage.refresh()
    trials.go_on.set()
    trials.answered()


@pytest.mark.parametrize("trials", [TAKES], indirect=True)
def test_no_more_wait_for_an_answer_than_so_many(trials, monkeypatch) -> None:
    monkeypatch.setattr(frame_trials, "MOST_WAITING", 1)
    trials.go_on.clear()
    client = trials.stage.client()
    windows = [trials.shown(client)[0] for _ in range(2)]
    trials.settled(windows[-1])
    trials.go_on.set()
    trials.answered()
    assert trials.card.asked.count("add_fb2") == 1
    trials.shown(client)
    trials.answered()
    assert trials.card.asked.count("add_fb2") == 2
