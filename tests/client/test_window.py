"""A window: how large a picture is on it, and how it is turned."""

from __future__ import annotations

from contextlib import contextmanager
from fractions import Fraction

import pytest
from fake_compositor import CMA, TABLES, _table
from patience import until
from playing_compositor import PlayingCompositor
from pywayland.protocol.wayland import WlOutput
from pywayland.protocol.xdg_output_unstable_v1 import ZxdgOutputManagerV1, ZxdgOutputV1

from heapwire.client_lib import (
    BufferPool,
    Connection,
    Extent,
    Extents,
    LinuxDmabuf,
    UsageError,
    Window,
    allocate,
    surface_negotiation,
    writer_participant,
)
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.scene import OutputMode
from heapwire.kernel.description import Platform
from heapwire.kernel.memory import MemfdMemory
from heapwire.protocol.values import Source

SIZE = Extent(64, 48)
TABLES.update({one.name: _table(one) for one in (WlOutput, ZxdgOutputManagerV1, ZxdgOutputV1)})


class Bounded(PlayingCompositor):
    bounds = (240, 640)


class Varying(PlayingCompositor):
    """Its output has no constant rate, of which only version 2 of presentation-time tells one."""

    globals = tuple(
        (name, 3 if name == "wp_presentation" else version)
        for name, version in PlayingCompositor.globals
    )

    def on_wl_registry_bind(self, id_, number, interface, version, new):
        super().on_wl_registry_bind(id_, number, interface, version, new)
        if interface == "wp_presentation":
            self.refresh = {1: 0, 2: 5_000_000}[version]


@pytest.fixture
def memory():
    return MemfdMemory([Source(id=CMA, name="linux,cma")])


@contextmanager
def window_with_buffers(fake, memory):
    """A window with what was negotiated for it, and buffers of SIZE by that."""
    with Connection(fake.socket.detach()) as connection, Window(connection, title="w") as window:
        dmabuf = LinuxDmabuf(connection)
        negotiation = surface_negotiation(dmabuf, window.surface)
        negotiation.set_participant(writer_participant("yuv420p"))
        negotiation.set_extents(Extents(coded=SIZE))
        batch = negotiation.negotiate()
        pool = BufferPool.best(
            negotiation=negotiation, batch=batch, dmabuf=dmabuf, memory=memory, extent=SIZE
        )
        with pool:
            yield connection, window, negotiation, pool


@pytest.mark.parametrize("fake", [Varying], indirect=True)
def test_a_rate_that_varies_is_heard_of_by_the_version_that_tells_it(fake, memory):
    told = []
    with window_with_buffers(fake, memory) as (connection, window, _, pool):
        window.show(pool.free(), SIZE, shown=told.append)
        connection.roundtrip()
    assert [presented.refresh for presented in told] == [0.005]


@pytest.mark.parametrize("fake", [Bounded], indirect=True)
@pytest.mark.parametrize(
    ("rotation", "aspect", "transform", "destination"),
    [
        (0, Fraction(1), 0, (240, 180)),
        (0, Fraction(2), 0, (240, 90)),
        (90, Fraction(1), 3, (240, 320)),
        (90, Fraction(2), 3, (240, 640)),  # what was wide is tall now
        (180, Fraction(2), 2, (240, 90)),
        (270, Fraction(2), 1, (240, 640)),
    ],
)
def test_a_picture_keeps_its_shape_in_the_bounds_of_the_window(
    fake, memory, rotation, aspect, transform, destination
):
    with window_with_buffers(fake, memory) as (connection, window, negotiation, pool):
        window.show(
            pool.free(),
            SIZE,
            pixel_aspect=aspect,
            rotation=rotation,
            shown=lambda presented: None,
        )
        connection.roundtrip()
        assert not pool.idle
        unimported = allocate(pool.plan, memory)
        with unimported, pytest.raises(UsageError, match="only an imported buffer"):
            window.show(unimported, SIZE, shown=lambda presented: None)
        with unimported, pytest.raises(UsageError, match="only an imported buffer"):
            unimported.watch(negotiation)
    assert fake.transforms == [transform]
    assert fake.destinations[0] == destination


@pytest.mark.parametrize("fake", [Bounded], indirect=True)
def test_where_a_picture_goes_is_said_when_that_changes(fake, memory):
    """A surface keeps how it is turned, scaled and covered from frame to frame."""
    placing = {"set_buffer_transform", "set_destination", "set_opaque_region"}
    told = []
    with window_with_buffers(fake, memory) as (connection, window, _, pool):

        def shown(extent=SIZE, **how):
            until(lambda: window.ready, "a wish for a frame", lambda: connection.dispatch(0.02))
            before = len(fake.requests)
            window.show(pool.free(), extent, **how, shown=lambda presented: None)
            connection.roundtrip()
            told.append({one.name for one in fake.requests[before:]} & placing)

        shown()
        shown()
        shown(rotation=90)
        shown(rotation=90, pixel_aspect=Fraction(2))
        shown(rotation=90, pixel_aspect=Fraction(4, 2))
        fake.bounds = (120, 320)
        fake.configure()
        connection.roundtrip()
        shown(rotation=90, pixel_aspect=Fraction(2))
        shown(Extent(32, 24))
        shown(Extent(32, 24))
    assert told == [placing, set(), placing, placing, set(), placing, placing, set()]
    assert fake.destinations == [(240, 180), (240, 320), (240, 640), (120, 320), (120, 90)]


def test_outputs_that_come_and_go_are_known_by_name(no_fd_leak):
    one, other = OutputMode(name="one"), OutputMode(name="other", extent=Extent(320, 200))
    compositor = Compositor(Platform.load("raspberry-pi-4"), outputs=(one, other))
    with (
        compositor,
        compositor.running(),
        Connection(compositor.connect()) as connection,
        Window(connection, title="w", fullscreen=True) as window,
    ):

        def comes_to(*names):
            until(lambda: window.covered == names, str(names), lambda: connection.dispatch(0.02))

        comes_to("one", "other")
        compositor.unplug("one")
        comes_to("other")
        compositor.plug(one)
        comes_to("one", "other")
        compositor.unplug("other")
        comes_to("one")


class Unplugging(PlayingCompositor):
    """Has an output, and tells of a surface on it when that is gone already."""

    globals = (*PlayingCompositor.globals, ("wl_output", 4))

    def id_of(self, interface):
        return max(id_ for id_, name in self.objects.items() if name == interface)

    def on_wl_registry_bind(self, id_, number, interface, version, new):
        super().on_wl_registry_bind(id_, number, interface, version, new)
        if interface == "wl_output":
            self.event(new, "name", "one")

    def unplug(self, *late):
        output, surface = self.id_of("wl_output"), self.id_of("wl_surface")
        self.event(surface, "enter", output)
        self.event(self.id_of("wl_registry"), "global_remove", len(self.globals))
        for name in late:
            self.event(surface, name, output)


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("fake", [Unplugging], indirect=True)
@pytest.mark.parametrize("late", ["enter", "leave"])
def test_what_is_told_late_of_an_output_that_is_gone_means_nothing(fake, late):
    with (
        Connection(fake.socket.detach()) as connection,
        Window(connection, title="w", fullscreen=True) as window,
    ):
        until(lambda: window.covered == ("one",), "one", lambda: connection.dispatch(0.02))
        fake.unplug(late)
        until(lambda: window.covered == (), "none", lambda: connection.dispatch(0.02))
        connection.roundtrip()
        assert window.covered == ()


OUTPUT = ("wl_output", "zxdg_output_v1")


class Older(Unplugging):
    """Names its output by xdg-output, and has another one beside it."""

    globals = (
        *PlayingCompositor.globals,
        ("zxdg_output_manager_v1", 3),
        *[("wl_output", 3)] * 2,
    )

    def on_wl_registry_bind(self, id_, number, interface, version, new):
        PlayingCompositor.on_wl_registry_bind(self, id_, number, interface, version, new)

    def on_zxdg_output_manager_v1_get_xdg_output(self, _id, new, output):
        self.event(new, "name", f"of {output}")


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("fake", [Older], indirect=True)
def test_names_by_xdg_output_come_and_go_too(fake):
    with (
        Connection(fake.socket.detach()) as connection,
        Window(connection, title="w", fullscreen=True) as window,
    ):
        until(lambda: len(window.covered) == 2, "both", lambda: connection.dispatch(0.02))
        both = {*window.covered}
        gone = f"of {fake.id_of('wl_output')}"
        fake.unplug("leave")
        until(lambda: len(window.covered) == 1, "one", lambda: connection.dispatch(0.02))
        assert {*window.covered} == both - {gone}
        connection.roundtrip()
        told = [one.name for one in fake.requests if one.interface in OUTPUT]
        assert told[-2:] == ["destroy", "release"]
