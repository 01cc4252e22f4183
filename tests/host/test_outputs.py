"""Outputs that come and go while windows are on them."""

from __future__ import annotations

import pytest
from host_stage import HostStage

from heapwire.compositor_plugin.hosts.reference.colours.wp_color_management_surface_v1 import (
    ColorManagementSurfaceError,
)
from heapwire.compositor_plugin.hosts.reference.scene import OutputMode
from heapwire.protocol import UsageError
from heapwire.protocol.values import Extent

GREEN = (0, 255, 0)
FULLSCREEN, MAXIMIZED = 2, 1
LEFT = OutputMode(name="left", extent=Extent(40, 30))
RIGHT = OutputMode(name="right", extent=Extent(50, 20))


@pytest.fixture
def stage(nothing_left, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    stage = HostStage(outputs=(LEFT, RIGHT))
    yield stage
    stage.close()


def outputs(client) -> dict[str, int]:
    """Every output on offer, bound, by name."""
    client.registry()
    offered: dict[int, None] = {}
    for event in client.of(client._registry):
        if event.name == "global" and event.args[1] == "wl_output":
            offered[event.args[0]] = None
        elif event.name == "global_remove":
            offered.pop(event.args[0], None)
    bound = [client.bind_number(number, "wl_output", 4) for number in offered]
    names = [next(e.args[0] for e in client.of(one) if e.name == "name") for one in bound]
    return dict(zip(names, bound, strict=True))


def full(client, request: str = "set_fullscreen", *arguments, size=(40, 30)):
    window = client.window(configure=False)
    if request == "set_fullscreen" and not arguments:
        arguments = (None,)
    client.request(window.toplevel, request, *arguments)
    client.request(window.surface, "commit")
    assert window.configured()[:2] == size
    client.shm(window.surface, *size, GREEN)
    client.settle(window.surface)
    return window


@pytest.mark.parametrize(
    ("request_", "arguments", "state"),
    [("set_fullscreen", (), FULLSCREEN), ("set_maximized", (), MAXIMIZED)],
)
def test_a_window_that_had_the_output_has_another(stage, request_, arguments, state) -> None:
    client = stage.client()
    bound = outputs(client)
    window = full(client, request_, *arguments)
    client.take(window.surface)
    stage.compositor.unplug("left")
    client.pump()
    width, height, states = window.configured()
    assert (width, height) == (50, 20)
    assert state in states
    client.shm(window.surface, 50, 20, GREEN)
    client.settle(window.surface)
    assert client.error is None
    assert client.take(window.surface) == [("leave", bound["left"]), ("enter", bound["right"])]
    assert (stage.compositor.screenshot() == GREEN).all()
    assert stage.frames[-1].output == "right"


def test_what_is_acknowledged_late_is_not_on_an_output_that_is_gone(stage) -> None:
    client = stage.client()
    window = client.window()
    client.shm(window.surface, 10, 10, GREEN)
    client.settle(window.surface)
    client.request(window.toplevel, "set_fullscreen", None)
    serials = [serial for _, serial in client.take(window.xdg_surface)]
    stage.compositor.unplug("left")
    client.request(window.xdg_surface, "ack_configure", serials[-1])
    client.request(window.surface, "commit")
    client.settle(window.surface)
    assert client.error is None
    assert stage.compositor.screenshot()[10, 25].tolist() == list(GREEN), "in the middle"


def test_a_window_that_nobody_would_see_goes_to_where_it_is_seen(stage) -> None:
    client = stage.client()
    window = client.window()
    client.shm(window.surface, 10, 10, GREEN)
    client.settle(window.surface)
    stage.compositor.unplug("left")
    client.settle(window.surface)
    assert stage.compositor.screenshot()[5, 5].tolist() == list(GREEN)


def test_a_frame_that_waited_for_the_output_comes_on_the_other(stage) -> None:
    client = stage.client()
    window = full(client)
    callback = client.frame(window.surface)
    stage.compositor.unplug("left")
    stage.until(lambda: client.take(callback))


def test_the_global_goes_and_comes(stage) -> None:
    client = stage.client()
    assert set(outputs(client)) == {"left", "right"}
    stage.compositor.unplug("left")
    client.pump()
    assert set(outputs(client)) == {"right"}
    stage.compositor.plug(OutputMode(name="third", extent=Extent(30, 30)))
    client.pump()
    late = outputs(client)
    assert set(late) == {"right", "third"}
    places = {
        name: next(e.args[:2] for e in client.of(one) if e.name == "geometry")
        for name, one in late.items()
    }
    assert places == {"right": (40, 0), "third": (0, 0)}, "where there is room"


def test_an_output_that_is_gone_can_be_bound_and_asked_for(stage) -> None:
    """The client may not have heard of it yet."""
    client = stage.client()
    client.registry()
    number = next(e.args[0] for e in client.of(client._registry) if e.args[1:2] == ("wl_output",))
    stage.compositor.unplug("left")
    gone = client.bind_number(number, "wl_output", 4)
    full(client, "set_fullscreen", gone, size=(50, 20))
    assert client.error is None
    assert (stage.compositor.screenshot("right") == GREEN).all()


def test_the_light_of_an_output_goes_with_it(stage) -> None:
    """Whether it was asked for before or after: `failed`, because there is no output (3)."""
    client = stage.client()
    bound, manager = outputs(client), client.the("wp_color_manager_v1")

    def light_of(name: str) -> int:
        interface = "wp_color_management_output_v1"
        return client.make(manager, "get_output", interface, bound[name])

    def described(light: int) -> int:
        return client.make(light, "get_image_description", "wp_image_description_v1")

    before, other = light_of("left"), light_of("right")
    client.request(bound["right"], "release")  # which has no impact
    assert client.take(described(before))[0][0] == "ready"
    stage.compositor.unplug("left")
    for light in (before, light_of("left")):
        [(event, cause, _)] = client.take(described(light))
        assert (event, cause) == ("failed", 3)
    assert client.take(described(other))[0][0] == "ready"
    failed = described(before)
    lit = client.make(manager, "get_surface", "wp_color_management_surface_v1", client.surface())
    client.request(lit, "set_image_description", failed, 0)
    client.sync()
    assert client.ended_by() == (lit, ColorManagementSurfaceError.IMAGE_DESCRIPTION)


def test_what_cannot_be_is_told(stage) -> None:
    with pytest.raises(UsageError, match="right already"):
        stage.compositor.plug(RIGHT)
    with pytest.raises(UsageError, match="no output HDMI-7"):
        stage.compositor.unplug("HDMI-7")
    stage.compositor.unplug("left")
    with pytest.raises(UsageError, match="last"):
        stage.compositor.unplug("right")


def test_coming_and_going_leaves_nothing_but_what_late_clients_may_bind(stage, monkeypatch) -> None:
    destroyed = []
    real = type(stage.compositor._output_globals[stage.compositor._desktop.outputs[0]]).destroy
    monkeypatch.setattr("heapwire.compositor_plugin.hosts.reference.compositor._LATE_BINDS", 1)
    monkeypatch.setattr(
        "heapwire.compositor_plugin.server.global_.Global.destroy",
        lambda self: (destroyed.append(self), real(self))[1],
    )
    for _ in range(3):
        stage.compositor.unplug("left")
        stage.compositor.plug(LEFT)
    stage.until(lambda: len(destroyed) == 3)
