"""What is on the screen: position, order, crop, scale, transform, alpha."""

from __future__ import annotations

import numpy as np
import pytest
from host_stage import ARGB_SHM, OUTPUT as SIZE

from heapwire.compositor_plugin.hosts.reference.scene.composition import untransformed

RED, GREEN, BLUE, WHITE = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255), (255,) * 4


def pattern(width: int, height: int) -> np.ndarray:
    """A picture in which every pixel is another one, as B, G, R, X."""
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[..., 0] = np.arange(width)[None, :] * 3
    pixels[..., 1] = np.arange(height)[:, None] * 5
    pixels[..., 2] = 200
    return pixels


def fill(window, width: int, height: int, rgba: tuple[int, ...]) -> None:
    """Show one colour, and wait until it is on the screen."""
    alpha = None if rgba[3] == 255 else rgba[3]
    window.client.shm(window.surface, width, height, rgba[:3], alpha=alpha)
    window.client.settle(window.surface)


def rgb(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., 2::-1]


def test_a_window_is_shown_bit_by_bit_and_the_rest_is_black(stage, client):
    window = client.window()
    pixels = pattern(20, 10)
    client.show(window.surface, client.shm_buffer(pixels))
    client.settle(window.surface)
    shot = stage.compositor.screenshot()
    assert shot.shape == (SIZE.height, SIZE.width, 3)
    assert (shot[:10, :20] == rgb(pixels)).all()
    assert not shot[10:].any()
    assert not shot[:, 20:].any()


def test_the_second_window_is_on_top_and_a_step_further(stage, client):
    fill(client.window(), SIZE.width, SIZE.height, RED)
    fill(client.window(), 16, 8, GREEN)
    shot = stage.compositor.screenshot()
    assert tuple(shot[0, 0]) == (255, 0, 0)
    assert tuple(shot[32, 32]) == (0, 255, 0)
    assert tuple(shot[39, 47]) == (0, 255, 0)
    assert tuple(shot[40, 47]) == (255, 0, 0)


def test_a_destroyed_window_uncovers_what_is_below(stage, client):
    below = client.window()
    fill(below, SIZE.width, SIZE.height, RED)
    above = client.window(fullscreen=True)
    fill(above, SIZE.width, SIZE.height, GREEN)
    assert tuple(stage.compositor.screenshot()[5, 5]) == (0, 255, 0)
    for object_ in (above.toplevel, above.xdg_surface, above.surface):
        client.request(object_, "destroy")
    assert tuple(stage.compositor.screenshot()[5, 5]) == (255, 0, 0)


def test_alpha_is_premultiplied(stage, client):
    fill(client.window(fullscreen=True), SIZE.width, SIZE.height, (0, 0, 100, 255))
    fill(client.window(), 4, 4, (10, 20, 30, 128))
    shot = stage.compositor.screenshot()
    rest = round(100 * (255 - 128) / 255)
    assert (shot[32:36, 32:36] == (10, 20, 30 + rest)).all()
    assert (shot == (0, 0, 100)).all(axis=2).sum() == SIZE.width * SIZE.height - 16


def test_a_fullscreen_window_is_on_black(stage, client):
    fill(client.window(), SIZE.width, SIZE.height, RED)
    fill(client.window(fullscreen=True), SIZE.width, SIZE.height, (0, 0, 100, 128))
    assert (stage.compositor.screenshot() == (0, 0, 100)).all()


def test_what_is_opaque_needs_no_alpha_channel_to_hide_what_is_below(stage, client):
    fill(client.window(), SIZE.width, SIZE.height, RED)
    window = client.window(fullscreen=True)
    pixels = pattern(SIZE.width, SIZE.height)
    pixels[..., 3] = 0  # XRGB8888: these bytes mean nothing
    client.show(window.surface, client.shm_buffer(pixels))
    client.settle(window.surface)
    assert (stage.compositor.screenshot() == rgb(pixels)).all()


def viewport(client, surface):
    return client.make(client.the("wp_viewporter"), "get_viewport", "wp_viewport", surface)


def test_a_viewport_crops_and_scales_to_the_nearest_pixel(stage, client):
    window = client.window()
    view = viewport(client, window.surface)
    pixels = pattern(8, 8)
    client.request(view, "set_source", 2, 4, 2, 2)
    client.request(view, "set_destination", 8, 4)
    client.show(window.surface, client.shm_buffer(pixels))
    client.settle(window.surface)
    shot = stage.compositor.screenshot()
    expected = rgb(pixels)[4:6, 2:4].repeat(2, axis=0).repeat(4, axis=1)
    assert (shot[:4, :8] == expected).all()
    assert not shot[4:].any()


def test_a_window_that_is_partly_off_the_output_is_cut(stage, client):
    window = client.window()
    pixels = pattern(SIZE.width + 9, SIZE.height + 7)
    client.show(window.surface, client.shm_buffer(pixels))
    client.settle(window.surface)
    assert (stage.compositor.screenshot() == rgb(pixels)[: SIZE.height, : SIZE.width]).all()


def test_a_scaled_view_that_is_cut_shows_the_same_pixels_as_a_whole_one(stage, client):
    window = client.window()
    view = viewport(client, window.surface)
    pixels = pattern(50, 40)
    client.request(view, "set_destination", SIZE.width * 2, SIZE.height * 2)
    client.show(window.surface, client.shm_buffer(pixels))
    client.settle(window.surface)
    columns = ((np.arange(SIZE.width) + 0.5) * 50 / (SIZE.width * 2)).astype(int)
    rows = ((np.arange(SIZE.height) + 0.5) * 40 / (SIZE.height * 2)).astype(int)
    assert (stage.compositor.screenshot() == rgb(pixels)[rows][:, columns]).all()


@pytest.mark.parametrize("transform", range(8))
def test_a_transform_that_the_client_has_done_is_undone(stage, client, transform):
    window = client.window()
    upright = pattern(12, 7)
    # What the client does (wl_output.transform): mirror left and right, then turn to the left.
    done = np.fliplr(upright) if transform >= 4 else upright
    done = np.rot90(done, transform % 4)
    client.request(window.surface, "set_buffer_transform", transform)
    client.show(window.surface, client.shm_buffer(np.ascontiguousarray(done)))
    client.settle(window.surface)
    shot = stage.compositor.screenshot()
    assert (shot[:7, :12] == rgb(upright)).all()
    assert not shot[7:].any()
    assert (untransformed(done, transform) == upright).all()


def test_a_buffer_scale_makes_the_surface_smaller(stage, client):
    window = client.window()
    pixels = pattern(8, 6)
    client.request(window.surface, "set_buffer_scale", 2)
    client.show(window.surface, client.shm_buffer(pixels))
    client.settle(window.surface)
    shot = stage.compositor.screenshot()
    assert shot[:3, :4].any(axis=2).all()
    assert not shot[3:].any()
    assert not shot[:, 4:].any()


def test_window_geometry_leaves_shadows_outside(stage, client):
    window = client.window()
    pixels = pattern(20, 20)
    client.request(window.xdg_surface, "set_window_geometry", 5, 6, 10, 10)
    client.show(window.surface, client.shm_buffer(pixels))
    client.settle(window.surface)
    # The geometry's corner is at the window's place; what is left of it is off the screen.
    assert (stage.compositor.screenshot()[:14, :15] == rgb(pixels)[6:, 5:]).all()


def test_a_fullscreen_window_that_is_too_small_is_in_the_middle_of_black(stage, client):
    fill(client.window(), SIZE.width, SIZE.height, RED)
    window = client.window(fullscreen=True)
    fill(window, 10, 10, GREEN)
    shot = stage.compositor.screenshot()
    assert tuple(shot[SIZE.height // 2, SIZE.width // 2]) == (0, 255, 0)
    assert tuple(shot[0, 0]) == (0, 0, 0)
    assert (shot == (0, 255, 0)).all(axis=2).sum() == 100


def test_every_wl_shm_format_is_drawn(stage, client):
    window = client.window()
    formats = {event.args[0] for event in client.of(client.the("wl_shm"))}
    assert {ARGB_SHM, 1} < formats
    for format_ in sorted(formats):
        client.events.clear()
        buffer = client.shm_buffer(np.full((4, 8, 4), 255, np.uint8), format_)
        client.show(window.surface, buffer)
        client.settle(window.surface)
        assert (stage.compositor.screenshot()[:4, :8] == 255).all(), hex(format_)
