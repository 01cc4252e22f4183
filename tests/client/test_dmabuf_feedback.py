"""What linux-dmabuf feedback says, and what it may not say."""

from __future__ import annotations

import os
import struct

import pytest
from fake_compositor import NV12, TABLES, XRGB, _table
from open_files import open_fds
from patience import PATIENCE
from playing_compositor import PlayingCompositor
from pywayland.protocol.linux_dmabuf_v1 import ZwpLinuxDmabufFeedbackV1
from telling_compositor import TellingCompositor, client_socket

from heapwire.client_lib import Connection, LinuxDmabuf, NoAnswerError, local_negotiation
from heapwire.client_lib.wayland.format_table import read_format_table
from heapwire.kernel.description import Platform
from heapwire.protocol import PeerError
from heapwire.protocol.values import DeviceId, Extent, Extents, Participant, Usage
from heapwire.protocol.wire import TABLE_ENTRIES, FeedbackDecoder, TrancheFlags, encode_table

ENTRY_BYTES = 16  # of a format table
CARD, RENDER = DeviceId(226, 0), DeviceId(226, 128)
TABLE = encode_table((XRGB, NV12))


def number(device, size=8):
    return struct.pack("=Q" if size == 8 else "=I", device.dev_t)


def indices(*values):
    return struct.pack(f"={len(values)}H", *values)


def tranche(device, flags, *formats):
    return [
        ("tranche_target_device", number(device)),
        ("tranche_flags", flags),
        ("tranche_formats", indices(*formats)),
        ("tranche_done",),
    ]


def take(version, *events):
    decoder = FeedbackDecoder(version)
    got = None
    for name, *values in events:
        got = getattr(decoder, name)(*values)
    return got


GOOD = [
    ("format_table", TABLE),
    ("main_device", number(RENDER)),
    *tranche(CARD, 1, 0),
    *tranche(RENDER, 0, 0, 1),
    ("done",),
]


@pytest.mark.parametrize("version", [4, 5])
def test_before_version_6_what_is_not_for_scanout_is_sampled(version):
    feedback = take(version, *GOOD)
    assert feedback.main_device == RENDER
    assert [(one.device, one.scanout, one.formats) for one in feedback.tranches] == [
        (CARD, True, (XRGB,)),
        (RENDER, False, (XRGB, NV12)),
    ]
    assert feedback.sampled == feedback.tranches[1:]
    assert feedback.formats == {XRGB, NV12}


def test_from_version_6_sampling_is_said():
    feedback = take(
        6,
        ("format_table", TABLE),
        *tranche(CARD, 3, 0),
        *tranche(RENDER, 2, 1),
        ("done",),
    )
    assert feedback.main_device is None
    assert feedback.sampled == feedback.tranches
    assert [one.scanout for one in feedback.tranches] == [True, False]


def test_what_is_only_for_scanout_can_be_imported_all_the_same():
    feedback = take(5, ("format_table", TABLE), *tranche(CARD, 1, 0), ("done",))
    assert feedback.sampled == feedback.tranches


def test_a_table_stays_and_all_else_is_sent_anew():
    decoder = FeedbackDecoder(5)
    for name, *values in GOOD:
        getattr(decoder, name)(*values)
    for name, *values in tranche(CARD, 0, 1):
        getattr(decoder, name)(*values)
    feedback = decoder.done()
    assert feedback.main_device is None
    assert [one.formats for one in feedback.tranches] == [(NV12,)]


def test_formats_may_come_in_parts_and_twice():
    events = [
        ("format_table", TABLE),
        ("tranche_target_device", number(CARD)),
        ("tranche_formats", indices(1)),
        ("tranche_formats", indices(0, 1)),
        ("tranche_done",),
        ("done",),
    ]
    assert take(5, *events).tranches[0].formats == (NV12, XRGB)


def test_flags_of_later_versions_are_left_out():
    feedback = take(6, ("format_table", TABLE), *tranche(CARD, 2 | 64, 0), ("done",))
    assert feedback.tranches[0].flags == TrancheFlags.SAMPLING


BROKEN = {
    "an empty table": (5, [("format_table", b"")], "without an entry"),
    "a table with part of an entry": (5, [("format_table", TABLE[:-1])], "entries of 16 bytes"),
    "a table beyond the reach of an index": (
        5,
        [("format_table", bytes(16 * 65537))],
        "more than it can have",
    ),
    "formats before a table": (5, [("tranche_formats", indices(0))], "before any format table"),
    "half an index": (
        5,
        [("format_table", TABLE), ("tranche_formats", b"\0\0\0")],
        "an odd number",
    ),
    "an index behind the table": (
        5,
        [("format_table", TABLE), ("tranche_formats", indices(0, 2))],
        "format 2 of a format table with 2",
    ),
    "a device of no bytes": (5, [("main_device", b"")], "0 bytes"),
    "a device of 5 bytes": (5, [("tranche_target_device", bytes(5))], "5 bytes"),
    "a device of 16 bytes": (5, [("main_device", bytes(16))], "16 bytes"),
    "a device that Linux has no room for": (5, [("main_device", b"\xff" * 8)], "cannot be"),
    "a tranche without a device": (5, [("tranche_done",)], "without a target device"),
    "a tranche for nothing": (
        6,
        [("format_table", TABLE), *tranche(CARD, 0, 0)],
        "for nothing",
    ),
    "no tranche": (5, [("format_table", TABLE), ("done",)], "without a tranche"),
    "a tranche without its end": (
        5,
        [("format_table", TABLE), *tranche(CARD, 0, 0)[:-1], ("done",)],
        "in the middle",
    ),
    "nothing to sample": (
        6,
        [("format_table", TABLE), *tranche(CARD, 1, 0), ("done",)],
        "for sampling",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_the_rules_is_the_compositors_fault(name):
    version, events, text = BROKEN[name]
    with pytest.raises(PeerError, match=text):
        take(version, *events)


# Over a connection.

TABLES[ZwpLinuxDmabufFeedbackV1.name] = _table(ZwpLinuxDmabufFeedbackV1)


class Feedback(PlayingCompositor):
    """Sends `batch`; the content of the table comes as a file that is announced as `size` bytes."""

    globals = (("wl_compositor", 6), ("zwp_linux_dmabuf_v1", 5))
    batch = GOOD
    size: int | None = None

    def on_zwp_linux_dmabuf_v1_get_default_feedback(self, _id, new):
        self.feedback = new
        self.tell(self.batch)

    def tell(self, events):
        for name, *values in events:
            if name == "format_table":
                size = len(values[0]) if self.size is None else self.size
                self.send_table(self.feedback, values[0], size)
            else:
                self.event(self.feedback, name, *values)

    def send_table(self, feedback, content, size):
        fd = os.memfd_create("table")
        os.write(fd, content)
        self.event(feedback, "format_table", fd, size)
        os.close(fd)


class Short(Feedback):
    size = len(TABLE) + 16


class Pipe(Feedback):
    def send_table(self, feedback, content, size):
        read, write = os.pipe()
        self.event(feedback, "format_table", read, size)
        os.close(read)
        os.close(write)


class Huge(Feedback):
    size = 0xFFFFFFF0


class OddIndices(Feedback):
    batch = (("format_table", TABLE), ("tranche_formats", b"\0"), ("done",))


class Endless(Feedback):
    batch = GOOD[:-1]


@pytest.fixture
def negotiation(fake):
    with Connection(fake.socket.detach()) as connection:
        made = local_negotiation(LinuxDmabuf(connection), Platform.load("raspberry-pi-4"))
        made.set_participant(Participant(name="any", usage=Usage.CPU_WRITE, sets=()))
        made.set_extents(Extents(coded=Extent(64, 48)))
        yield made


@pytest.mark.parametrize("fake", [Short, Pipe, Huge, OddIndices], indirect=True)
def test_a_broken_batch_ends_the_negotiation_and_not_the_connection(fake, negotiation):
    with pytest.raises(PeerError):
        negotiation.negotiate()
    with pytest.raises(PeerError):
        negotiation.commit()
    negotiation._planner.connection.roundtrip()


@pytest.mark.parametrize("fake", [Endless], indirect=True)
def test_feedback_that_never_ends_is_no_answer(fake, negotiation):
    with pytest.raises(NoAnswerError, match="linux-dmabuf feedback"):
        negotiation.negotiate(timeout=0.2)


@pytest.mark.parametrize("fake", [Feedback], indirect=True)
def test_other_feedback_brings_another_batch_and_the_same_does_not(fake, negotiation):
    first = negotiation.negotiate()
    came = []
    negotiation.on_batch = came.append
    fake.tell(GOOD[1:])
    negotiation._planner.connection.roundtrip()
    assert came == []
    fake.tell([*tranche(RENDER, 0, 0), ("done",)])
    negotiation._planner.connection.roundtrip()
    (batch,) = came
    assert batch.cookie == 0
    assert batch.serial != first.serial
    assert any(offer.plan.scanout for offer in first.offers)
    assert batch.offers
    assert not any(offer.plan.scanout for offer in batch.offers)


def table_file(entries):
    fd = os.memfd_create("table")
    os.ftruncate(fd, entries * ENTRY_BYTES)
    return fd


def test_a_table_may_have_as_many_entries_as_two_bytes_can_number_and_no_more(no_fd_leak):
    content = read_format_table(table_file(TABLE_ENTRIES), TABLE_ENTRIES * ENTRY_BYTES)
    assert len(content) == TABLE_ENTRIES * ENTRY_BYTES
    decoder = FeedbackDecoder(5)
    decoder.format_table(content)
    with pytest.raises(PeerError, match="more than it can have"):
        decoder.format_table(content + bytes(ENTRY_BYTES))
    with pytest.raises(PeerError, match="more than it can have"):
        read_format_table(table_file(TABLE_ENTRIES + 1), (TABLE_ENTRIES + 1) * ENTRY_BYTES)


class TellingTables(TellingCompositor):
    """Sends each new feedback object format tables, and nothing else."""

    def on_zwp_linux_dmabuf_v1_get_default_feedback(self, _id, new):
        for _ in range(3):
            self._send_table(new, [[NV12.fourcc, NV12.modifier]])


def test_the_tables_of_feedback_that_nobody_listens_to_are_closed():
    compositor = TellingTables([], [])
    try:
        with Connection(client_socket(compositor)) as connection:
            dmabuf = LinuxDmabuf(connection)
            connection.roundtrip(timeout=PATIENCE)
            before = open_fds()
            feedbacks = [dmabuf.feedback(None) for _ in range(5)]
            connection.roundtrip(timeout=PATIENCE)
            assert open_fds() == before
            for feedback in feedbacks:
                feedback.destroy()
    finally:
        compositor.close()
