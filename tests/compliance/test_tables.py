"""The tables of the check, compared with those that others made of the XML."""

from __future__ import annotations

import pytest

from heapwire.client_lib.compliance.interface_tables import error_name, interface_table
from heapwire.compositor_plugin.hosts.reference.interface_tables import interface_table as converted
from heapwire.protocol.wire import Message

NAMES = (
    *("wl_registry", "wl_callback", "wl_compositor", "wl_surface", "wl_buffer"),
    *("wl_shm", "wl_shm_pool", "xdg_wm_base", "xdg_surface", "xdg_toplevel"),
    *("zwp_linux_dmabuf_v1", "zwp_linux_buffer_params_v1", "zwp_linux_dmabuf_feedback_v1"),
    *("wp_presentation", "wp_presentation_feedback"),
    *(f"wp_linux_drm_syncobj_{what}_v1" for what in ("manager", "timeline", "surface")),
)


def spelled(messages: tuple[Message, ...]) -> list[tuple[str, str]]:
    return [
        (message.name, "".join(argument.kind.value for argument in message.arguments))
        for message in messages
    ]


@pytest.mark.parametrize("other", [converted(name) for name in NAMES], ids=lambda one: one.name)
def test_a_table_is_as_far_as_it_goes_that_of_the_xml(other) -> None:
    ours = interface_table(other.name)
    assert agree(spelled(ours.events), spelled(other.events))
    if other.name != "wl_registry":  # libwayland knows what an untyped new object is made of
        assert agree(spelled(ours.requests), spelled(other.requests))


def agree(ours: list[tuple[str, str]], theirs: list[tuple[str, str]]) -> bool:
    """An older libwayland knows less, and what no case sends is not in ours."""
    known = min(len(ours), len(theirs))
    return ours[:known] == theirs[:known]


def test_an_error_without_a_name_is_told_by_its_number() -> None:
    assert error_name("zwp_linux_buffer_params_v1", 4) == "invalid_format"
    assert error_name("zwp_linux_buffer_params_v1", 99) == "error 99"
    assert error_name("xdg_surface", 0) == "error 0"
    assert error_name("wl_nothing", 1) == "error 1"
    assert error_name("xx_dmabuf_negotiation_v1", 11) == "too_many"
    assert error_name("xx_dmabuf_negotiation_v1", 99) == "error 99"
