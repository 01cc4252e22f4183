"""Buffers of one pixel fill a surface with a colour, and are of no memory."""

from __future__ import annotations

from contextlib import closing

import pytest
from host_stage import OUTPUT, HostStage

from heapwire.compositor_plugin import StatusReason

FULL = 0xFFFFFFFF
HALF = 0x80000000


@pytest.fixture
def stage(nothing_left, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with closing(HostStage()) as stage:
        yield stage


def filled(stage: HostStage, *rgba: int) -> tuple[int, ...]:
    """The pixel in the middle of an output that one colour fills."""
    client = stage.client()
    window = client.window(fullscreen=True)
    view = client.make(client.the("wp_viewporter"), "get_viewport", "wp_viewport", window.surface)
    client.request(view, "set_destination", OUTPUT.width, OUTPUT.height)
    manager = client.the("wp_single_pixel_buffer_manager_v1")
    buffer = client.make(manager, "create_u32_rgba_buffer", "wl_buffer", *rgba)
    client.request(manager, "destroy")
    client.show(window.surface, buffer)
    callback = client.frame(window.surface)
    stage.until(lambda: client.take(callback))
    return stage.pixel(OUTPUT.width // 2, OUTPUT.height // 2)


@pytest.mark.parametrize(
    ("rgba", "expected"),
    [
        ((FULL, 0, 0, FULL), (255, 0, 0)),
        ((0, FULL, HALF, FULL), (0, 255, 128)),
        ((0, 0, 0, 0), (0, 0, 0)),
        ((HALF, 0, 0, HALF), (128, 0, 0)),  # premultiplied, over black
    ],
)
def test_a_pixel_fills_the_surface(stage, rgba, expected) -> None:
    assert filled(stage, *rgba)[:3] == expected


def test_what_has_no_memory_is_not_scanned_out(stage) -> None:
    filled(stage, 0, 0, 0, FULL)
    assert stage.frames[-1].reason is StatusReason.MEMORY
