"""`wp_color_representation_v1`: what a surface says of its YCbCr, and what it may not say."""

from __future__ import annotations

import os

import pytest
from host_stage import NV12

from heapwire.compositor_plugin.hosts.reference.colours.wp_color_representation_manager_v1 import (
    ColorRepresentationManagerError,
)
from heapwire.compositor_plugin.hosts.reference.colours.wp_color_representation_surface_v1 import (
    ColorRepresentationSurfaceError as Error,
)

MANAGER, SURFACE = "wp_color_representation_manager_v1", "wp_color_representation_surface_v1"
IDENTITY, BT709, BT601, BT2020 = 1, 2, 4, 6
FULL, LIMITED = 1, 2
WIDTH, HEIGHT = 64, 48


@pytest.fixture
def window(client):
    return client.window()


@pytest.fixture
def colours(client, window):
    return client.make(client.the(MANAGER), "get_surface", SURFACE, window.surface)


def nv12(client, luma: int, cb: int, cr: int) -> int:
    """A buffer of one colour."""
    memory = client.stage.platform.memory
    content = bytes([luma]) * WIDTH * HEIGHT + bytes([cb, cr]) * (WIDTH * HEIGHT // 4)
    params = client.params()
    with memory.allocate(client.stage.platform.source("linux,cma").id, len(content)) as object_:
        os.pwrite(object_.fd, content, 0)
        client.request(params, "add", object_.fd, 0, 0, WIDTH, 0, 0)
        client.request(params, "add", object_.fd, 1, WIDTH * HEIGHT, WIDTH, 0, 0)
    buffer = client.new("wl_buffer")
    client.request(params, "create_immed", buffer, WIDTH, HEIGHT, NV12, 0)
    return buffer


def pixel(stage, client, window) -> tuple[int, ...]:
    client.settle(window.surface)
    return stage.pixel(WIDTH // 2, HEIGHT // 2)


def test_what_is_on_offer_is_said_at_once(client) -> None:
    told = client.take(client.the(MANAGER))
    assert told[0] == ("supported_alpha_mode", 0)
    assert told[-1] == ("done",)
    assert {pair[1:] for pair in told[1:-1]} == {
        (IDENTITY, FULL),
        *((matrix, range_) for matrix in (BT601, BT709, BT2020) for range_ in (FULL, LIMITED)),
    }


def test_the_colours_come_and_go_with_a_commit(stage, client, window, colours) -> None:
    """Y 134, Cb 63, Cr 51 are (0,192,0) in BT.709 and something else in BT.601."""
    client.show(window.surface, nv12(client, 134, 63, 51))
    before = pixel(stage, client, window)
    client.request(colours, "set_coefficients_and_range", BT709, LIMITED)
    assert stage.pixel(WIDTH // 2, HEIGHT // 2) == before, "not before it is committed"
    told = pixel(stage, client, window)
    assert all(abs(a - b) <= 2 for a, b in zip(told, (0, 192, 0), strict=True)), told
    client.request(colours, "destroy")
    assert pixel(stage, client, window) == before != (0, 192, 0)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (("set_coefficients_and_range", 7, LIMITED), Error.COEFFICIENTS),
        (("set_coefficients_and_range", IDENTITY, LIMITED), Error.COEFFICIENTS),
        (("set_coefficients_and_range", BT709, 3), Error.COEFFICIENTS),
        (("set_alpha_mode", 2), Error.ALPHA_MODE),
        (("set_chroma_location", 0), Error.CHROMA_LOCATION),
        (("set_chroma_location", 7), Error.CHROMA_LOCATION),
    ],
)
def test_what_is_not_on_offer_is_an_error(client, colours, request_, error) -> None:
    client.request(colours, *request_)
    client.sync()
    assert client.ended_by() == (colours, error)


def test_all_that_is_on_offer_is_taken(stage, client, window, colours) -> None:
    client.request(colours, "set_alpha_mode", 0)
    for location in range(1, 7):
        client.request(colours, "set_chroma_location", location)
    for matrix in (BT601, BT709, BT2020):
        for range_ in (FULL, LIMITED):
            client.request(colours, "set_coefficients_and_range", matrix, range_)
    client.show(window.surface, nv12(client, 16, 128, 128))
    assert pixel(stage, client, window) == (0, 0, 0)


@pytest.mark.parametrize(("matrix", "range_", "yuv"), [(BT709, LIMITED, False), (1, FULL, True)])
def test_a_matrix_that_does_not_go_with_the_format_is_an_error(
    client, window, colours, matrix, range_, yuv
) -> None:
    client.request(colours, "set_coefficients_and_range", matrix, range_)
    client.request(window.surface, "commit")
    client.sync()
    assert client.error is None, "there is nothing on it yet"
    buffer = nv12(client, 16, 128, 128) if yuv else client.dmabuf(WIDTH, HEIGHT)
    client.show(window.surface, buffer)
    client.sync()
    assert client.ended_by() == (colours, Error.PIXEL_FORMAT)


def test_a_surface_has_one_object_at_a_time(client, window, colours) -> None:
    client.request(colours, "destroy")
    client.make(client.the(MANAGER), "get_surface", SURFACE, window.surface)
    client.sync()
    assert client.error is None
    client.make(client.the(MANAGER), "get_surface", SURFACE, window.surface)
    client.sync()
    assert client.ended_by() == (
        client.the(MANAGER),
        ColorRepresentationManagerError.SURFACE_EXISTS,
    )


def test_without_its_surface_it_can_only_be_destroyed(client) -> None:
    surface = client.surface()
    objects = []
    for _ in range(2):
        surface = client.surface()
        objects.append(client.make(client.the(MANAGER), "get_surface", SURFACE, surface))
        client.request(surface, "destroy")
    client.request(objects[0], "destroy")
    client.sync()
    assert client.error is None
    client.request(objects[1], "set_alpha_mode", 0)
    client.sync()
    assert client.ended_by() == (objects[1], Error.INERT)
