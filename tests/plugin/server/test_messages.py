"""Every kind of argument in both directions, and what ends a client."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
from probe import PROBE, Probe, serve
from wire_client import DISPLAY, WireClient

from heapwire.compositor_plugin.server import ForeignResource, Resource, interface_struct
from heapwire.compositor_plugin.server.arguments import EventEncoder
from heapwire.compositor_plugin.server.errors import c_message
from heapwire.compositor_plugin.server.libwayland_server import ffi
from heapwire.compositor_plugin.server.resource import live_resources
from heapwire.protocol import UsageError
from heapwire.protocol.wire import Argument, ArgumentKind, Interface, Message

IMPLEMENTATION = 3  # wl_display.error
INVALID_METHOD = 1


@pytest.fixture
def log():
    return []


@pytest.fixture
def client(display, log):
    serve(display, log)
    client = WireClient(display, PROBE)
    yield client
    client.close()


@pytest.fixture
def probe(client) -> int:
    return client.bind("heapwire_probe")


def served(id_: int = 0) -> Probe:
    return next(one for one in live_resources() if isinstance(one, Probe))


def test_a_request_with_every_kind_of_argument(client, probe, log) -> None:
    read, write = os.pipe()
    client.request(
        probe, "every", -5, 4294967295, -1.5, "grüße %s", None, b"\1\0\2", probe, None, write
    )
    os.close(write)
    one = served()
    assert log[-1] == ("every", -5, 4294967295, -1.5, "grüße %s", None, b"\1\0\2", one, None)
    os.write(one.taken[0], b"taken")
    assert os.read(read, 9) == b"taken"
    os.close(one.taken[0])
    assert os.read(read, 1) == b""
    os.close(read)


def test_the_shortest_and_the_longest_arguments(client, probe, log) -> None:
    with Path("/dev/null").open("rb") as null:
        client.request(probe, "every", -(2**31), 0, 2**22, "", "", b"", probe, None, null.fileno())
        assert log[-1][1:7] == (-(2**31), 0, 2**22, "", "", b"")
        client.request(
            probe, "every", 0, 0, 0, "x" * 2000, None, bytes(1900), probe, None, null.fileno()
        )
    assert (log[-1][4], log[-1][6]) == ("x" * 2000, bytes(1900))
    for fd in served().taken:
        os.close(fd)


def test_an_event_with_every_kind_of_argument(client, probe) -> None:
    read, write = os.pipe()
    one = served()
    one.send("every", -5, 4294967295, -1.5, "grüße %s", None, b"\1\0\2", one, None, write)
    os.close(write)
    client.pump()
    name, *values, fd = client.take(probe)[-1]
    assert (name, values) == (
        "every",
        [-5, 4294967295, -1.5, "grüße %s", None, b"\1\0\2", probe, 0],
    )
    os.write(fd, b"sent")
    assert os.read(read, 9) == b"sent"
    os.close(read)


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (0, 2**31),
        (1, -1),
        (1, 2**32),
        (2, 2.0**24),
        (3, None),
        (3, "a\0b"),
        (6, None),
        (8, 999_999),
    ],
)
def test_a_wrong_value_is_not_sent(client, probe, position, value) -> None:
    one = served()
    values = [0, 0, 0, "", None, b"", one, None, 0]
    values[position] = value
    with pytest.raises(UsageError, match=r"heapwire_probe\.every"):
        one.send("every", *values)
    client.pump()
    assert client.take(probe) == []
    assert client.error is None


def test_what_does_not_fit_into_a_message_is_not_sent(client, probe) -> None:
    longest = 4096 - 4 - (8 + 4 + 4)  # without a word a value, the header, the word, the length
    sender = served()
    sender.send("big", bytes(longest))
    with pytest.raises(UsageError, match="do not fit"):
        sender.send("big", bytes(longest + 1))
    client.pump()
    assert client.take(probe) == [("big", bytes(longest))]
    assert not client.closed


def test_what_ends_a_client_is_cut_at_a_character() -> None:
    """Libwayland formats into 128 bytes, and would cut where they end."""
    _, text = c_message("\N{GREEK SMALL LETTER ALPHA}" * 100)
    assert ffi.string(text).decode() == "\N{GREEK SMALL LETTER ALPHA}" * 63
    _, text = c_message("x" * 200)
    assert ffi.string(text) == b"x" * 127


def test_an_object_made_for_an_event(client, probe, log) -> None:
    one = served()
    made = Probe(one.child(), log)
    one.send("made", made)
    client.pump()
    [(_, id_)] = client.take(probe)
    assert id_ >= 0xFF000000
    client.request(id_, "later")
    assert log[-1] == ("later",)


def test_an_event_that_the_version_lacks(client, display, log) -> None:
    client.bind("heapwire_probe", 1)
    with pytest.raises(UsageError, match="since version 2"):
        served().send("later")


def test_a_request_that_the_version_lacks(client, log) -> None:
    probe = client.bind("heapwire_probe", 1)
    client.request(probe, "later")
    assert client.error is not None
    assert client.error.code == INVALID_METHOD
    assert ("later",) not in log


def test_a_new_object_inherits_the_version(client, log) -> None:
    probe = client.bind("heapwire_probe", 1)
    client.request(probe, "make", client.new("heapwire_probe"))
    assert log.count(("made", 1)) == 2


def test_a_protocol_error_is_posted_once_and_nothing_more_is_processed(client, probe, log) -> None:
    text = "100% %s %n wrong"
    with Path("/dev/null").open("rb") as null:
        client.request(probe, "misuse", null.fileno(), text, pump=False)
        client.request(probe, "later", pump=False)
        client.pump()
    assert client.errors == [(probe, 7, text)]
    assert client.closed
    assert ("later",) not in log
    assert log[-1] == ("gone",)


def test_a_long_error_is_cut_between_characters(client, probe) -> None:
    with Path("/dev/null").open("rb") as null:
        client.request(probe, "misuse", null.fileno(), "x" + "ü" * 100)
    assert client.error is not None
    assert client.error.message == "x" + "ü" * 63


def test_an_exception_ends_that_client_only(client, display, probe, log, caplog) -> None:
    other = WireClient(display, PROBE)
    theirs = other.bind("heapwire_probe")
    with Path("/dev/null").open("rb") as null:
        client.request(probe, "fail", client.new("heapwire_probe"), null.fileno())
    assert client.error is not None
    assert (client.error.object, client.error.code) == (DISPLAY, IMPLEMENTATION)
    assert "ZeroDivisionError" in caplog.text
    other.request(theirs, "later")
    assert log[-1] == ("later",)
    assert not other.closed
    other.close()


def test_an_id_that_is_left_unused_is_our_fault(client, probe, caplog) -> None:
    client.request(probe, "forget", client.new("heapwire_probe"))
    assert client.error is not None
    assert client.error.code == IMPLEMENTATION


def test_an_interrupt_reaches_whoever_dispatches(client, probe) -> None:
    with Path("/dev/null").open("rb") as null:
        client.request(probe, "interrupt", null.fileno(), pump=False)
    with pytest.raises(KeyboardInterrupt):
        client.pump()
    client.pump()


def test_an_object_that_another_part_of_the_process_made_is_foreign(
    client, display, probe, log
) -> None:
    """As the surfaces of a compositor in Python are for a plugin in it."""
    from heapwire.compositor_plugin.server import Display, Global

    class Picky(Resource):
        INTERFACE = Interface(
            "heapwire_picky",
            1,
            (Message("destroy"), Message("see", (Argument("o", ArgumentKind.OBJECT, PROBE.name),))),
        )
        seen: object = None

        def see(self, other) -> None:
            Picky.seen = other

    borrowed = Display(display.address)
    entry = Global(borrowed, Picky.INTERFACE, Picky)
    client.tables["heapwire_picky"] = Picky.INTERFACE
    client.pump()
    picky = client.bind("heapwire_picky")
    client.request(picky, "see", probe)
    assert isinstance(Picky.seen, ForeignResource)
    assert Picky.seen.address == served().address
    Picky.seen = None
    entry.destroy()


def test_a_class_that_handles_not_all_is_refused() -> None:
    with pytest.raises(TypeError, match="every, make"):
        type("Lazy", (Resource,), {"INTERFACE": PROBE})


def test_requests_later_than_the_version_need_no_handler() -> None:
    table = Interface("heapwire_old", 2, (Message("later", since=2),))
    assert type("Old", (Resource,), {"INTERFACE": table, "VERSION": 1}).VERSION == 1


def test_an_unknown_interface_in_a_table_is_named() -> None:
    argument = Argument("o", ArgumentKind.OBJECT, "heapwire_nowhere")
    with pytest.raises(UsageError, match="heapwire_nowhere"):
        interface_struct(Interface("heapwire_lost", 1, (Message("see", (argument,)),)))


@pytest.mark.parametrize(
    "shortage",
    [MemoryError(), OSError(errno.EMFILE, "too many"), OSError(errno.ENFILE, "too many")],
)
def test_what_runs_out_is_told_without_a_traceback(
    client, probe, monkeypatch, caplog, shortage
) -> None:
    def fail(self, new_id):
        raise shortage

    monkeypatch.setattr(Probe, "make", fail)
    client.request(probe, "make", client.new("heapwire_probe"))
    assert client.error is not None
    assert (client.error.object, client.error.code) == (DISPLAY, 2)
    first, second = caplog.records
    assert (first.exc_info, second.exc_info) == (None, None)
    assert "heapwire_probe.make" in first.message
    assert "wl_display#1: error 2" in second.message


NUMBERS = (Argument("signed", ArgumentKind.INT), Argument("unsigned", ArgumentKind.UINT))


@pytest.mark.parametrize("values", [(0, 0), (-(1 << 31), (1 << 32) - 1), ((1 << 31) - 1, 5)])
def test_numbers_alone_are_put_together_like_any_others(values: tuple[int, int]) -> None:
    text = Argument("text", ArgumentKind.STRING)
    alone = EventEncoder("heapwire_probe", 0, Message("numbers", NUMBERS))
    among = EventEncoder("heapwire_probe", 0, Message("numbers", (*NUMBERS, text)))
    size = 2 * ffi.sizeof("union wl_argument")
    words, kept = alone.encode(values, 1)
    others, also_kept = among.encode((*values, "text"), 1)
    assert ffi.buffer(words, size)[:] == ffi.buffer(others, size)[:]
    assert kept
    assert also_kept


@pytest.mark.parametrize(
    "values", [(1 << 31, 0), (-(1 << 31) - 1, 0), (0, -1), (0, 1 << 32), (0,), (0, 0, 0)]
)
def test_what_is_no_such_number_is_not_sent(values: tuple[int, ...]) -> None:
    encoder = EventEncoder("heapwire_probe", 0, Message("numbers", NUMBERS))
    with pytest.raises(UsageError, match=r"heapwire_probe\.numbers"):
        encoder.encode(values, 1)


def test_a_name_has_one_interface() -> None:
    first = Interface("heapwire_twice", 1, (Message("see"),))
    interface_struct(first)
    interface_struct(replace(first))
    with pytest.raises(UsageError, match="two interfaces called heapwire_twice"):
        interface_struct(replace(first, requests=(Message("hear"), Message("see"))))
