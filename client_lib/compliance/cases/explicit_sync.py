"""linux-drm-syncobj-v1: buffers that are read from a point on, and released by another."""

from __future__ import annotations

import time
from collections.abc import Callable

from heapwire.client_lib.compliance.case import CaseGroup
from heapwire.client_lib.compliance.probe import Probe
from heapwire.client_lib.compliance.verdict import DeviationError
from heapwire.client_lib.compliance.window import ProbeWindow
from heapwire.client_lib.compliance.wire_connection import WireObject
from heapwire.kernel.drm import Timeline
from heapwire.protocol.wire import halves

GROUP = CaseGroup("sync")
MANAGER = "wp_linux_drm_syncobj_manager_v1"
SURFACE = "wp_linux_drm_syncobj_surface_v1"
TIMELINE = "wp_linux_drm_syncobj_timeline_v1"

VERSION = 3  # of linux-dmabuf, whose buffers have to be supported in any version
_FRAMES = 3  # of another window, after which whatever could be presented has been
_LOOK = 0.005  # seconds between two looks at a timeline


class SyncProbe:
    """A window that is synchronised explicitly, with a timeline for acquiring and for releasing."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.manager = probe.bind(MANAGER, 1)
        self.acquired, self.acquired_named = self.imported()
        self.released, self.released_named = self.imported()
        self.window = ProbeWindow(probe)
        self.sync = self.synchronised(self.window.surface)

    def imported(self) -> tuple[Timeline, WireObject]:
        """A timeline, and the object that names it."""
        timeline, fd = self.probe.buffers.timeline()
        named = self.probe.connection.new(TIMELINE)
        self.probe.connection.request(self.manager, "import_timeline", named, fd)
        self.probe.buffers.let_go(fd)
        return timeline, named

    def synchronised(self, surface: WireObject) -> WireObject:
        """The object of a surface."""
        made = self.probe.connection.new(SURFACE)
        self.probe.connection.request(self.manager, "get_surface", made, surface)
        return made

    def set_acquire(self, point: int) -> None:
        """Name the point from which on the next buffer can be read."""
        self._set("set_acquire_point", self.acquired_named, point)

    def set_release(self, point: int) -> None:
        """Name the point by which the next buffer is released."""
        self._set("set_release_point", self.released_named, point)

    def present(self, release: int) -> None:
        """Show a new buffer that can be read, and wait for its frame."""
        self.acquired.signal(1)
        self.set_acquire(1)
        self.set_release(release)
        self.window.present(self.probe.xrgb(VERSION))

    def show_nothing(self) -> None:
        """Take the buffer off the surface."""
        connection, surface = self.probe.connection, self.window.surface
        connection.request(surface, "attach", None, 0, 0)
        connection.request(surface, "commit")

    def expect_released(self, point: int) -> None:
        """Fail unless a buffer is released within the time of one answer."""
        connection = self.probe.connection
        deadline = time.monotonic() + connection.timeout
        while not self.released.signalled(point):
            if connection.ended or time.monotonic() > deadline:
                seen = self.probe.ending() if connection.ended else "nothing"
                raise DeviationError(expected="the release point is signalled", seen=seen)
            connection.read(_LOOK)

    def _set(self, request: str, named: WireObject, point: int) -> None:
        self.probe.connection.request(self.sync, request, named, *halves(point))


@GROUP.case("frame")
def frame(probe: Probe) -> None:
    """A buffer whose acquire point has been signalled is shown."""
    SyncProbe(probe).present(1)
    probe.expect_alive("a frame")


@GROUP.case("acquire")
def acquire(probe: Probe) -> None:
    """The acquire point must be signalled before the compositor may sample from the buffer."""
    its = SyncProbe(probe)
    presentation = probe.bind("wp_presentation", 1)
    connection = probe.connection
    feedback = connection.new("wp_presentation_feedback")
    connection.request(presentation, "feedback", its.window.surface, feedback)
    its.set_acquire(2)
    its.set_release(1)
    its.window.show(probe.xrgb(VERSION))
    other = ProbeWindow(probe)
    for _ in range(_FRAMES):
        other.present(probe.xrgb(VERSION))
    if connection.of(feedback, "presented"):
        raise DeviationError(expected="nothing before the acquire point", seen="presented")
    its.acquired.signal(2)
    if not connection.wait(lambda: connection.of(feedback), "wp_presentation_feedback.presented"):
        raise DeviationError(expected="presented", seen=probe.ending())


@GROUP.case("release")
def release(probe: Probe) -> None:
    """The release point is signalled when the compositor has finished its usage of the buffer."""
    its = SyncProbe(probe)
    its.present(1)
    its.present(2)
    its.expect_released(1)


@GROUP.case("release-unmapped")
def release_unmapped(probe: Probe) -> None:
    """The release point is signalled too when no buffer takes the place of the first."""
    its = SyncProbe(probe)
    its.present(1)
    its.show_nothing()
    its.expect_released(1)


@GROUP.case("destroyed-timeline")
def destroyed_timeline(probe: Probe) -> None:
    """Points that were set are not unset when the timeline's object is destroyed."""
    its = SyncProbe(probe)
    its.acquired.signal(1)
    its.set_acquire(1)
    its.set_release(1)
    for named in (its.acquired_named, its.released_named):
        probe.connection.request(named, "destroy")
    its.window.present(probe.xrgb(VERSION))
    its.show_nothing()
    its.expect_released(1)


@GROUP.case("destroyed-manager")
def destroyed_manager(probe: Probe) -> None:
    """Other objects are not affected when the manager is destroyed."""
    its = SyncProbe(probe)
    probe.connection.request(its.manager, "destroy")
    its.present(1)
    probe.expect_alive("a frame")


@GROUP.case("destroyed-object")
def destroyed_object(probe: Probe) -> None:
    """A surface whose object is destroyed is a surface as any, and can have another one."""
    its = SyncProbe(probe)
    its.present(1)
    probe.connection.request(its.sync, "destroy")
    its.window.present(probe.xrgb(VERSION))
    its.sync = its.synchronised(its.window.surface)
    its.present(2)
    probe.expect_alive("a frame")


@GROUP.case("replaced-point")
def replaced_point(probe: Probe) -> None:
    """A point that is set again in the same commit replaces the old one."""
    its = SyncProbe(probe)
    its.set_acquire(1 << 40)
    its.set_release(1 << 40)
    its.present(1)
    its.present(2)
    its.expect_released(1)


@GROUP.case("without-buffer")
def without_buffer(probe: Probe) -> None:
    """A commit without a buffer has no points, be there a buffer on the surface or not."""
    its = SyncProbe(probe)
    its.present(1)
    probe.connection.request(its.window.surface, "commit")
    probe.expect_alive("a commit")
    its.show_nothing()
    probe.expect_alive("a commit of no buffer")


def _misuse(name: str, says: str, misuse: Callable[[SyncProbe], object], error: str) -> None:
    """A case of a commit that raises an error on the surface's object."""

    def run(probe: Probe) -> None:
        misuse(SyncProbe(probe))
        probe.expect_error(SURFACE, error)

    GROUP.add(name, says, run)


def _commit(*, acquire: bool, release: bool, buffer: bool) -> Callable[[SyncProbe], None]:
    def misuse(its: SyncProbe) -> None:
        its.acquired.signal(1)
        if acquire:
            its.set_acquire(1)
        if release:
            its.set_release(1)
        if buffer:
            its.window.show(its.probe.xrgb(VERSION))
        else:
            its.probe.connection.request(its.window.surface, "commit")

    return misuse


def _in_one_timeline(point: int, released: int) -> Callable[[SyncProbe], None]:
    def misuse(its: SyncProbe) -> None:
        its.released_named = its.acquired_named
        its.set_acquire(point)
        its.set_release(released)
        its.window.show(its.probe.xrgb(VERSION))

    return misuse


_NO_BUFFER = "A point and no buffer in one commit raise no_buffer."
_ORDER = "In one timeline the acquire point must be less than the release point."
_misuse("no-buffer", _NO_BUFFER, _commit(acquire=True, release=True, buffer=False), "no_buffer")
_misuse(
    *("no-buffer-acquire", _NO_BUFFER),
    *(_commit(acquire=True, release=False, buffer=False), "no_buffer"),
)
_misuse(
    *("no-buffer-release", _NO_BUFFER),
    *(_commit(acquire=False, release=True, buffer=False), "no_buffer"),
)
_misuse(
    *("no-acquire-point", "A buffer without an acquire point raises no_acquire_point."),
    *(_commit(acquire=False, release=True, buffer=True), "no_acquire_point"),
)
_misuse(
    *("no-release-point", "A buffer without a release point raises no_release_point."),
    *(_commit(acquire=True, release=False, buffer=True), "no_release_point"),
)
_misuse("equal-points", _ORDER, _in_one_timeline(5, 5), "conflicting_points")
_misuse("late-acquire", _ORDER, _in_one_timeline(1 << 32, 5), "conflicting_points")


@GROUP.case("null-buffer")
def null_buffer(probe: Probe) -> None:
    """A buffer that is null is none: with a point, it raises no_buffer."""
    its = SyncProbe(probe)
    its.set_acquire(1)
    its.set_release(1)
    its.show_nothing()
    probe.expect_error(SURFACE, "no_buffer")


@GROUP.case("surface-exists")
def surface_exists(probe: Probe) -> None:
    """A second object for a surface raises surface_exists."""
    its = SyncProbe(probe)
    its.synchronised(its.window.surface)
    probe.expect_error(MANAGER, "surface_exists")


def _on_a_surface_that_is_gone(set_point: Callable[[SyncProbe, int], None], probe: Probe) -> None:
    its = SyncProbe(probe)
    compositor = probe.bind("wl_compositor", 1)
    surface = probe.connection.new("wl_surface")
    probe.connection.request(compositor, "create_surface", surface)
    its.sync = its.synchronised(surface)
    probe.connection.request(surface, "destroy")
    probe.expect_alive("wl_surface.destroy")
    set_point(its, 1)
    probe.expect_error(SURFACE, "no_surface")


@GROUP.case("no-surface-acquire")
def no_surface_acquire(probe: Probe) -> None:
    """An acquire point for a surface that was destroyed raises no_surface."""
    _on_a_surface_that_is_gone(SyncProbe.set_acquire, probe)


@GROUP.case("no-surface-release")
def no_surface_release(probe: Probe) -> None:
    """A release point for a surface that was destroyed raises no_surface."""
    _on_a_surface_that_is_gone(SyncProbe.set_release, probe)


@GROUP.case("invalid-timeline")
def invalid_timeline(probe: Probe) -> None:
    """A descriptor that cannot be imported raises invalid_timeline."""
    import_timeline(probe, probe.buffers.device())
    probe.expect_error(MANAGER, "invalid_timeline")


def import_timeline(probe: Probe, fd: int) -> None:
    """Have something imported that may be no timeline."""
    manager = probe.bind(MANAGER, 1)
    named = probe.connection.new(TIMELINE)
    probe.connection.request(manager, "import_timeline", named, fd)
