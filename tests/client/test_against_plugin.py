"""The client and the plugin, both real, over a socket: default negotiations on platforms."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import replace

import pytest

from heapwire.client_lib import (
    ConflictError,
    Connection,
    NegotiationManager,
    ProtocolError,
    allocate,
    writable_formats,
    writer_participant,
)
from heapwire.client_lib.wayland import send
from heapwire.compositor_plugin import HeapPlugin
from heapwire.compositor_plugin.server import OwnDisplay
from heapwire.kernel.description import Platform
from heapwire.protocol.values import (
    LINEAR,
    SAMSUNG_64_32_TILE,
    Extent,
    Extents,
    FormatModifier,
    Usage,
    parse_fourcc,
)
from heapwire.protocol.wire import Access

PICTURES = Extents(coded=Extent(1920, 1088), visible=Extent(1920, 1080))


class Host:
    """Takes everything that is linear, and the tiles of one codec."""

    def surface_state(self, surface):
        return None

    def importable_formats(self, client, surface):
        rows = frozenset(FormatModifier(code, LINEAR) for code in writable_formats())
        return rows | {FormatModifier(parse_fourcc("NV12"), SAMSUNG_64_32_TILE)}

    def dmabuf_feedback(self, feedback):
        return None

    def security_context(self, client):
        return None


@contextlib.contextmanager
def serving(platform):
    """A connection to a display with the plugin, which runs on a thread of its own."""
    display = OwnDisplay()
    plugin = HeapPlugin(display.address, platform, Host())
    theirs, mine = socket.socketpair()
    display.add_client(theirs.detach())
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            display.dispatch(20)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        with Connection(mine.detach()) as connection:
            yield connection
    finally:
        ended.set()
        thread.join()
        plugin.close()
        display.destroy()


def inquire(connection, platform):
    """The manager, and a negotiation with the platform's first decoder and a writer."""
    manager = NegotiationManager(connection)
    negotiation = manager.default_negotiation()
    negotiation.set_extents(PICTURES)
    negotiation.set_participant(writer_participant("yuv420p", tiles=True))
    decoder = next(one for one in platform.devices if Usage.DECODE in one.sets)
    negotiation.set_participant(platform.participant(decoder.name, Usage.DECODE))
    return manager, negotiation


@pytest.mark.parametrize(
    ("name", "sources"),
    [
        ("raspberry-pi-4", ["linux,cma"]),
        ("rockchip-rk3399", ["system"]),
        ("exynos4-mfc-v5", ["mfc-right", "mfc-left"]),
    ],
)
def test_the_plan_has_the_memory_that_the_platform_demands(no_fd_leak, name, sources):
    platform = Platform.load(name)
    with serving(platform) as connection:
        manager, negotiation = inquire(connection, platform)
        best = negotiation.negotiate().offers[0]
        assert best.plan.fourcc == parse_fourcc("NV12")
        assert [manager.source_name(one.source) for one in best.plan.layout.objects] == sources
        with allocate(best.plan, platform.memory) as buffer, buffer.planes() as planes:
            assert [plane.rows for plane in planes] == [1088, 544]
        assert platform.memory.live() == 0


def test_the_compositor_allocates_where_the_client_may_not_open(no_fd_leak):
    platform = Platform.load("exynos4-mfc-v5")
    with serving(platform) as connection:
        _, negotiation = inquire(connection, platform)
        negotiation.set_openable(frozenset())
        batch = negotiation.negotiate()
        best = batch.offers[0]
        assert set(best.access) == {Access.COMPOSITOR}
        with negotiation.allocate(best) as allocation:
            allocation.wait()
            objects = allocation.take()
        wanted = [one.source for one in best.plan.layout.objects]
        assert [platform.memory.identify(one.fd) for one in objects] == wanted
        for one in objects:
            with one.map() as memory:
                memory[:1] = b"x"
            one.close()


def test_without_one_bank_the_conflict_names_plane_and_constraint(no_fd_leak):
    whole = Platform.load("exynos4-mfc-v5")
    left = whole.source("mfc-left")
    platform = replace(whole, sources=tuple(one for one in whole.sources if one is not left))
    with serving(platform) as connection:
        _, negotiation = inquire(connection, whole)
        with pytest.raises(ConflictError) as caught:
            negotiation.negotiate()
    entries = {(entry.constraint, entry.planes) for entry in caught.value.entries}
    assert any(planes == (1,) for _, planes in entries), str(caught.value)
    assert "permitted-sources" in {constraint for constraint, _ in entries}, str(caught.value)


def test_misuse_is_told_with_the_name_and_the_sentence_of_the_compositor(no_fd_leak):
    platform = Platform.load("raspberry-pi-4")
    with serving(platform) as connection:
        negotiation = NegotiationManager(connection).default_negotiation()
        send(negotiation._planner.proxy, "set_buffer_count", 0, 0)
        with pytest.raises(ProtocolError, match="invalid_count") as caught:
            connection.roundtrip()
    assert caught.value.interface == "xx_dmabuf_negotiation_v1"
    assert caught.value.message == "0 + 0 buffers"
