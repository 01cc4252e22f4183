"""linux-drm-syncobj: no frame before its point, and a point when it is not read any more."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from fake_syncobjs import FakeKernel
from host_stage import HostStage
from sync_client import MANAGER, TIMELINE, SyncClient, SyncWindow, sync_client

from heapwire.compositor_plugin.hosts.reference import Compositor, compositor
from heapwire.compositor_plugin.hosts.reference.scene import SyncPoint
from heapwire.compositor_plugin.hosts.reference.scene.held_commits import (
    MOST_ASKED,
    MOST_HELD,
    MOST_TOLD,
)
from heapwire.compositor_plugin.hosts.reference.sync.client_timelines import MOST_TIMELINES
from heapwire.kernel.description import Platform
from heapwire.kernel.drm import SimulatedTimelines, Timelines
from heapwire.protocol.wire import halves

NO_SURFACE, UNSUPPORTED, NO_BUFFER, NO_ACQUIRE, NO_RELEASE, CONFLICTING = range(1, 7)
SURFACE_EXISTS, INVALID_TIMELINE = range(2)
NO_MEMORY = 2
LATEST = (1 << 64) - 1


class Machine:
    """Where both sides have their timelines."""

    def __init__(self, kind: str) -> None:
        self.kernel = None if kind == "simulated" else FakeKernel(eventfds=kind == "kernel")

    def open(self) -> Timelines:
        return SimulatedTimelines() if self.kernel is None else self.kernel.open()


@pytest.fixture(params=["kernel", "old kernel", "simulated"])
def machine(
    nothing_left: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machine]:
    machine = Machine(request.param)
    monkeypatch.setattr(compositor, "open_timelines", lambda **_: machine.open())
    yield machine
    if machine.kernel is not None:
        machine.kernel.close()


@pytest.fixture
def its(machine, monkeypatch) -> Iterator[SyncClient]:
    """A client in step with a compositor."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    device = machine.open()
    with closing(HostStage()) as stage, sync_client(stage, device) as client:
        yield client
    device.close()


@pytest.fixture
def window(its: SyncClient) -> SyncWindow:
    return SyncWindow(its)


def until_shown(window: SyncWindow, callback: int) -> None:
    window.its.stage.until(lambda: window.shown(callback))


def refreshed(its: SyncClient, times: int = 3) -> None:
    """Whatever could be shown by now has been."""
    for _ in range(times):
        its.stage.refresh()


def test_a_frame_is_shown_when_its_point_has_come(its, window) -> None:
    first = window.show(1, 2)
    refreshed(its)
    assert not window.shown(first)
    assert its.stage.frames[-1].extent.width == 1, "what else was shown"
    its.timeline.signal(1)
    until_shown(window, first)
    assert its.stage.frames[-1].extent.width == 64
    assert not its.released(2), "it is on the screen"


def test_a_point_that_has_come_holds_nothing_up(its, window) -> None:
    its.timeline.signal(4)
    first = window.show(4, 5)
    assert its.stage.compositor._desktop.held._transactions == []
    until_shown(window, first)


def test_later_commits_wait_behind_it_and_take_effect_in_their_order(its, window) -> None:
    its.timeline.signal(1)
    until_shown(window, window.show(1, 2))
    waiting = window.show(10, 11)
    its.timeline.signal(3)
    ready = window.show(3, 12)
    bare = its.client.frame(window.surface)
    refreshed(its)
    assert not any(map(window.shown, (waiting, ready, bare)))
    assert not its.released(2), "the buffer on the screen is still that one"
    its.timeline.signal(10)
    until_shown(window, bare)
    assert window.shown(waiting)
    assert window.shown(ready)
    its.stage.until(lambda: its.released(11))


def test_the_release_point_comes_when_another_buffer_has_taken_its_place(its, window) -> None:
    its.timeline.signal(1)
    until_shown(window, window.show(1, 20))
    refreshed(its)
    assert not its.released(20)
    until_shown(window, window.show(1, 21))
    its.stage.until(lambda: its.released(20))
    refreshed(its)
    assert not its.released(21)


def test_each_commit_of_a_buffer_has_a_release_of_its_own(its, window) -> None:
    buffer = its.buffer()
    its.timeline.signal(1)
    until_shown(window, window.show(1, 2, buffer))
    until_shown(window, window.show(1, 3, buffer))
    its.stage.until(lambda: its.released(2))
    refreshed(its)
    assert not its.released(3)


def test_a_timeline_that_its_object_has_gone_of_is_signalled_all_the_same(its, window) -> None:
    first = window.show(1, 2)
    for object_ in (its.named, its.releases_named, window.sync):
        its.client.request(object_, "destroy")
    its.timeline.signal(1)
    until_shown(window, first)
    its.client.show(window.surface, None)
    its.stage.until(lambda: its.released(2))


def test_a_surface_that_goes_releases_what_waits(its, window) -> None:
    window.show(5, 6)
    toplevel, xdg_surface = window.window.toplevel, window.window.xdg_surface
    for object_ in (toplevel, xdg_surface, window.surface):
        its.client.request(object_, "destroy")
    assert its.released(6)
    its.client.request(window.sync, "destroy")
    its.client.sync()
    assert its.client.error is None


def test_a_client_that_goes_takes_its_waits_along(its, machine) -> None:
    stage = its.stage
    with sync_client(stage, its.device) as doomed:
        window = SyncWindow(doomed)
        for release in range(2, 5):
            window.show(LATEST, release)
        held = stage.compositor._desktop.held
        assert len(held._transactions) == 3
        doomed.client.close()
        stage.clients.remove(doomed.client)
        stage.until(lambda: not held._transactions)
        assert not held._uses.keys() & {doomed.client}
        stage.until(lambda: doomed.released(4))
    if machine.kernel is not None:
        # Those of the client that lives: its own two handles, and the compositor's.
        stage.until(lambda: len(machine.kernel.handles) == 4)


def test_clients_do_not_wait_for_each_other(its, window) -> None:
    window.show(7, 8)
    with sync_client(its.stage, its.device) as other:
        others = SyncWindow(other)
        other.timeline.signal(1)
        until_shown(others, others.show(1, 2))


def test_the_geometry_of_a_commit_that_waits_is_its_own(its, window) -> None:
    its.timeline.signal(1)
    xdg_surface = window.window.xdg_surface
    its.client.request(xdg_surface, "set_window_geometry", 0, 0, 40, 40)
    until_shown(window, window.show(1, 2))
    its.client.request(xdg_surface, "set_window_geometry", 0, 0, 41, 41)
    waiting = window.show(3, 4)
    its.client.request(xdg_surface, "set_window_geometry", 0, 0, 42, 42)
    later = window.show(9, 10)

    def geometry() -> int:
        (found,) = its.stage.compositor._desktop.windows
        return found.xdg_surface.geometry.width

    refreshed(its)
    assert geometry() == 40
    its.timeline.signal(3)
    until_shown(window, waiting)
    assert geometry() == 41
    its.timeline.signal(9)
    until_shown(window, later)
    assert geometry() == 42


# Subsurfaces.


class Part:
    """A synchronised subsurface of a window."""

    def __init__(self, window: SyncWindow) -> None:
        client = window.its.client
        self.its, self.window = window.its, window
        self.surface = client.surface()
        subcompositor = client.the("wl_subcompositor")
        self.subsurface = client.make(
            *(subcompositor, "get_subsurface", "wl_subsurface", self.surface, window.surface)
        )
        self.sync = window.its.synchronised(self.surface)

    def commit(self, acquire: int, release: int) -> int:
        self.its.set_points(self.sync, acquire, release)
        callback = self.its.client.make(self.surface, "frame", "wl_callback")
        self.its.client.show(self.surface, self.its.buffer())
        return callback


def test_a_parent_waits_for_what_its_subsurface_waits_for(its, window) -> None:
    part = Part(window)
    its.timeline.signal(1)
    within = part.commit(5, 6)
    its.client.request(part.subsurface, "set_position", 3, 4)
    parent = window.show(1, 2)
    its.client.request(part.subsurface, "set_position", 5, 6)
    refreshed(its)
    assert not window.shown(parent)
    its.timeline.signal(5)
    until_shown(window, parent)
    assert window.shown(within)
    surfaces = its.stage.compositor._desktop.surfaces.values()
    (child,) = [one for one in surfaces if one.parent is not None]
    assert child.subsurface.position == (3, 4), "it is moved on with the next commit"


def test_a_subsurface_that_waits_no_more_for_its_parent_waits_for_its_point(its, window) -> None:
    part = Part(window)
    its.timeline.signal(1)
    until_shown(window, window.show(1, 2))
    within = part.commit(5, 6)
    its.client.request(part.subsurface, "set_desync")
    refreshed(its)
    assert not window.shown(within)
    its.timeline.signal(5)
    until_shown(window, within)


def test_a_subsurface_that_goes_holds_its_parent_up_no_longer(its, window) -> None:
    part = Part(window)
    its.timeline.signal(1)
    part.commit(5, 6)
    parent = window.show(1, 2)
    refreshed(its)
    assert not window.shown(parent)
    its.client.request(part.subsurface, "destroy")
    its.client.request(part.surface, "destroy")
    until_shown(window, parent)
    assert its.released(6)


def test_what_a_subsurface_commits_later_comes_later(its, window) -> None:
    part = Part(window)
    its.timeline.signal(1)
    first = part.commit(5, 6)
    window.show(1, 2)
    its.client.request(part.subsurface, "set_desync")
    second = part.commit(1, 3)
    refreshed(its)
    assert not window.shown(second)
    its.timeline.signal(5)
    until_shown(window, second)
    assert window.shown(first)


# Misuse.


def commit_with(its: SyncClient, window: SyncWindow, *, points: str, buffer: int | None) -> None:
    """A commit with the points of these letters: a to acquire, r to release it."""
    for letter, request in (("a", "set_acquire_point"), ("r", "set_release_point")):
        if letter in points:
            its.client.request(window.sync, request, its.named, 0, 1 if letter == "a" else 2)
    if buffer is not None:
        its.client.show(window.surface, buffer)
    else:
        its.client.request(window.surface, "commit")


@pytest.mark.parametrize(
    ("points", "attached", "error"),
    [
        ("", True, NO_ACQUIRE),
        ("r", True, NO_ACQUIRE),
        ("a", True, NO_RELEASE),
        ("a", False, NO_BUFFER),
        ("r", False, NO_BUFFER),
        ("ar", False, NO_BUFFER),
    ],
)
def test_points_and_buffers_go_together(its, window, points, attached, error) -> None:
    buffer = its.buffer() if attached else None
    commit_with(its, window, points=points, buffer=buffer)
    assert its.client.ended_by() == (window.sync, error)


def test_no_buffer_means_none_at_all(its, window) -> None:
    its.timeline.signal(1)
    until_shown(window, window.show(1, 2))
    its.client.request(window.sync, "set_acquire_point", its.named, 0, 3)
    its.client.show(window.surface, None)
    assert its.client.ended_by() == (window.sync, NO_BUFFER)


def test_a_commit_without_a_new_buffer_needs_no_points(its, window) -> None:
    its.timeline.signal(1)
    until_shown(window, window.show(1, 2))
    its.client.settle(window.surface)
    its.client.show(window.surface, None)
    its.client.sync()
    assert its.client.error is None


@pytest.mark.parametrize(("acquire", "release"), [(5, 5), (6, 5), (1 << 32, 1), (LATEST, 0)])
def test_a_timeline_cannot_come_to_the_release_first(its, window, acquire, release) -> None:
    its.client.request(window.sync, "set_acquire_point", its.named, *halves(acquire))
    its.client.request(window.sync, "set_release_point", its.named, *halves(release))
    its.client.show(window.surface, its.buffer())
    assert its.client.ended_by() == (window.sync, CONFLICTING)


def test_points_of_two_timelines_are_in_no_order(its, window) -> None:
    its.timeline.signal(9)
    until_shown(window, window.show(9, 1))


def test_the_last_point_that_was_set_counts(its, window) -> None:
    its.timeline.signal(1)
    its.set_points(window.sync, 50, 60)
    until_shown(window, window.show(1, 2))


def test_buffers_of_wl_shm_are_not_synchronised(its, window) -> None:
    its.set_points(window.sync, 1, 2)
    its.client.shm(window.surface, 4, 4)
    assert its.client.ended_by() == (window.sync, UNSUPPORTED)


def test_a_surface_has_one_object_at_a_time(its, window) -> None:
    its.client.request(window.sync, "destroy")
    again = its.synchronised(window.surface)
    assert its.client.error is None
    its.synchronised(window.surface)
    assert its.client.ended_by() == (its.manager, SURFACE_EXISTS)
    assert again


@pytest.mark.parametrize("request_", ["set_acquire_point", "set_release_point"])
def test_a_surface_that_is_gone_gets_no_points(its, request_) -> None:
    surface = its.client.surface()
    sync = its.synchronised(surface)
    its.client.request(surface, "destroy")
    its.client.request(sync, request_, its.named, 0, 1)
    assert its.client.ended_by() == (sync, NO_SURFACE)


def test_points_of_an_object_that_is_gone_do_not_count(its, window) -> None:
    its.set_points(window.sync, 5, 6)
    its.client.request(window.sync, "destroy")
    its.client.show(window.surface, its.buffer())
    its.client.settle(window.surface)
    assert its.client.error is None


def test_what_is_no_timeline_is_not_imported(its) -> None:
    with Path("/dev/null").open("rb") as file:
        its.client.make(its.manager, "import_timeline", TIMELINE, file.fileno())
    assert its.client.ended_by() == (its.manager, INVALID_TIMELINE)


def test_objects_outlive_their_manager(its, window) -> None:
    its.client.request(its.manager, "destroy")
    its.timeline.signal(1)
    until_shown(window, window.show(1, 2))


# Bounds.


def test_a_client_has_so_many_timelines(its) -> None:
    fd = its.timeline.export()
    made = [its.named, its.releases_named]
    make = its.client.make
    while len(made) < MOST_TIMELINES:
        made.append(make(its.manager, "import_timeline", TIMELINE, fd))
    its.client.request(made.pop(), "destroy")
    make(its.manager, "import_timeline", TIMELINE, fd)
    assert its.client.error is None
    make(its.manager, "import_timeline", TIMELINE, fd)
    os.close(fd)
    assert its.client.error is not None
    assert its.client.error.code == NO_MEMORY


def test_a_client_has_so_many_commits_that_wait(its, window) -> None:
    window.show(LATEST - 1, LATEST)
    for _ in range(MOST_HELD - 1):
        its.client.request(window.surface, "commit", pump=False)
    its.client.sync()
    assert its.client.error is None
    its.client.request(window.surface, "commit")
    assert its.client.error is not None
    assert its.client.error.code == NO_MEMORY


def test_the_kernel_remembers_so_many_points_of_a_client(its, machine) -> None:
    buffer = its.buffer()
    for point in range(MOST_TOLD + 5):
        surface = its.client.surface()
        sync = its.synchronised(surface)
        its.set_points(sync, 1000 + point, 2000 + point)
        its.client.show(surface, buffer)
        its.client.request(surface, "destroy")
        its.client.request(sync, "destroy")
    if machine.kernel is not None and machine.kernel.eventfds:
        remembered = sum(len(one.told) for one in machine.kernel.by_file.values())
        assert remembered == MOST_TOLD
    window = SyncWindow(its)
    its.timeline.signal(1)
    its.client.sync()
    late = window.show(5000, 5001)
    its.timeline.signal(5000)
    until_shown(window, late)


@pytest.mark.parametrize("machine", ["kernel"], indirect=True)
def test_the_kernel_is_asked_again_when_points_have_come(its, window, machine) -> None:
    buffer = its.buffer()
    for point in range(1, MOST_TOLD + 5):
        last = window.show(point, point, buffer)
        its.timeline.signal(point)
    until_shown(window, last)
    window.show(LATEST, LATEST, buffer)
    assert sum(len(one.told) for one in machine.kernel.by_file.values()) == 1


def test_points_by_the_hundred_are_looked_at_in_turn(its, monkeypatch) -> None:
    buffer, callbacks, asked = its.buffer(), [], []
    windows = [SyncWindow(its) for _ in range(3 * MOST_ASKED)]
    for point, window in enumerate(windows, 1):
        callbacks.append(window.show(1000 - point, point, buffer))
    signalled = SyncPoint.signalled.fget
    counted = property(lambda self: asked.append(self.value) or signalled(self))
    monkeypatch.setattr(SyncPoint, "signalled", counted)
    its.stage.compositor._desktop.held._settle()
    assert len(asked) == MOST_ASKED
    its.timeline.signal(1000 - len(windows))
    until_shown(windows[-1], callbacks[-1])
    its.timeline.signal(1000)
    for window, callback in zip(windows[:-1], callbacks, strict=False):
        until_shown(window, callback)


@pytest.mark.parametrize("machine", ["simulated"], indirect=True)
def test_a_timeline_that_cannot_be_written_to_hurts_nobody_else(its) -> None:
    fd = its.releases.export()
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
    os.close(fd)
    window = SyncWindow(its)
    until_shown(window, window.show(0, 1))
    its.client.show(window.surface, None)
    refreshed(its)
    assert its.client.error is None


# Where it is on offer.


def test_it_is_offered_only_where_somebody_has_timelines(nothing_left, monkeypatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(compositor, "open_timelines", lambda **_: None)
    with closing(HostStage()) as stage:
        assert MANAGER not in stage.client().registry()


@pytest.mark.parametrize("simulated", [True, False])
def test_whose_timelines_it_asks_for(nothing_left, monkeypatch, simulated) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    asked = []
    monkeypatch.setattr(compositor, "open_timelines", lambda **how: asked.append(how))
    with Compositor(replace(Platform.load("raspberry-pi-4"), simulated=simulated)):
        pass
    assert asked == [{"simulated": kind} for kind in ([True, False] if simulated else [False])]


def test_a_client_of_the_real_machine_is_served_on_a_simulated_one(
    nothing_left, monkeypatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    kernel, simulation = FakeKernel(), SimulatedTimelines()
    monkeypatch.setattr(
        *(compositor, "open_timelines"),
        lambda *, simulated: simulation if simulated else kernel.open(),
    )
    with closing(HostStage()) as stage, closing(kernel.open()) as real:
        for device in (real, simulation):
            with sync_client(stage, device) as client:
                client.timeline.signal(1)
                window = SyncWindow(client)
                until_shown(window, window.show(1, 2))
