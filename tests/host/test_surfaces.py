"""wl_surface and wp_viewport: what is misuse, when buffers are given back, frames, presentation."""

from __future__ import annotations

import os

import numpy as np
import pytest
from host_stage import OUTPUT, XRGB_SHM, memfd
from wire_client import DISPLAY

from heapwire.compositor_plugin.hosts.reference.scene import ViewportError
from heapwire.compositor_plugin.hosts.reference.wl_surface import SurfaceError

ZERO_COPY, VSYNC = 8, 1
NANOSECONDS = 1_000_000_000


def viewport(client, surface: int) -> int:
    return client.make(client.the("wp_viewporter"), "get_viewport", "wp_viewport", surface)


def feedback(client, surface: int) -> int:
    presentation = client.the("wp_presentation")
    id_ = client.new("wp_presentation_feedback")
    client.request(presentation, "feedback", surface, id_)
    return id_


def cleared(size) -> np.ndarray:
    return np.zeros((*size, 4), np.uint8)


# Misuse.


@pytest.mark.parametrize("scale", [0, -1])
def test_a_scale_that_is_none(client, scale):
    surface = client.surface()
    client.request(surface, "set_buffer_scale", scale)
    assert client.ended_by() == (surface, SurfaceError.INVALID_SCALE)


@pytest.mark.parametrize("transform", [8, -1])
def test_a_transform_that_is_none(client, transform):
    surface = client.surface()
    client.request(surface, "set_buffer_transform", transform)
    assert client.ended_by() == (surface, SurfaceError.INVALID_TRANSFORM)


def test_a_buffer_that_is_no_multiple_of_the_scale(client):
    surface = client.surface()
    client.request(surface, "set_buffer_scale", 2)
    client.shm(surface, 4, 5)
    assert client.ended_by() == (surface, SurfaceError.INVALID_SIZE)


def test_a_scale_that_does_not_go_with_the_buffer_that_is_there(client):
    surface = client.surface()
    client.shm(surface, 5, 5)
    client.request(surface, "set_buffer_scale", 2)
    client.request(surface, "commit")
    assert client.ended_by() == (surface, SurfaceError.INVALID_SIZE)


def test_an_offset_in_attach(client):
    surface = client.surface()
    client.request(surface, "attach", None, 1, 0)
    assert client.ended_by() == (surface, SurfaceError.INVALID_OFFSET)


@pytest.mark.parametrize(
    ("request_", "args"),
    [
        ("set_source", (-1, 0, 4, 4)),
        ("set_source", (0, 0, 0, 4)),
        ("set_source", (0, 0, 4, -1)),
        ("set_destination", (0, 4)),
        ("set_destination", (4, -1)),
    ],
)
def test_a_viewport_with_nonsense(client, request_, args):
    view = viewport(client, client.surface())
    client.request(view, request_, *args)
    assert client.ended_by() == (view, ViewportError.BAD_VALUE)


def test_a_source_that_is_not_within_the_buffer(client):
    surface = client.surface()
    view = viewport(client, surface)
    client.request(view, "set_source", 1, 0, 4, 4)
    client.request(view, "set_destination", 4, 4)
    client.shm(surface, 4, 4)
    assert client.ended_by() == (view, ViewportError.OUT_OF_BUFFER)


def test_a_source_that_is_not_whole_without_a_destination(client):
    surface = client.surface()
    view = viewport(client, surface)
    client.request(view, "set_source", 0, 0, 2.5, 2)
    client.shm(surface, 4, 4)
    assert client.ended_by() == (view, ViewportError.BAD_SIZE)


def test_a_second_viewport(client):
    surface = client.surface()
    viewport(client, surface)
    viewport(client, surface)
    assert client.ended_by() == (client.the("wp_viewporter"), 0)


def test_a_viewport_of_a_surface_that_is_gone(client):
    surface = client.surface()
    view = viewport(client, surface)
    client.request(surface, "destroy")
    client.request(view, "set_destination", 4, 4)
    assert client.ended_by() == (view, ViewportError.NO_SURFACE)


def test_a_viewport_that_goes_leaves_the_surface_as_it_would_be(stage, client):
    window = client.window()
    view = viewport(client, window.surface)
    client.request(view, "set_destination", 20, 20)
    client.shm(window.surface, 4, 4)
    assert stage.pixel(19, 19) == (255, 255, 255)
    client.request(view, "destroy")
    assert stage.pixel(19, 19) == (255, 255, 255)
    client.request(window.surface, "commit")
    assert stage.pixel(4, 4) == (0, 0, 0)
    viewport(client, window.surface)
    assert client.error is None


# Buffers.


def shm(client):
    return client.shm_buffer(np.full((16, 16, 4), 0x40, np.uint8))


def dmabuf(client):
    return client.dmabuf(16, 16)


KINDS = pytest.mark.parametrize("made", [shm, dmabuf])


@KINDS
def test_a_buffer_is_given_back_when_another_one_is_on_the_screen(stage, client, made):
    window = client.window()
    first, second = made(client), made(client)
    client.show(window.surface, first)
    client.settle(window.surface)
    assert client.take(first) == []
    # In one write, so that no refresh comes in between.
    answered = client.new("wl_callback")
    client.request(window.surface, "attach", second, 0, 0, pump=False)
    client.request(window.surface, "commit", pump=False)
    client.request(DISPLAY, "sync", answered)
    stage.until(lambda: client.of(first))
    told = [event.object for event in client.events if event.object in (first, answered)]
    assert told == [answered, first]  # it was still on the screen
    assert client.take(second) == []
    client.show(window.surface, None)
    stage.until(lambda: client.take(second) == [("release",)])


@KINDS
def test_a_buffer_that_is_committed_again_is_not_given_back(stage, client, made):
    window = client.window()
    buffer = made(client)
    for _ in range(3):
        client.show(window.surface, buffer)
        client.settle(window.surface)
    assert client.take(buffer) == []


@KINDS
def test_a_buffer_on_two_surfaces_is_given_back_by_the_last(stage, client, made):
    one, two = client.window(), client.window()
    buffer = made(client)
    for window in (one, two):
        client.show(window.surface, buffer)
        client.settle(window.surface)
    client.show(one.surface, None)
    stage.refresh()
    assert client.take(buffer) == []
    client.show(two.surface, None)
    stage.until(lambda: client.take(buffer) == [("release",)])


def test_a_buffer_that_never_took_effect_is_given_back_too(stage, client):
    window = client.window()
    client.shm(window.surface, 16, 16)
    surface = client.surface()
    client.make(
        client.the("wl_subcompositor"), "get_subsurface", "wl_subsurface", surface, window.surface
    )
    first, second = client.dmabuf(16, 16), client.dmabuf(16, 16)
    client.show(surface, first)
    client.show(surface, second)
    assert client.take(first) == [("release",)]
    assert client.take(second) == []


@KINDS
def test_a_destroyed_buffer_is_shown_on(stage, client, made):
    window = client.window()
    buffer = made(client)
    client.show(window.surface, buffer)
    client.request(buffer, "destroy")
    client.settle(window.surface)
    assert stage.pixel(0, 0) == (0x40,) * 3
    client.show(window.surface, None)
    stage.refresh()
    assert client.error is None


def test_a_buffer_that_goes_between_attach_and_commit_counts_as_none(stage, client):
    window = client.window()
    client.shm(window.surface, 16, 16)
    for buffer in (client.dmabuf(16, 16), client.shm_buffer(cleared((4, 4)))):
        client.request(window.surface, "attach", buffer, 0, 0)
        client.request(buffer, "destroy")
    client.request(window.surface, "commit")
    assert stage.pixel(0, 0) == (0, 0, 0)
    assert client.error is None


def test_a_pool_that_shrinks_under_a_buffer_ends_its_client_only(stage, client):
    window = client.window()
    fd = memfd(bytes(1 << 20))
    shm = client.the("wl_shm")
    pool = client.make(shm, "create_pool", "wl_shm_pool", fd, 1 << 20)
    buffer = client.make(pool, "create_buffer", "wl_buffer", 0, 256, 256, 1024, XRGB_SHM)
    os.ftruncate(fd, 0)
    os.close(fd)
    client.show(window.surface, buffer)
    assert client.error is not None
    other = stage.client()
    fine = other.window()
    other.shm(fine.surface, 4, 4)
    other.settle(fine.surface)
    assert other.error is None


# Frames and presentation.


def test_a_frame_is_called_back_once_per_refresh(stage, client):
    window = client.window()
    client.shm(window.surface, 4, 4)
    times = []
    for _ in range(3):
        callback = client.frame(window.surface)
        (name, time), *rest = stage_take(stage, client, callback)
        assert (name, rest) == ("done", [])
        times.append(time)
    assert times == sorted(set(times))


def stage_take(stage, client, object_: int):
    found = []
    stage.until(lambda: found or found.extend(client.take(object_)) or found)
    return found


def test_no_frame_for_what_is_not_on_the_screen(stage, client):
    surface = client.surface()
    callback = client.frame(surface)
    stage.refresh()
    assert client.take(callback) == []


def test_presentation_tells_time_refresh_and_sequence(stage, client):
    window = client.window()
    output = client.the("wl_output")
    found = []
    for _ in range(2):
        asked = feedback(client, window.surface)
        client.shm(window.surface, 4, 4)
        stage.until(lambda asked=asked: [e for e in client.of(asked) if e.name == "presented"])
        (sync, presented) = client.take(asked)
        assert sync == ("sync_output", output)
        found.append(presented[1:])
    (s_hi, s_lo, ns, refresh, q_hi, q_lo, flags), second = found
    assert refresh == round(NANOSECONDS / 60)
    assert flags == VSYNC
    time, sequence = (s_hi << 32 | s_lo) * NANOSECONDS + ns, q_hi << 32 | q_lo
    later = (second[0] << 32 | second[1]) * NANOSECONDS + second[2]
    refreshes = (second[4] << 32 | second[5]) - sequence
    assert refreshes >= 1
    assert later - time == refreshes * refresh


def test_each_version_of_presentation_time_tells_the_rate_that_is_constant(stage, client):
    window = client.window()
    asked = []
    for version in (1, 2):
        presentation = client.the("wp_presentation", version)
        asked.append(client.new("wp_presentation_feedback"))
        client.request(presentation, "feedback", window.surface, asked[-1])
    client.shm(window.surface, 4, 4)
    stage.until(lambda: all(client.of(one) for one in asked))
    first, second = (client.take(one) for one in asked)
    assert first == second
    assert first[-1][4] == round(NANOSECONDS / 60)


def test_what_is_scanned_out_is_presented_without_a_copy(stage, client):
    window = client.window(fullscreen=True)
    asked = feedback(client, window.surface)
    client.show(window.surface, client.dmabuf(OUTPUT.width, OUTPUT.height))
    stage.until(lambda: client.of(asked))
    assert client.take(asked)[-1][-1] == VSYNC | ZERO_COPY
    assert stage.frames[-1].scanned_out


def test_a_commit_that_was_overtaken_is_discarded(stage, client):
    window = client.window()
    first = feedback(client, window.surface)
    client.request(window.surface, "commit", pump=False)
    second = feedback(client, window.surface)
    client.shm(window.surface, 4, 4)
    assert client.take(first) == [("discarded",)]
    stage.until(lambda: client.of(second))
    assert client.take(second)[-1][0] == "presented"


def test_a_surface_that_goes_discards_its_feedback(client):
    surface = client.surface()
    asked = feedback(client, surface)
    client.request(surface, "destroy")
    assert client.take(asked) == [("discarded",)]


def test_the_screen_rests_while_nothing_changes(stage, client):
    window = client.window()
    client.shm(window.surface, 4, 4)
    client.settle(window.surface)
    outputs = stage.compositor._desktop.outputs
    stage.until(lambda: not any(output._scheduled for output in outputs))
    assert len(stage.frames) == 1


def test_frames_are_recorded(stage, client):
    window = client.window(fullscreen=True)
    client.show(window.surface, client.dmabuf(OUTPUT.width, OUTPUT.height))
    client.settle(window.surface)
    client.shm(window.surface, OUTPUT.width, OUTPUT.height)
    client.settle(window.surface)
    scanned, composited = (frame.document() for frame in stage.frames)
    assert (scanned["scanned_out"], scanned["reason"]) == (True, "none")
    assert (scanned["fourcc"], scanned["modifier"]) == ("XRGB8888", "0x0")
    assert scanned["sources"] == ["linux,cma"]
    assert (composited["scanned_out"], composited["reason"]) == (False, "memory")
    assert (composited["modifier"], composited["sources"]) == (None, [])
    assert composited["crc32"] != scanned["crc32"]
    assert composited["sequence"] > scanned["sequence"]
    assert (stage.images[0] == 0x40).all()
    assert (stage.images[1] == 255).all()
