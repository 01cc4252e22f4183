"""Events that are encoded once and sent in one go, by Python or by a function in C."""

from __future__ import annotations

import pytest
from probe import PROBE, Probe, serve
from wire_client import WireClient

from heapwire.compositor_plugin.server import (
    EncodedEvents,
    OwnDisplay,
    post_by,
    post_no_more_by,
    protocol_error_log,
)
from heapwire.compositor_plugin.server.libwayland_server import address, callback, ffi, library
from heapwire.compositor_plugin.server.resource import live_resources
from heapwire.protocol import UsageError

EVENTS = 5


@pytest.fixture
def heard(monkeypatch) -> list[int]:
    """An entry for each message that whoever looks for protocol errors hears of."""
    messages: list[int] = []

    @callback("void(void *, int, const struct wl_protocol_logger_message *)")
    def hear(_data, _direction, message) -> None:
        messages.append(message.message_opcode)

    monkeypatch.setattr(protocol_error_log, "_LOGGER", hear)
    return messages


@pytest.fixture
def client(display):
    client = probing(display)
    yield client
    client.close()


def probing(display: OwnDisplay) -> WireClient:
    """A client with a probe, that has been told of nothing yet."""
    serve(display, [])
    client = WireClient(display, PROBE)
    client.bind("heapwire_probe")
    client.events.clear()
    return client


def served() -> Probe:
    return next(one for one in live_resources() if isinstance(one, Probe))


def encoded(probe: Probe) -> EncodedEvents:
    events = [("big", (bytes([number]) * number,)) for number in range(EVENTS - 1)]
    return probe.encode([*events, ("later", ())])


def told(client: WireClient) -> list[tuple[object, ...]]:
    client.pump()
    found = [(event.name, *event.args) for event in client.events]
    client.events.clear()
    return found


def test_all_are_sent_in_order_any_number_of_times(client) -> None:
    events = encoded(served())
    for _ in range(2):
        served().send_encoded(events)
        expected = [("big", bytes([number]) * number) for number in range(EVENTS - 1)]
        assert told(client) == [*expected, ("later",)]
    assert len(events) == EVENTS


def test_events_of_numbers_are_told_as_they_are_one_by_one(client) -> None:
    """A row of them is made in one call, and beside any other it is not."""
    events = [*[("pair", (-number, 1 << number)) for number in range(EVENTS)], ("newer", (7,))]
    for among in (events, [*events, ("big", (b"and",))], events[:2], events):
        served().send_encoded(served().encode(among))
        assert told(client) == [(name, *values) for name, values in among]


@pytest.mark.parametrize(
    "wrong",
    [
        [("pair", (1,)), ("pair", (2, 3, 4))],  # as many in all as there should be
        [("pair", (1, -2))],
        [("pair", (1, 1 << 32)), ("newer", (1,))],
    ],
)
def test_numbers_that_an_event_has_not_are_refused(client, wrong) -> None:
    with pytest.raises(UsageError, match="pair"):
        served().encode(wrong)
    assert told(client) == []


def test_a_row_is_no_newer_than_its_object(client) -> None:
    events = [("pair", (1, 2)), ("newer", (3,))]
    probe = served()
    assert len(probe.encode(events)) == len(events)
    probe.version = 1
    with pytest.raises(UsageError, match="since version 2"):
        probe.encode(events)


def posting(counts: list[int]):
    """What a function in C does, and how many events it was given in each call."""

    @callback("void(void *, uintptr_t *, size_t)")
    def post(resource, row, count) -> None:
        counts.append(count)
        for index in range(count):
            arguments = ffi.cast("union wl_argument *", row[2 * index + 1])
            pointer = ffi.cast("struct wl_resource *", resource)
            library().wl_resource_post_event_array(pointer, row[2 * index], arguments)

    return post


def test_a_last_event_of_its_own_goes_out_with_them(client) -> None:
    """Another one each time, with events and with none, by Python and by a function in C."""
    counts: list[int] = []
    post = posting(counts)
    probe, events = served(), encoded(served())
    none = EncodedEvents((), (), b"")
    by_python = []
    for offered in (False, True):
        if offered:
            post_by(1, address(post))
        try:
            found = []
            for number in range(3):
                probe.send_encoded(events, "big", bytes([number]) * 9)
                probe.send_encoded(none, "later")
                found += told(client)
        finally:
            post_no_more_by(1)
        by_python = by_python or found
    assert found == by_python
    lasts = [event for event in found if len(event) == 2 and len(event[1]) == 9]
    assert lasts == [("big", bytes([number]) * 9) for number in range(3)]
    assert counts == [EVENTS + 1, 1] * 3
    assert len(events) == EVENTS
    with pytest.raises(UsageError):
        probe.send_encoded(events, "big")
    assert told(client) == []


def test_one_call_of_a_function_in_c_sends_all_of_them(client) -> None:
    counts: list[int] = []
    post = posting(counts)
    events = encoded(served())
    served().send_encoded(events)
    by_python = told(client)
    post_by(1, address(post))
    try:
        for _ in range(2):
            served().send_encoded(events)
            served().send_encoded(EncodedEvents((), (), b""))
            assert told(client) == by_python
    finally:
        post_no_more_by(1)
    assert counts == [EVENTS, EVENTS]
    served().send_encoded(events)
    assert told(client) == by_python
    post_no_more_by(1)
    assert counts == [EVENTS, EVENTS]


def test_what_was_offered_last_is_called_until_it_goes(client) -> None:
    called: list[str] = []

    def offered(name: str):
        return callback("void(void *, uintptr_t *, size_t)")(lambda *_: called.append(name))

    first, second = offered("first"), offered("second")
    post_by(1, address(first))
    post_by(2, address(second))
    try:
        served().send_encoded(encoded(served()))
        post_no_more_by(2)
        served().send_encoded(encoded(served()))
    finally:
        post_no_more_by(1)
        post_no_more_by(2)
    assert called == ["second", "first"]


def test_an_answer_is_not_searched_for_errors_and_what_comes_after_it_is(heard) -> None:
    with OwnDisplay() as display:
        client = probing(display)
        probe = served()
        events = encoded(probe)
        heard.clear()
        probe.send_encoded(events)
        assert heard == []
        probe.send("later")
        assert len(heard) == 1
        assert len(told(client)) == EVENTS + 1
        client.close()


def test_a_display_that_logs_no_errors_is_left_alone(heard, display) -> None:
    """One of a host's: it has loggers of its own, and none is added."""
    protocol_error_log.log_them_no_more(display.pointer)
    client = probing(display)
    served().send_encoded(encoded(served()))
    served().send("later")
    assert heard == []
    client.close()
