"""What becomes of buffers, as their clients are told."""

from __future__ import annotations

import pytest
from stage import Stage

from heapwire.compositor_plugin import StatusReason
from heapwire.compositor_plugin.server import listener
from heapwire.protocol.wire import KNOWN_BATCHES, TAGS

SCANOUT, COMPOSITED, REJECTED = range(3)
STALE = 10


@pytest.fixture
def stage():
    with Stage() as stage:
        stage.candidate()
        yield stage


@pytest.fixture
def client(stage):
    return stage.client()


@pytest.fixture
def feedback(client) -> int:
    feedback = client.feedback(client.thing("surface"))
    client.ask(feedback)
    return feedback


def serial(client, feedback) -> int:
    return client.batches(feedback)[-1].serial


def test_a_status_is_told_once_and_when_it_changes(stage, client, feedback) -> None:
    known = serial(client, feedback)
    buffer = client.thing("buffer")
    address = client.served(buffer).address
    assert not stage.plugin.wants(address)
    client.request(feedback, "tag_buffer", buffer, 42, known, 0)
    assert stage.plugin.wants(address)
    assert client.statuses(feedback) == []
    show = stage.plugin.buffer_shown
    for _ in range(3):
        show(address, scanned_out=True)
    for _ in range(3):
        show(address, scanned_out=False, reason=StatusReason.NOT_A_CANDIDATE)
    show(address, scanned_out=False, reason=StatusReason.LAYOUT)
    show(address, scanned_out=True)
    client.pump()
    assert client.statuses(feedback) == [
        (42, known, 0, SCANOUT, 0),
        (42, known, 0, COMPOSITED, StatusReason.NOT_A_CANDIDATE),
        (42, known, 0, COMPOSITED, StatusReason.LAYOUT),
        (42, known, 0, SCANOUT, 0),
    ]


def test_a_second_tag_replaces_the_first(stage, client, feedback) -> None:
    known = serial(client, feedback)
    buffer = client.thing("buffer")
    for tag in (1, 2):
        client.request(feedback, "tag_buffer", buffer, tag, known, 0)
    stage.plugin.buffer_shown(client.served(buffer).address, scanned_out=True)
    client.pump()
    assert client.statuses(feedback) == [(2, known, 0, SCANOUT, 0)]


def test_a_stale_tag_replaces_a_good_one_too(stage, client, feedback) -> None:
    known = serial(client, feedback)
    buffer = client.thing("buffer")
    client.request(feedback, "tag_buffer", buffer, 1, known, 0)
    client.request(feedback, "tag_buffer", buffer, 2, known + 1, 0)
    assert client.statuses(feedback) == [(2, known + 1, 0, REJECTED, STALE)]
    assert not stage.plugin.wants(client.served(buffer).address)


def test_a_tag_ends_with_its_buffer(stage, client, feedback) -> None:
    known = serial(client, feedback)
    buffer = client.thing("buffer")
    address = client.served(buffer).address
    client.request(feedback, "tag_buffer", buffer, 1, known, 0)
    client.request(buffer, "destroy")
    assert not stage.plugin.wants(address)
    stage.plugin.buffer_shown(address, scanned_out=True)
    client.pump()
    assert client.statuses(feedback) == []


def test_a_tag_ends_with_its_feedback(stage, client, feedback) -> None:
    known = serial(client, feedback)
    buffer = client.thing("buffer")
    address = client.served(buffer).address
    client.request(feedback, "tag_buffer", buffer, 1, known, 0)
    client.request(feedback, "destroy")
    assert not stage.plugin.wants(address)


def test_a_buffer_with_tags_on_two_objects_is_told_on_both(stage, client, feedback) -> None:
    other = client.feedback()
    client.ask(other)
    buffer = client.thing("buffer")
    known = [serial(client, one) for one in (feedback, other)]
    for one, number in zip((feedback, other), known, strict=True):
        client.request(one, "tag_buffer", buffer, 7, number, 0)
    stage.plugin.buffer_shown(client.served(buffer).address, scanned_out=True)
    client.pump()
    for one, number in zip((feedback, other), known, strict=True):
        assert client.statuses(one) == [(7, number, 0, SCANOUT, 0)]


def test_tags_outlive_the_surface(stage, client) -> None:
    surface = client.thing("surface")
    feedback = client.feedback(surface)
    client.ask(feedback)
    known = serial(client, feedback)
    buffer = client.thing("buffer")
    client.request(feedback, "tag_buffer", buffer, 1, known, 0)
    client.request(surface, "destroy")
    stage.plugin.buffer_shown(client.served(buffer).address, scanned_out=True)
    client.pump()
    assert client.statuses(feedback) == [(1, known, 0, SCANOUT, 0)]


def test_the_last_batches_are_known(client, feedback) -> None:
    known = serial(client, feedback)
    buffer = client.thing("buffer")
    for cookie in range(2, KNOWN_BATCHES + 1):
        client.request(feedback, "commit", cookie)
    client.request(feedback, "tag_buffer", buffer, 1, known, 0)
    assert client.statuses(feedback) == []
    client.request(feedback, "commit", 99)
    client.request(feedback, "tag_buffer", buffer, 2, known, 0)
    assert client.statuses(feedback) == [(2, known, 0, REJECTED, STALE)]


def test_there_is_an_end_to_the_tags_of_one_client(stage, client, feedback) -> None:
    known = serial(client, feedback)
    buffers = [client.thing("buffer") for _ in range(TAGS + 1)]
    for number, buffer in enumerate(buffers):
        client.request(feedback, "tag_buffer", buffer, number, known, 0)
    addresses = [client.served(buffers[index]).address for index in (0, 1, -1)]
    for address in addresses:
        stage.plugin.buffer_shown(address, scanned_out=True)
    client.pump()
    tags = [status[0] for status in client.statuses(feedback)]
    assert tags == [1, TAGS]
    assert client.error is None


def test_nobody_listens_to_a_buffer_whose_tag_has_been_forgotten(stage, client, feedback) -> None:
    known = serial(client, feedback)
    buffers = [client.thing("buffer") for _ in range(TAGS + 1)]
    oldest, newest = (client.served(buffers[index]).address for index in (0, -1))
    for number, buffer in enumerate(buffers[:-1]):
        client.request(feedback, "tag_buffer", buffer, number, known, 0)
    full = len(listener._listeners)
    client.request(feedback, "tag_buffer", buffers[-1], TAGS, known, 0)
    assert (stage.plugin.wants(oldest), stage.plugin.wants(newest)) == (False, True)
    assert len(listener._listeners) == full
    client.request(feedback, "tag_buffer", buffers[0], TAGS + 1, known, 0)
    stage.plugin.buffer_shown(oldest, scanned_out=True)
    client.pump()
    assert client.statuses(feedback) == [(TAGS + 1, known, 0, SCANOUT, 0)]
    client.request(buffers[0], "destroy")
    assert not stage.plugin.wants(oldest)


def test_a_new_tag_hears_what_the_old_one_was_told(stage, client, feedback) -> None:
    known = serial(client, feedback)
    buffer = client.thing("buffer")
    client.request(feedback, "tag_buffer", buffer, 1, known, 0)
    stage.plugin.buffer_shown(client.served(buffer).address, scanned_out=True)
    client.request(feedback, "tag_buffer", buffer, 2, known, 0)
    assert client.statuses(feedback) == [
        (1, known, 0, SCANOUT, 0),
        (2, known, 0, SCANOUT, 0),
    ]
