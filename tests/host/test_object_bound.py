"""What a client of the reference compositor can make it keep is bounded, whatever kind it is of.

A bound that a client cannot know of is `wl_display.error no_memory`, and its own.
"""

from __future__ import annotations

import pytest
from host_stage import HostStage
from wire_client import DISPLAY

from heapwire.compositor_plugin.hosts.reference.compositor import _LET_BE, _OF_ALL, _OF_ONE
from heapwire.compositor_plugin.hosts.reference.scene.frame_answers import _AT_ONCE
from heapwire.compositor_plugin.hosts.reference.scene.region import MAX_RECTS
from heapwire.compositor_plugin.hosts.reference.wl_region import WlRegion
from heapwire.compositor_plugin.hosts.reference.wl_surface import WlSurface
from heapwire.compositor_plugin.server.resource import live_resources

NO_MEMORY = 2  # wl_display.error


@pytest.fixture
def stage():
    """A compositor that draws for nobody."""
    stage = HostStage(record=False)
    stage.compositor._desktop._on_frame = None
    yield stage
    stage.close()


@pytest.fixture
def client(stage):
    return stage.client()


def surface(client, _surface):
    client.surface()


def region(client, _surface):
    client.make(client.the("wl_compositor"), "create_region", "wl_region")


def callback(client, surface):
    client.make(surface, "frame", "wl_callback")


def presentation(client, surface):
    client.request(
        client.the("wp_presentation"), "feedback", surface, client.new("wp_presentation_feedback")
    )


def dmabuf_feedback(client, surface):
    interface = "zwp_linux_dmabuf_feedback_v1"
    client.make(client.the("zwp_linux_dmabuf_v1"), "get_surface_feedback", interface, surface)


def params(client, _surface):
    client.params()


def positioner(client, _surface):
    client.make(client.the("xdg_wm_base"), "create_positioner", "xdg_positioner")


def pixel(client, _surface):
    manager = client.the("wp_single_pixel_buffer_manager_v1")
    client.make(manager, "create_u32_rgba_buffer", "wl_buffer", 0, 0, 0, 0)


def output(client, _surface):
    client.bind("wl_output")


KINDS = [surface, region, callback, presentation, dmabuf_feedback, params, positioner, pixel]


def fill(client, make):
    """Make so many as there may be, and one more, without a look at what comes back."""
    its = client.surface()
    pump, client.pump = client.pump, lambda: None
    try:
        for number in range(_OF_ONE + 1):
            make(client, its)
            if number % 32 == 0:
                pump()
            if client.error is not None:
                break
    finally:
        client.pump = pump
    pump()
    return its


@pytest.mark.parametrize("make", [*KINDS, output])
def test_a_client_may_have_so_many_objects_and_no_more(stage, client, make):
    other = stage.client()
    window = other.window()
    fill(client, make)
    stage.until(lambda: client.error is not None)
    assert client.ended_by() == (DISPLAY, NO_MEMORY)
    other.shm(window.surface, 4, 4)
    other.settle(window.surface)
    assert other.error is None
    bound = stage.compositor._display.bound
    client.close()
    stage.until(lambda: len(bound._had) == 1)
    assert bound._all == sum(bound._had.values())


def test_what_goes_does_not_count(client):
    for _ in range(_OF_ONE + 8):
        made = client.make(client.the("wl_compositor"), "create_region", "wl_region")
        client.request(made, "destroy")
    assert client.error is None


def test_all_together_leave_room_for_who_has_little(stage):
    others = []
    while stage.compositor._display.bound._all + _LET_BE < _OF_ALL:
        others.append(stage.client())
        for _ in range((_OF_ONE - 16) // WlSurface.WEIGHT):
            others[-1].surface()
    greedy = next(one for one in others if one.error is None)
    late = stage.client()
    window = late.window()
    late.shm(window.surface, 4, 4)
    late.settle(window.surface)
    assert (late.error, greedy.error) == (None, None)
    for _ in range(_OF_ONE):
        late.surface()
        if late.error is not None:
            break
    assert late.ended_by() == (DISPLAY, NO_MEMORY)
    assert greedy.error is None


def test_a_region_forgets_what_has_too_many_pieces(client):
    """Each of its requests costs what it has; and to forget what is opaque is safe."""
    made = client.make(client.the("wl_compositor"), "create_region", "wl_region")
    (kept,) = [one for one in live_resources() if isinstance(one, WlRegion)]
    for number in range(MAX_RECTS * 5):
        client.request(made, "add", 3 * number, 0, 2, 2)
        assert len(kept.region.rects) <= MAX_RECTS
    for number in range(MAX_RECTS * 5):
        client.request(made, "subtract", 3 * number, 0, 1, 1)
        assert len(kept.region.rects) <= MAX_RECTS
    assert client.error is None


def test_frame_callbacks_by_the_hundred_are_called_back_in_slices(stage, client):
    """Some in one pass of the loop, in order, and others are served in between."""
    window = client.window()
    client.shm(window.surface, 4, 4)
    client.settle(window.surface)
    asked = [client.make(window.surface, "frame", "wl_callback") for _ in range(3 * _AT_ONCE)]
    client.request(window.surface, "commit")
    called: list[int] = []
    passes: list[int] = []

    def all_called():
        done = {event.object for event in client.events if event.name == "done"}
        now = [one for one in asked if one in done]
        if len(now) > len(called):
            passes.append(len(now) - len(called))
        called[:] = now
        return len(now) == len(asked)

    stage.until(all_called)
    assert len(passes) >= 3
    assert max(passes) <= _AT_ONCE
    assert client.error is None
