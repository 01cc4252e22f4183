"""Subsurfaces: place, order, and when what they commit takes effect."""

from __future__ import annotations

import pytest
from wire_client import DISPLAY

from heapwire.compositor_plugin.hosts.reference.wl_subcompositor import (
    MOST_PARTS,
    SubcompositorError,
)
from heapwire.compositor_plugin.hosts.reference.wl_subsurface import SubsurfaceError

NO_MEMORY = 2  # wl_display.error
BLACK, RED, GREEN, BLUE = (0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)


def part(client, parent: int) -> tuple[int, int]:
    surface = client.surface()
    role = client.make(
        client.the("wl_subcompositor"), "get_subsurface", "wl_subsurface", surface, parent
    )
    return surface, role


@pytest.fixture
def window(client):
    made = client.window()
    client.shm(made.surface, 40, 40, RED)
    client.settle(made.surface)
    return made


def test_a_synchronised_commit_waits_for_the_parent(stage, client, window):
    surface, role = part(client, window.surface)
    client.request(role, "set_position", 5, 6)
    client.shm(surface, 10, 10, GREEN)
    assert stage.pixel(5, 6) == RED
    client.request(window.surface, "commit")
    assert stage.pixel(5, 6) == stage.pixel(14, 15) == GREEN
    assert stage.pixel(4, 6) == stage.pixel(15, 15) == RED


def test_a_desynchronised_commit_does_not_wait(stage, client, window):
    surface, role = part(client, window.surface)
    client.request(role, "set_desync")
    client.request(window.surface, "commit")
    client.shm(surface, 10, 10, GREEN)
    assert stage.pixel(0, 0) == GREEN


def test_the_parents_commit_leaves_a_desynchronised_part_as_it_is(stage, client, window):
    surface, role = part(client, window.surface)
    client.request(role, "set_desync")
    viewporter = client.the("wp_viewporter")
    view = client.make(viewporter, "get_viewport", "wp_viewport", surface)
    client.request(view, "set_destination", 20, 20)
    client.shm(surface, 5, 5, GREEN)
    client.request(window.surface, "commit")
    client.settle(window.surface)
    assert stage.pixel(19, 19) == GREEN
    client.shm(window.surface, 40, 40, BLUE)
    assert (stage.pixel(19, 19), stage.pixel(20, 20)) == (GREEN, BLUE)
    client.request(surface, "commit")
    assert stage.pixel(19, 19) == GREEN


def test_what_waits_takes_effect_when_it_need_not_wait_any_more(stage, client, window):
    surface, role = part(client, window.surface)
    client.request(window.surface, "commit")
    client.shm(surface, 10, 10, GREEN)
    assert stage.pixel(0, 0) == RED
    client.request(role, "set_desync")
    assert stage.pixel(0, 0) == GREEN


def test_a_desynchronised_part_of_a_synchronised_one_waits_all_the_same(stage, client, window):
    middle, _ = part(client, window.surface)
    client.shm(middle, 20, 20, GREEN)
    leaf, leaf_role = part(client, middle)
    client.request(leaf_role, "set_desync")
    client.request(middle, "commit")
    client.request(window.surface, "commit")
    client.shm(leaf, 5, 5, BLUE)
    assert stage.pixel(0, 0) == GREEN
    client.request(middle, "commit")  # the parent's state is to be applied, but has to wait too
    assert stage.pixel(0, 0) == GREEN
    client.request(window.surface, "commit")
    assert stage.pixel(0, 0) == BLUE


def test_position_is_the_parents_state(stage, client, window):
    surface, role = part(client, window.surface)
    client.request(role, "set_desync")
    client.shm(surface, 10, 10, GREEN)
    client.request(window.surface, "commit")
    client.request(role, "set_position", 20, 20)
    client.shm(surface, 10, 10, GREEN)
    assert stage.pixel(0, 0) == GREEN
    client.request(window.surface, "commit")
    assert stage.pixel(0, 0) == RED
    assert stage.pixel(20, 20) == GREEN


def test_a_part_is_on_top_of_its_parent_and_of_older_ones(stage, client, window):
    first, _ = part(client, window.surface)
    second, role = part(client, window.surface)
    client.shm(first, 10, 10, GREEN)
    client.shm(second, 5, 5, BLUE)
    client.request(window.surface, "commit")
    assert (stage.pixel(0, 0), stage.pixel(9, 9)) == (BLUE, GREEN)
    client.request(role, "place_below", first)
    assert stage.pixel(0, 0) == BLUE
    client.request(window.surface, "commit")
    assert stage.pixel(0, 0) == GREEN
    client.request(role, "place_above", first)
    client.request(window.surface, "commit")
    assert stage.pixel(0, 0) == BLUE


def test_a_part_below_its_parent_shows_where_the_parent_does_not(stage, client, window):
    surface, role = part(client, window.surface)
    client.request(role, "set_position", 35, 35)
    client.request(role, "place_below", window.surface)
    client.shm(surface, 10, 10, GREEN)
    client.request(window.surface, "commit")
    assert (stage.pixel(39, 39), stage.pixel(40, 40), stage.pixel(45, 45)) == (RED, GREEN, BLACK)


def test_a_part_that_is_destroyed_is_gone_at_once(stage, client, window):
    surface, role = part(client, window.surface)
    client.shm(surface, 10, 10, GREEN)
    client.request(window.surface, "commit")
    client.request(role, "destroy")
    assert stage.pixel(0, 0) == RED
    client.request(surface, "destroy")
    assert client.error is None


def test_a_part_of_a_parent_that_is_gone_is_not_shown_and_does_no_harm(stage, client, window):
    middle, middle_role = part(client, window.surface)
    client.shm(middle, 20, 20, GREEN)
    leaf, leaf_role = part(client, middle)
    client.shm(leaf, 5, 5, BLUE)
    client.request(middle, "commit")
    client.request(window.surface, "commit")
    assert stage.pixel(0, 0) == BLUE
    client.request(middle_role, "destroy")
    client.request(middle, "destroy")
    assert stage.pixel(0, 0) == RED
    client.request(leaf_role, "set_position", 1, 1)
    client.request(leaf_role, "place_above", leaf)
    client.request(leaf_role, "set_desync")
    client.shm(leaf, 5, 5, BLUE)
    assert client.error is None


def test_a_part_of_a_hidden_parent_is_hidden(stage, client, window):
    surface, _ = part(client, window.surface)
    client.shm(surface, 10, 10, GREEN)
    client.request(window.surface, "commit")
    client.show(window.surface, None)
    assert stage.pixel(0, 0) == BLACK


def test_frames_of_parts_come_with_the_parents(stage, client, window):
    surface, _ = part(client, window.surface)
    client.shm(surface, 10, 10, GREEN)
    callback = client.frame(surface)
    stage.refresh()
    assert client.take(callback) == []
    client.request(window.surface, "commit")
    stage.until(lambda: client.take(callback))


def test_a_deep_nest_is_drawn_and_taken_apart(stage, client, window):
    parent = window.surface
    for _ in range(MOST_PARTS - 1):
        surface, role = part(client, parent)
        client.request(role, "set_desync", pump=False)
        client.shm(surface, 4, 4, GREEN)
        client.request(parent, "commit", pump=False)
        parent = surface
    client.request(window.surface, "commit")
    assert stage.pixel(0, 0) == GREEN
    assert client.error is None


@pytest.mark.parametrize("deep", [True, False])
def test_more_parts_than_there_may_be(stage, client, deep):
    parent = client.surface()
    for _ in range(MOST_PARTS - 1):
        surface, _ = part(client, parent)
        parent = surface if deep else parent
    assert client.error is None
    part(client, parent)
    assert client.ended_by() == (DISPLAY, NO_MEMORY)


def test_trees_that_are_joined_count_together(client):
    roots = [client.surface() for _ in range(2)]
    for root in roots:
        for _ in range(MOST_PARTS // 2):
            part(client, root)
    assert client.error is None
    subcompositor = client.the("wl_subcompositor")
    client.make(subcompositor, "get_subsurface", "wl_subsurface", *roots)
    assert client.ended_by() == (DISPLAY, NO_MEMORY)


def test_parts_that_left_do_not_count(client):
    parent = client.surface()
    for _ in range(2 * MOST_PARTS):
        surface, role = part(client, parent)
        client.request(role, "destroy")
        client.request(surface, "destroy")
    assert client.error is None


def test_a_surface_that_would_be_part_of_itself(client):
    surface = client.surface()
    subcompositor = client.the("wl_subcompositor")
    client.make(subcompositor, "get_subsurface", "wl_subsurface", surface, surface)
    assert client.ended_by() == (subcompositor, SubcompositorError.BAD_PARENT)


def test_a_surface_that_would_be_part_of_its_part(client):
    first, second = client.surface(), client.surface()
    subcompositor = client.the("wl_subcompositor")
    client.make(subcompositor, "get_subsurface", "wl_subsurface", second, first)
    client.make(subcompositor, "get_subsurface", "wl_subsurface", first, second)
    assert client.ended_by() == (subcompositor, SubcompositorError.BAD_PARENT)


def test_a_surface_that_has_a_role(client, window):
    subcompositor = client.the("wl_subcompositor")
    client.make(subcompositor, "get_subsurface", "wl_subsurface", window.surface, client.surface())
    assert client.ended_by() == (subcompositor, SubcompositorError.BAD_SURFACE)


@pytest.mark.parametrize("request_", ["place_above", "place_below"])
def test_an_order_among_strangers(client, window, request_):
    _, role = part(client, window.surface)
    client.request(role, request_, client.surface())
    assert client.ended_by() == (role, SubsurfaceError.BAD_SURFACE)
