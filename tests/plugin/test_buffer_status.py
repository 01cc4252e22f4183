"""What becomes of buffers, as their clients are told."""

from __future__ import annotations

import re

import pytest
from stage import Stage

from heapwire.compositor_plugin import StatusReason
from heapwire.compositor_plugin.hosts.embed.build import sources
from heapwire.protocol.wire.bindings import XX_DMABUF_BUFFER_STATUS_V1

SCANOUT, COMPOSITED = range(2)


@pytest.fixture
def stage():
    with Stage() as stage:
        stage.candidate()
        yield stage


@pytest.fixture
def client(stage):
    return stage.client()


def test_reasons_have_the_values_of_the_wire_and_of_the_header() -> None:
    said = {reason.name.lower(): int(reason) for reason in StatusReason}
    assert said == XX_DMABUF_BUFFER_STATUS_V1.enums["reason"]
    header = (sources() / "heapwire.h").read_text("utf-8")
    entries = re.findall(r"HEAPWIRE_REASON_(\w+) = (\d+)", header)
    assert {name.lower(): int(number) for name, number in entries} == said


def test_a_status_is_told_once_and_when_it_changes(stage, client) -> None:
    buffer = client.thing("buffer")
    address = client.served(buffer).address
    assert not stage.plugin.wants(address)
    watch = client.watch(buffer)
    assert stage.plugin.wants(address)
    assert client.statuses(watch) == []
    show = stage.plugin.buffer_shown
    for _ in range(3):
        show(address, scanned_out=True)
    for _ in range(3):
        show(address, scanned_out=False, reason=StatusReason.NOT_A_CANDIDATE)
    show(address, scanned_out=False, reason=StatusReason.LAYOUT)
    show(address, scanned_out=True)
    client.pump()
    assert client.statuses(watch) == [
        (SCANOUT, 0),
        (COMPOSITED, StatusReason.NOT_A_CANDIDATE),
        (COMPOSITED, StatusReason.LAYOUT),
        (SCANOUT, 0),
    ]


def test_all_who_ask_about_a_buffer_are_told(stage, client) -> None:
    buffer = client.thing("buffer")
    watches = [client.watch(buffer) for _ in range(2)]
    stage.plugin.buffer_shown(client.served(buffer).address, scanned_out=True)
    client.pump()
    assert [client.statuses(watch) for watch in watches] == [[(SCANOUT, 0)]] * 2


def test_who_asks_later_is_told_what_the_first_was(stage, client) -> None:
    buffer = client.thing("buffer")
    address = client.served(buffer).address
    first = client.watch(buffer)
    stage.plugin.buffer_shown(address, scanned_out=False, reason=StatusReason.LAYOUT)
    second = client.watch(buffer)
    assert client.statuses(second) == [(COMPOSITED, StatusReason.LAYOUT)]
    stage.plugin.buffer_shown(address, scanned_out=False, reason=StatusReason.LAYOUT)
    client.pump()
    assert len(client.statuses(first)) == len(client.statuses(second)) == 1


def test_it_ends_with_its_buffer(stage, client) -> None:
    buffer = client.thing("buffer")
    address = client.served(buffer).address
    watch = client.watch(buffer)
    client.request(buffer, "destroy")
    assert not stage.plugin.wants(address)
    stage.plugin.buffer_shown(address, scanned_out=True)
    client.pump()
    assert client.statuses(watch) == []
    client.request(watch, "destroy")
    assert client.error is None


def test_nobody_is_told_who_has_heard_enough(stage, client) -> None:
    buffer = client.thing("buffer")
    address = client.served(buffer).address
    watches = [client.watch(buffer) for _ in range(2)]
    client.request(watches[0], "destroy")
    assert stage.plugin.wants(address)
    client.request(watches[1], "destroy")
    assert not stage.plugin.wants(address)


def test_it_goes_on_without_its_manager(stage, client) -> None:
    buffer = client.thing("buffer")
    watch = client.watch(buffer)
    client.request(client.status_manager, "destroy")
    stage.plugin.buffer_shown(client.served(buffer).address, scanned_out=True)
    client.pump()
    assert client.statuses(watch) == [(SCANOUT, 0)]


def test_a_plugin_that_has_left_tells_nothing(stage, client) -> None:
    buffers = [client.thing("buffer") for _ in range(2)]
    first = client.watch(buffers[0])
    stage.plugin.close()
    second = client.watch(buffers[1])
    for buffer in buffers:
        stage.plugin.buffer_shown(client.served(buffer).address, scanned_out=True)
        assert not stage.plugin.wants(client.served(buffer).address)
        client.request(buffer, "destroy")
    client.pump()
    assert (client.statuses(first), client.statuses(second)) == ([], [])
    assert client.error is None
