"""Planes scale as far as their platform says, and what they do not is drawn."""

from __future__ import annotations

from contextlib import closing

import pytest
from host_stage import OUTPUT, HostStage

from heapwire.compositor_plugin import StatusReason

SHOWN = (True, StatusReason.NONE)
DRAWN = (False, StatusReason.TRANSFORM)
ONE = 1 << 16
MACHINE = """
[[memory]]
name = "pages"
contiguous = true
[[device]]
name = "plane"
kind = "display"
[[device.use]]
usage = "scanout"
constraints = [SCALING]
[[device.use.set]]
formats = ["XRGB8888"]
"""


@pytest.fixture
def fate(nothing_left, monkeypatch, tmp_path):
    """Says what becomes of a fullscreen picture of a size, by what a machine's display scales."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)

    def shown(scaling: str, width: int, height: int, crop: tuple[int, ...] = ()) -> object:
        file = tmp_path / "machine.toml"
        file.write_text(MACHINE.replace("SCALING", scaling))
        with closing(HostStage(str(file))) as stage:
            return show(stage, width, height, crop)

    return shown


def show(stage: HostStage, width: int, height: int, crop: tuple[int, ...]) -> object:
    client = stage.client()
    window = client.window(fullscreen=True)
    view = client.make(client.the("wp_viewporter"), "get_viewport", "wp_viewport", window.surface)
    if crop:
        client.request(view, "set_source", *crop)
    client.request(view, "set_destination", OUTPUT.width, OUTPUT.height)
    client.show(window.surface, client.dmabuf(width, height, "pages"))
    callback = client.frame(window.surface)
    stage.until(lambda: client.take(callback))
    return stage.frames[-1].scanned_out, stage.frames[-1].reason


def rows(least: int, most: int) -> str:
    return f'{{ type = "scaling", value = [{least}, {most}] }}'


@pytest.mark.parametrize(
    ("scaling", "width", "height", "expected"),
    [
        (rows(ONE, ONE), OUTPUT.width, OUTPUT.height, SHOWN),
        (rows(ONE, ONE), OUTPUT.width // 2, OUTPUT.height // 2, DRAWN),
        (rows(ONE, ONE), OUTPUT.width, OUTPUT.height // 2, DRAWN),
        (rows(ONE // 2, ONE), OUTPUT.width // 2, OUTPUT.height // 2, SHOWN),
        (rows(ONE // 2, ONE), OUTPUT.width // 4, OUTPUT.height, DRAWN),
        (rows(ONE // 2, ONE), OUTPUT.width * 2, OUTPUT.height * 2, DRAWN),
        (rows(ONE, 2 * ONE), OUTPUT.width * 2, OUTPUT.height * 2, SHOWN),
        ("", OUTPUT.width // 4, OUTPUT.height * 3, SHOWN),  # nobody says that it cannot
    ],
)
def test_a_plane_scales_as_far_as_is_said(fate, scaling, width, height, expected) -> None:
    assert fate(scaling, width, height) == expected


def test_what_is_cropped_counts_by_what_is_left(fate) -> None:
    whole, none = (OUTPUT.width * 2, OUTPUT.height * 2), rows(ONE, ONE)
    assert fate(none, *whole, crop=(5, 7, OUTPUT.width, OUTPUT.height)) == SHOWN
    assert fate(none, *whole, crop=(0, 0, OUTPUT.width * 2, OUTPUT.height)) == DRAWN


def tranches(client, feedback: int) -> list[list[int]]:
    """The flags of the tranches of each batch of linux-dmabuf's."""
    found: list[list[int]] = [[]]
    for name, *args in client.take(feedback):
        if name == "tranche_flags":
            found[-1].append(args[0])
        elif name == "done":
            found.append([])
    return found[:-1]


@pytest.mark.parametrize(("width", "scans_out"), [(OUTPUT.width, True), (OUTPUT.width // 2, False)])
def test_a_crop_that_no_plane_scales_makes_no_candidate(
    nothing_left, monkeypatch, tmp_path, width: int, scans_out: bool
) -> None:
    """Whatever buffer the client shows, this part of it would have to be scaled."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    file = tmp_path / "machine.toml"
    file.write_text(MACHINE.replace("SCALING", rows(ONE, ONE)))
    with closing(HostStage(str(file))) as stage:
        client = stage.client()
        window = client.window(fullscreen=True)
        viewporter = client.the("wp_viewporter")
        view = client.make(viewporter, "get_viewport", "wp_viewport", window.surface)
        client.request(view, "set_source", 0, 0, width, OUTPUT.height)
        client.request(view, "set_destination", OUTPUT.width, OUTPUT.height)
        client.show(window.surface, client.dmabuf(2 * OUTPUT.width, OUTPUT.height, "pages"))
        client.settle(window.surface)
        feedback = client.make(
            client.the("zwp_linux_dmabuf_v1", 5),
            "get_surface_feedback", "zwp_linux_dmabuf_feedback_v1", window.surface,
        )  # fmt: skip
        client.sync()
        assert tranches(client, feedback) == [[1, 0] if scans_out else [0]]
