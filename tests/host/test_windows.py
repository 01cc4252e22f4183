"""xdg_shell: configure, acknowledge, commit; states; popups; what is misuse."""

from __future__ import annotations

import struct

import pytest
from host_stage import OUTPUT

from heapwire.compositor_plugin.hosts.reference.shell.wm_base_error import WmBaseError
from heapwire.compositor_plugin.hosts.reference.shell.xdg_positioner import PositionerError
from heapwire.compositor_plugin.hosts.reference.shell.xdg_surface import XdgSurfaceError
from heapwire.compositor_plugin.hosts.reference.shell.xdg_toplevel import ToplevelError

MAXIMIZED, FULLSCREEN, ACTIVATED = 1, 2, 4
RED, GREEN = (255, 0, 0), (0, 255, 0)


def assert_error(client, object_: int, code: int) -> None:
    assert client.error is not None
    assert (client.error.object, client.error.code) == (object_, code)
    client.read()
    assert client.closed


def positioner(client, *, complete: bool = True) -> int:
    made = client.make(client.the("xdg_wm_base"), "create_positioner", "xdg_positioner")
    if complete:
        client.request(made, "set_size", 10, 6)
        client.request(made, "set_anchor_rect", 4, 5, 20, 10)
    return made


def popup(client, parent: int | None, place: int) -> tuple[int, int, int]:
    surface = client.surface()
    xdg = client.make(client.the("xdg_wm_base"), "get_xdg_surface", "xdg_surface", surface)
    made = client.make(xdg, "get_popup", "xdg_popup", parent, place)
    return surface, xdg, made


def test_nothing_is_configured_before_the_initial_commit(client):
    window = client.window(configure=False)
    assert client.take(window.toplevel) == client.take(window.xdg_surface) == []
    client.request(window.surface, "commit")
    assert window.configured() == (0, 0, {ACTIVATED})


@pytest.mark.parametrize(
    ("ask", "states"),
    [("set_fullscreen", {FULLSCREEN}), ("set_maximized", {MAXIMIZED})],
)
def test_a_state_that_is_asked_for_is_configured_with_the_size_of_the_output(client, ask, states):
    window = client.window()
    client.shm(window.surface, 10, 10)
    client.request(window.toplevel, ask, *([None] if ask == "set_fullscreen" else []))
    assert window.configured() == (OUTPUT.width, OUTPUT.height, states | {ACTIVATED})
    client.request(window.toplevel, ask.replace("set", "unset"))
    assert window.configured() == (0, 0, {ACTIVATED})


def test_the_state_changes_with_the_commit_and_not_before(stage, client):
    window = client.window()
    client.shm(window.surface, 10, 10, RED)
    client.settle(window.surface)
    client.request(window.toplevel, "set_fullscreen", None)
    window.configured()
    settled = stage.pixel(0, 0)
    assert settled == RED  # still at its place
    client.request(window.surface, "commit")
    client.settle(window.surface)
    assert stage.pixel(0, 0) == (0, 0, 0)
    assert stage.pixel(OUTPUT.width // 2, OUTPUT.height // 2) == RED


def test_an_output_can_be_chosen(stage, client):
    window = client.window(configure=False)
    client.request(window.toplevel, "set_fullscreen", client.the("wl_output"))
    client.request(window.surface, "commit")
    assert window.configured()[2] == {FULLSCREEN, ACTIVATED}


def test_an_unmapped_window_has_to_begin_anew(stage, client):
    window = client.window(fullscreen=True)
    client.shm(window.surface, OUTPUT.width, OUTPUT.height, RED)
    client.settle(window.surface)
    client.show(window.surface, None)
    assert stage.pixel(5, 5) == (0, 0, 0)
    client.request(window.surface, "commit")
    assert window.configured() == (0, 0, {ACTIVATED})  # what it was is forgotten
    client.shm(window.surface, 10, 10, GREEN)
    client.settle(window.surface)
    assert client.error is None


def test_a_buffer_right_after_unmapping(client):
    window = client.window()
    client.shm(window.surface, 10, 10)
    client.show(window.surface, None)
    client.shm(window.surface, 10, 10)
    assert_error(client, window.xdg_surface, XdgSurfaceError.UNCONFIGURED_BUFFER)


def test_a_size_is_suggested_to_a_window_and_demanded_of_nobody(stage, client):
    window = client.window()
    client.shm(window.surface, 10, 10, GREEN)
    client.settle(window.surface)
    stage.compositor.resize(120, 90)
    client.pump()
    assert window.configured() == (120, 90, {ACTIVATED})
    client.shm(window.surface, 30, 20, RED)
    client.settle(window.surface)
    assert client.error is None
    client.request(window.toplevel, "set_fullscreen", None)
    client.shm(window.surface, OUTPUT.width, OUTPUT.height, RED)
    client.take(window.toplevel)
    stage.compositor.resize(120, 90)
    client.pump()
    assert client.take(window.toplevel) == []


def test_a_surface_hears_which_output_it_is_on(stage, client):
    output = client.the("wl_output")
    window = client.window()
    client.shm(window.surface, 10, 10)
    client.settle(window.surface)
    assert client.take(window.surface) == [("enter", output)]
    client.show(window.surface, None)
    stage.refresh()
    assert client.take(window.surface) == [("leave", output)]


def test_an_output_that_is_bound_later_is_told_too(stage, client):
    window = client.window()
    client.shm(window.surface, 10, 10)
    client.settle(window.surface)
    output = client.the("wl_output")
    assert client.take(window.surface) == [("enter", output)]


def test_a_popup_goes_where_its_positioner_says(stage, client):
    window = client.window()
    client.shm(window.surface, 50, 40, RED)
    place = positioner(client)
    client.request(place, "set_anchor", 8)  # bottom right
    client.request(place, "set_gravity", 8)
    surface, xdg, made = popup(client, window.xdg_surface, place)
    client.request(surface, "commit")
    assert client.take(made) == [("configure", 24, 15, 10, 6)]
    (_, serial), *_ = client.take(xdg)
    client.request(xdg, "ack_configure", serial)
    client.shm(surface, 10, 6, GREEN)
    client.settle(surface)
    assert stage.pixel(24, 15) == stage.pixel(33, 20) == GREEN
    assert stage.pixel(23, 15) == stage.pixel(34, 20) == RED
    client.request(place, "set_offset", 2, 3)
    client.request(made, "reposition", place, 77)
    assert client.take(made) == [("repositioned", 77), ("configure", 26, 18, 10, 6)]
    for object_ in (window.toplevel, window.xdg_surface):
        client.request(object_, "destroy")
    assert client.take(made) == [("popup_done",)]
    assert client.error is None


def test_a_buffer_before_the_first_configure(client):
    window = client.window(configure=False)
    client.shm(window.surface, 10, 10)
    assert_error(client, window.xdg_surface, XdgSurfaceError.UNCONFIGURED_BUFFER)


def test_a_buffer_before_the_acknowledgement(client):
    window = client.window(configure=False)
    client.request(window.surface, "commit")
    client.shm(window.surface, 10, 10)
    assert_error(client, window.xdg_surface, XdgSurfaceError.UNCONFIGURED_BUFFER)


def test_an_acknowledgement_of_nothing(client):
    window = client.window()
    client.request(window.xdg_surface, "ack_configure", 12345)
    assert_error(client, window.xdg_surface, XdgSurfaceError.INVALID_SERIAL)


def test_an_acknowledgement_uses_up_what_came_before(client):
    window = client.window()
    client.shm(window.surface, 10, 10)
    client.request(window.toplevel, "set_maximized")
    client.request(window.toplevel, "unset_maximized")
    serials = [serial for _, serial in client.take(window.xdg_surface)]
    client.request(window.xdg_surface, "ack_configure", serials[1])
    client.request(window.xdg_surface, "ack_configure", serials[0])
    assert_error(client, window.xdg_surface, XdgSurfaceError.INVALID_SERIAL)


def test_a_second_role_object(client):
    window = client.window()
    client.make(window.xdg_surface, "get_toplevel", "xdg_toplevel")
    assert_error(client, window.xdg_surface, XdgSurfaceError.ALREADY_CONSTRUCTED)


@pytest.mark.parametrize("request_", ["ack_configure", "set_window_geometry"])
def test_a_window_without_a_role_object(client, request_):
    xdg = client.make(client.the("xdg_wm_base"), "get_xdg_surface", "xdg_surface", client.surface())
    client.request(xdg, request_, *([1] if request_ == "ack_configure" else [0, 0, 1, 1]))
    assert_error(client, xdg, XdgSurfaceError.NOT_CONSTRUCTED)


def test_a_geometry_without_a_size(client):
    window = client.window()
    client.request(window.xdg_surface, "set_window_geometry", 0, 0, 0, 4)
    assert_error(client, window.xdg_surface, XdgSurfaceError.INVALID_SIZE)


def test_an_xdg_surface_that_goes_before_its_role_object(client):
    window = client.window()
    client.request(window.xdg_surface, "destroy")
    assert_error(client, window.xdg_surface, XdgSurfaceError.DEFUNCT_ROLE_OBJECT)


def test_a_wm_base_that_goes_before_its_surfaces(client):
    client.window()
    client.request(client.the("xdg_wm_base"), "destroy")
    assert_error(client, client.the("xdg_wm_base"), WmBaseError.DEFUNCT_SURFACES)


def test_a_surface_that_has_a_buffer_already(client):
    surface = client.surface()
    client.shm(surface, 4, 4)
    client.make(client.the("xdg_wm_base"), "get_xdg_surface", "xdg_surface", surface)
    assert_error(client, client.the("xdg_wm_base"), WmBaseError.INVALID_SURFACE_STATE)


def test_a_surface_that_has_another_role(client):
    surface, parent = client.surface(), client.surface()
    client.make(client.the("wl_subcompositor"), "get_subsurface", "wl_subsurface", surface, parent)
    client.make(client.the("xdg_wm_base"), "get_xdg_surface", "xdg_surface", surface)
    assert_error(client, client.the("xdg_wm_base"), WmBaseError.ROLE)


def test_a_role_stays_when_its_object_goes(client):
    window = client.window()
    for object_ in (window.toplevel, window.xdg_surface):
        client.request(object_, "destroy")
    base = client.the("xdg_wm_base")
    xdg = client.make(base, "get_xdg_surface", "xdg_surface", window.surface)
    assert client.error is None
    client.make(xdg, "get_popup", "xdg_popup", None, positioner(client))
    assert_error(client, base, WmBaseError.ROLE)


@pytest.mark.parametrize(("width", "height"), [(OUTPUT.width + 1, 10), (10, OUTPUT.height + 1)])
def test_a_fullscreen_window_that_is_too_large(client, width, height):
    window = client.window(fullscreen=True)
    client.shm(window.surface, width, height)
    assert_error(client, client.the("xdg_wm_base"), WmBaseError.INVALID_SURFACE_STATE)


def test_a_maximised_window_of_another_size(client):
    window = client.window()
    client.request(window.toplevel, "set_maximized")
    window.configured()
    client.shm(window.surface, OUTPUT.width - 1, OUTPUT.height)
    assert_error(client, client.the("xdg_wm_base"), WmBaseError.INVALID_SURFACE_STATE)


@pytest.mark.parametrize("request_", ["set_min_size", "set_max_size"])
def test_negative_limits(client, request_):
    window = client.window()
    client.request(window.toplevel, request_, -1, 5)
    assert_error(client, window.toplevel, ToplevelError.INVALID_SIZE)


def test_a_least_size_above_the_largest(client):
    window = client.window()
    client.request(window.toplevel, "set_max_size", 10, 10)
    client.request(window.toplevel, "set_min_size", 11, 0)
    assert client.error is None  # the largest may be about to follow
    client.request(window.surface, "commit")
    assert_error(client, window.toplevel, ToplevelError.INVALID_SIZE)


def test_a_window_that_would_be_its_own_ancestor(client):
    first, second = client.window(), client.window()
    client.request(second.toplevel, "set_parent", first.toplevel)
    client.request(first.toplevel, "set_parent", second.toplevel)
    assert_error(client, first.toplevel, ToplevelError.INVALID_PARENT)


@pytest.mark.parametrize("edges", [3, 7, 11])
def test_an_edge_that_is_none(client, edges):
    window = client.window()
    client.request(window.toplevel, "resize", client.the("wl_seat"), 0, edges)
    assert_error(client, window.toplevel, ToplevelError.INVALID_RESIZE_EDGE)


@pytest.mark.parametrize(
    ("request_", "args"),
    [
        ("set_size", (0, 1)),
        ("set_size", (1, -1)),
        ("set_anchor_rect", (0, 0, -1, 0)),
        ("set_anchor", (9,)),
        ("set_gravity", (9,)),
        ("set_constraint_adjustment", (64,)),
    ],
)
def test_a_positioner_with_nonsense(client, request_, args):
    place = positioner(client)
    client.request(place, request_, *args)
    assert_error(client, place, PositionerError.INVALID_INPUT)


def test_the_last_of_everything_is_allowed(client):
    """The bounds themselves: the last edge, anchor and gravity, all adjustments, no size."""
    window, place = client.window(), positioner(client)
    client.request(window.toplevel, "resize", client.the("wl_seat"), 0, 10)
    for request_, args in {
        "set_size": (1, 1),
        "set_anchor_rect": (0, 0, 0, 0),
        "set_anchor": (8,),
        "set_gravity": (8,),
        "set_constraint_adjustment": (63,),
    }.items():
        client.request(place, request_, *args)
    for request_ in ("set_min_size", "set_max_size"):
        client.request(window.toplevel, request_, OUTPUT.width, OUTPUT.height)
    client.request(window.surface, "commit")
    assert client.error is None


def test_a_popup_with_an_incomplete_positioner(client):
    window = client.window()
    popup(client, window.xdg_surface, positioner(client, complete=False))
    assert_error(client, client.the("xdg_wm_base"), WmBaseError.INVALID_POSITIONER)


def test_a_popup_on_nothing(client):
    surface, _, _ = popup(client, None, positioner(client))
    client.request(surface, "commit")
    assert_error(client, client.the("xdg_wm_base"), WmBaseError.INVALID_POPUP_PARENT)


def test_a_popup_that_goes_before_the_one_on_it(client):
    window = client.window()
    client.shm(window.surface, 10, 10)
    _, xdg, below = popup(client, window.xdg_surface, positioner(client))
    popup(client, xdg, positioner(client))
    client.request(below, "destroy")
    assert_error(client, client.the("xdg_wm_base"), WmBaseError.NOT_THE_TOPMOST_POPUP)


def test_a_client_that_breaks_the_rules_does_not_disturb_the_others(stage, client):
    window = client.window()
    client.shm(window.surface, 10, 10, RED)
    client.settle(window.surface)
    other = stage.client()
    bad = other.window()
    other.shm(bad.surface, 20, 20, GREEN)
    other.settle(bad.surface)
    other.request(bad.xdg_surface, "ack_configure", 4711)
    assert other.error is not None
    client.shm(window.surface, 10, 10, (0, 0, 255))
    client.settle(window.surface)
    assert stage.pixel(0, 0) == (0, 0, 255)
    assert stage.pixel(40, 40) == (0, 0, 0)  # the other's window is gone


def test_the_seat_has_nothing(client):
    seat = client.the("wl_seat")
    assert client.take(seat) == [("capabilities", 0), ("name", "seat0")]
    client.make(seat, "get_pointer", "wl_pointer")
    assert_error(client, seat, 0)


def test_states_come_as_32_bit_numbers(client):
    window = client.window(configure=False)
    client.request(window.toplevel, "set_fullscreen", None)
    client.request(window.toplevel, "set_maximized")
    client.request(window.surface, "commit")
    (_, width, height, states), *_ = client.take(window.toplevel)
    assert (width, height) == (OUTPUT.width, OUTPUT.height)
    assert set(struct.unpack("=3I", states)) == {MAXIMIZED, FULLSCREEN, ACTIVATED}
