"""The module in a running Weston: what clients are told, and what of it changes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from patience import PATIENCE
from windows import DECODER, HEADLESS, SIZE, Client, offers_scanout

from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.compositor_plugin.hosts.weston import find_libweston
from heapwire.kernel.description import Platform
from heapwire.protocol.values import Extent, Extents
from heapwire.protocol.wire.bindings import BufferStatusReason, BufferStatusResult

PLATFORMS = ("raspberry-pi-4", "rockchip-rk3399", "exynos4-mfc-v5")

pytestmark = [
    pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config"),
]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_client_is_told_the_sources_of_the_platform(start, platform):
    weston = start(environment={"HEAPWIRE_PLATFORM": platform})
    with weston.connect() as connection:
        manager = NegotiationManager(connection, timeout=PATIENCE)
        announced = {source.name for source in manager.sources.values()}
    assert announced == {source.name for source in Platform.load(platform).sources}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_default_feedback_and_a_negotiation_without_a_surface(start, platform):
    weston = start(environment={"HEAPWIRE_PLATFORM": platform})
    with weston.connect() as connection:
        manager = NegotiationManager(connection, timeout=PATIENCE)
        negotiation = manager.default_negotiation()
        negotiation.set_participant(DECODER)
        negotiation.set_extents(Extents(coded=Extent(1920, 1080)))
        plan = negotiation.negotiate(timeout=PATIENCE).offers[0].plan
    assert not plan.scanout
    assert all(plane.pitch % 64 == 0 for plane in plan.layout.planes)


def test_a_surface_without_a_buffer_gets_memory_for_the_display(weston):
    platform = Platform.load("raspberry-pi-4")
    with weston.connect() as connection:
        client = Client(connection)
        plan = client.negotiate().offers[0].plan
    assert plan.scanout
    assert [platform.source(entry.source).contiguous for entry in plan.layout.objects] == [True]


def test_a_window_on_top_takes_the_plane_and_gives_it_back(weston):
    with weston.connect() as below, weston.connect() as above:
        player = Client(below)
        player.show(player.shm_buffer(HEADLESS), HEADLESS)
        player.negotiate()
        # Weston fades in when it starts, and until then the window is covered.
        player.wait(lambda: offers_scanout(player.negotiation.batch), "batch for the plane")
        player.batches.clear()

        dialog = Client(above)
        dialog.show(dialog.shm_buffer(HEADLESS), HEADLESS)
        player.wait(lambda: bool(player.batches), "batch for a covered window")
        assert not any(offers_scanout(batch) for batch in player.batches)
        player.batches.clear()

        dialog.window.close()
        above.roundtrip(timeout=PATIENCE)
        player.wait(lambda: bool(player.batches), "batch for the window on top")
        assert offers_scanout(player.batches[-1])
        assert player.batches[-1].cookie == 0


def test_a_small_window_is_no_candidate_once_it_is_shown(start):
    weston = start()
    with weston.connect() as connection:
        client = Client(connection, fullscreen=False)
        assert client.negotiate().offers[0].plan.scanout
        client.batches.clear()
        client.show(client.shm_buffer(SIZE), SIZE)
        client.wait(lambda: bool(client.batches), "batch for a small window")
        assert not offers_scanout(client.batches[-1])
        assert client.batches[-1].offers


def test_a_repaint_that_changes_nothing_tells_nothing(weston):
    with weston.connect() as connection:
        client = Client(connection)
        buffers = [client.shm_buffer(HEADLESS) for _ in range(2)]
        client.show(buffers[0], HEADLESS)
        client.negotiate()
        client.batches.clear()
        for frame in range(30):
            client.show(buffers[frame % 2], HEADLESS)
        connection.roundtrip(timeout=PATIENCE)
        assert client.batches == []


def test_a_watched_buffer_is_told_to_be_composited_and_why(weston):
    with weston.connect() as connection:
        client = Client(connection)
        client.negotiate()
        buffers = [client.shm_buffer(HEADLESS) for _ in range(2)]
        for buffer in buffers:
            client.negotiation.watch(buffer, client.statuses.append)
        for frame in range(10):
            client.show(buffers[frame % 2], HEADLESS)
        client.wait(lambda: len(client.statuses) == 2, "status of each buffer")
        connection.roundtrip(timeout=PATIENCE)
    assert {status.result for status in client.statuses} == {BufferStatusResult.COMPOSITED}
    assert {status.reason for status in client.statuses} == {BufferStatusReason.NO_PLANE}
    assert len(client.statuses) == 2


def test_only_the_host_s_libwayland_server_is_there(weston):
    assert weston.offers
    copies = {line.split()[-1] for line in weston.maps.splitlines() if "libwayland-server" in line}
    assert len(copies) == 1
    assert "pywayland" not in weston.maps


def test_this_weston_sets_no_colours_of_planes() -> None:
    """Why the module does not say that it does: such a property is found by its name."""
    library = find_libweston().name
    command = ["pkg-config", "--variable=libdir", library]
    folder = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    backend = Path(folder, library, "drm-backend.so").read_bytes()
    assert b"IN_FENCE_FD" in backend, "the names of properties are in it"
    assert b"COLOR_ENCODING" not in backend
