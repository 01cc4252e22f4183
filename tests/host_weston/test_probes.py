"""What the module does without where libweston's headers have no such field."""

from __future__ import annotations

import pytest
from headers import OPTIONAL, headers_without
from stock_weston import build_strictly
from windows import HEADLESS, PATIENCE, SIZE, Client, offers_scanout

from heapwire.compositor_plugin.hosts.weston import MODULE
from heapwire.protocol.wire.bindings import BufferStatusReason, BufferStatusResult

pytestmark = [
    pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config"),
]


@pytest.fixture(params=[*OPTIONAL, "all"])
def weston(request, start, tmp_path):
    """A Weston with a module that was built without one of the fields, or without all."""
    fields = OPTIONAL if request.param == "all" else [request.param]
    libweston = headers_without(tmp_path / "include", *fields)
    return start(module=build_strictly(tmp_path / MODULE, libweston))


def test_a_player_negotiates_and_hears_what_became_of_its_buffer(weston):
    with weston.connect() as connection:
        client = Client(connection)
        batch = client.negotiate()
        assert offers_scanout(batch)
        buffer = client.shm_buffer(SIZE)
        client.negotiation.watch(buffer, client.statuses.append)
        client.show(buffer, SIZE)
        client.wait(lambda: bool(client.statuses), "status")
    [status] = client.statuses
    assert status.result is BufferStatusResult.COMPOSITED
    assert status.reason is BufferStatusReason.NO_PLANE
    assert weston.stop() == 0
    assert [line for line in weston.lines if "error" in line] == []


def test_without_a_list_of_views_a_window_on_top_goes_unnoticed(start, tmp_path):
    """The surface below keeps its memory for the display, rather than lose it by a guess."""
    libweston = headers_without(tmp_path / "include", "view_list")
    weston = start(module=build_strictly(tmp_path / MODULE, libweston))
    with weston.connect() as below, weston.connect() as above:
        player = Client(below)
        player.show(player.shm_buffer(HEADLESS), HEADLESS)
        assert offers_scanout(player.negotiate())
        player.batches.clear()
        dialog = Client(above)
        buffer = dialog.shm_buffer(HEADLESS)
        for _ in range(3):
            dialog.show(buffer, HEADLESS)
        below.roundtrip(timeout=PATIENCE)
        assert player.batches == []
