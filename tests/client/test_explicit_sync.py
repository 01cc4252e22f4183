"""Explicit sync of the player's: points of timelines in place of wl_buffer.release."""

from __future__ import annotations

import itertools
import select
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction

import pytest
from fake_syncobjs import FakeKernel
from patience import PATIENCE

import heapwire.client_lib.buffers.surface_sync as surface_sync
import heapwire.compositor_plugin.hosts.reference.compositor as reference
from heapwire.client_lib import (
    BufferPool,
    Connection,
    Extents,
    LinuxDmabuf,
    Player,
    PlayOptions,
    Window,
    surface_negotiation,
    writer_participant,
)
from heapwire.client_lib.buffers.surface_sync import SurfaceSync
from heapwire.client_lib.player import PatternMaterial
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.dmabuf import WlBuffer, ZwpLinuxDmabufV1
from heapwire.compositor_plugin.hosts.reference.scene.buffer_hold import BufferHold
from heapwire.kernel.description import Platform
from heapwire.kernel.drm import SimulatedTimelines, Timelines
from heapwire.protocol.values import Extent

SIZE = Extent(320, 200)
FRAMES = 12
OPTIONS = PlayOptions(paced=False, fullscreen=True, frames=FRAMES, timeout=PATIENCE)
PLATFORM = Platform.load("raspberry-pi-4")


class Machine:
    """Where the player and the compositor have their timelines; either may have none."""

    def __init__(self, kind: str) -> None:
        self.kernel = None if kind == "simulated" else FakeKernel(eventfds=kind == "kernel")
        self.opened: list[bool] = []

    def open(self, *, simulated: bool) -> Timelines:
        self.opened.append(simulated)
        return SimulatedTimelines() if self.kernel is None else self.kernel.open()


@pytest.fixture(params=["kernel", "old kernel", "simulated"])
def machine(
    no_fd_leak: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machine]:
    machine = Machine(request.param)
    for module in (reference, surface_sync):
        monkeypatch.setattr(module, "open_timelines", machine.open)
    yield machine
    if machine.kernel is not None:
        machine.kernel.close()


def play():
    """A test pattern on a compositor: the player's result, what was shown, and the fates."""
    pictures, fates = [], []
    compositor = Compositor(
        *(PLATFORM,),
        size=SIZE,
        on_frame=lambda _record, pixels: pictures.append(pixels().tobytes()),
    )
    with compositor, compositor.running():
        player = Player(
            PatternMaterial("full", SIZE, Fraction(30)),
            display=compositor.connect(),
            platform=PLATFORM,
            options=OPTIONS,
            on_fate=fates.append,
        )
        return player.play(), pictures, fates


@pytest.fixture(scope="module")
def expected() -> list[bytes]:
    """What is to be seen, however it is synchronised."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(surface_sync, "open_timelines", lambda *, simulated: None)
        result, pictures, _ = play()
    assert not result.explicit_sync
    assert len(set(pictures)) == FRAMES
    return pictures


def test_all_frames_come_in_their_order(machine, expected) -> None:
    result, pictures, fates = play()
    assert result.explicit_sync
    assert pictures == expected
    assert [fate.explicit_sync for fate in fates] == [True] * FRAMES


def test_nothing_hangs_on_wl_buffer_release(machine, expected, monkeypatch) -> None:
    monkeypatch.setattr(WlBuffer, "send", lambda self, *event: None)
    assert play()[1] == expected


def released_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a compositor send wl_buffer.release when a buffer is committed."""
    held = BufferHold.__init__

    def hold(self, buffer) -> None:
        held(self, buffer)
        buffer.send("release")

    monkeypatch.setattr(BufferHold, "__init__", hold)


def test_a_release_that_comes_too_early_means_nothing(machine, expected, monkeypatch) -> None:
    released_at_once(monkeypatch)
    assert play()[1] == expected


def test_a_buffer_may_come_back_between_two_looks(machine, expected, monkeypatch) -> None:
    looks = itertools.cycle((surface_sync.LOOK, None))
    monkeypatch.setattr(SurfaceSync, "look", property(lambda self: next(looks)))
    assert play()[1] == expected


def test_timelines_are_of_the_kind_of_the_memory(machine, monkeypatch) -> None:
    of_compositor = [True, False]
    play()
    assert machine.opened == [*of_compositor, True]


@pytest.mark.parametrize("who", [reference, surface_sync])
def test_where_one_side_has_none_it_is_done_without(no_fd_leak, expected, monkeypatch, who) -> None:
    monkeypatch.setattr(who, "open_timelines", lambda *, simulated: None)
    result, pictures, fates = play()
    assert not result.explicit_sync
    assert pictures == expected
    assert not any(fate.explicit_sync for fate in fates)


def test_where_no_timeline_can_be_made_it_is_done_without(
    no_fd_leak, expected, monkeypatch
) -> None:
    kernel = FakeKernel()

    def open_gone(*, simulated: bool) -> Timelines:
        opened = kernel.open()
        kernel.gone = True
        return opened

    monkeypatch.setattr(surface_sync, "open_timelines", open_gone)
    result, pictures, _ = play()
    assert not result.explicit_sync
    assert pictures == expected


def test_copies_through_wl_shm_have_no_points(machine, monkeypatch) -> None:
    monkeypatch.setattr(ZwpLinuxDmabufV1, "VERSION", 2)
    result, pictures, _ = play()
    assert result.shared
    assert not result.explicit_sync
    assert len(pictures) == FRAMES


# A window and its buffers, one at a time.


class Stage:
    """A window on a compositor, and some buffers to show."""

    def __init__(self, compositor: Compositor) -> None:
        self.connection = Connection(compositor.connect())
        self.window = Window(self.connection, title="tested", timeout=PATIENCE)
        self.window.synchronise(simulated=True)
        self.dmabuf = LinuxDmabuf(self.connection)
        self.negotiation = surface_negotiation(
            self.dmabuf, self.window.surface, PLATFORM, timeout=PATIENCE
        )
        self.negotiation.set_extents(Extents(coded=SIZE))
        self.negotiation.set_participant(writer_participant("yuv420p"))
        self.negotiation.set_buffer_count(minimum=3, queue=0)
        batch = self.negotiation.negotiate(timeout=PATIENCE)
        self.pool = BufferPool.best(
            negotiation=self.negotiation,
            batch=batch,
            dmabuf=self.dmabuf,
            memory=PLATFORM.memory,
            extent=SIZE,
            timeout=PATIENCE,
        )

    def show(self, index: int) -> None:
        presented = []
        buffer = self.pool.buffers[index]
        self.window.show(buffer, SIZE, shown=presented.append)
        self.connection.wait(lambda: bool(presented), timeout=PATIENCE, what="frame")

    def until(self, condition) -> None:
        """Until something is so, as a player waits for it."""
        for _ in range(round(PATIENCE / 0.01)):
            if condition():
                return
            self.connection.dispatch(self.window.look or 0.01, *self.window.wakes)
        raise AssertionError("it never was")

    def close(self) -> None:
        self.negotiation.close()
        self.window.close()
        self.pool.close()
        self.connection.close()


@pytest.fixture
def stage(machine) -> Iterator[Stage]:
    with (
        Compositor(PLATFORM, size=SIZE) as compositor,
        compositor.running(),
        closing(Stage(compositor)) as stage,
    ):
        yield stage


def test_a_buffer_is_busy_until_another_has_taken_its_place(stage, machine) -> None:
    first, second, third, *_ = stage.pool.buffers
    stage.show(0)
    assert stage.window.explicit_sync
    stage.connection.roundtrip(timeout=PATIENCE)
    assert first.busy
    assert stage.window.look is None, "nothing can come back by itself"
    stage.show(1)
    stage.until(lambda: not first.busy)
    assert second.busy
    assert not third.busy


def test_without_points_it_is_busy_until_wl_buffer_release(no_fd_leak, monkeypatch) -> None:
    monkeypatch.setattr(surface_sync, "open_timelines", lambda *, simulated: None)
    with (
        Compositor(PLATFORM, size=SIZE) as compositor,
        compositor.running(),
        closing(Stage(compositor)) as stage,
    ):
        first, second, third, *_ = stage.pool.buffers
        stage.show(0)
        assert not stage.window.explicit_sync
        stage.connection.roundtrip(timeout=PATIENCE)
        assert first.busy
        stage.show(1)
        stage.until(lambda: not first.busy)
        assert second.busy
        assert not third.busy


def test_wl_buffer_release_does_not_give_it_back(stage, monkeypatch) -> None:
    released_at_once(monkeypatch)
    stage.show(0)
    stage.connection.roundtrip(timeout=PATIENCE)
    assert stage.pool.buffers[0].busy


def test_the_kernel_wakes_who_waits_for_a_buffer(stage, machine) -> None:
    stage.show(0)
    stage.show(1)
    first = stage.pool.buffers[0]
    stage.until(lambda: not first.busy)
    readable = select.select(stage.window.wakes, [], [], 0)[0]
    if machine.kernel is not None and machine.kernel.eventfds:
        assert readable == list(stage.window.wakes)
        stage.window.heard()
        stage.window.heard()
        assert select.select(stage.window.wakes, [], [], 0)[0] == []
    else:
        assert readable == []


def test_somebody_has_to_look_where_nobody_tells(stage, machine, monkeypatch) -> None:
    monkeypatch.setattr(BufferHold, "release", lambda self: None)
    stage.show(0)
    stage.show(1)
    told = machine.kernel is not None and machine.kernel.eventfds
    assert (stage.window.look is None) == told


def test_a_buffer_that_somebody_else_takes_is_not_given_back_by_a_point(stage) -> None:
    stage.show(0)
    stage.show(1)
    first = stage.pool.buffers[0]
    stage.until(lambda: first.release.come)
    first.busy = True  # a decoder writes to it
    assert first.busy
    first.busy = False
    assert not first.busy


def test_a_buffer_that_is_closed_lets_go_of_its_timeline(stage, machine) -> None:
    stage.show(0)
    stage.show(1)
    handles = None if machine.kernel is None else len(machine.kernel.handles)
    first = stage.pool.buffers[0]
    stage.until(lambda: not first.busy)
    first.close()
    assert first.release is None
    if machine.kernel is not None:
        assert len(machine.kernel.handles) < handles
    stage.pool.buffers.remove(first)


def test_a_window_without_it_shows_buffers_as_before(stage) -> None:
    stage.show(0)
    assert stage.window.explicit_sync
    stage.window.synchronise(simulated=None)
    assert (stage.window.wakes, stage.window.look) == ((), None)
    stage.show(1)
    assert not stage.window.explicit_sync
