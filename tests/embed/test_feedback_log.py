"""What `feedback_log.c` keeps of the host's feedback, and how seldom Python hears of it."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import pytest
from c_host import CHost
from embedded import TABLE, DmabufHost, EmbeddedHost, Feedback, attachment, formats_known, say_all
from leftovers import nothing_left_over

from heapwire.compositor_plugin.hosts.embed.attachment import Attachment
from heapwire.compositor_plugin.hosts.embed.feedback_tracker import FeedbackTracker
from heapwire.compositor_plugin.hosts.embed.host_table import ffi
from heapwire.compositor_plugin.server.resource import live_resources

OF_CLIENT, BATCHES, BATCH_BYTES = 1024, 64, 256 * 1024  # feedback_log.h and batch_store.h
ONE_READ = 340  # requests that libwayland reads together

pytestmark = [pytest.mark.system("cc")]


@pytest.fixture
def calls(monkeypatch):
    """The calls into Python, each by the address of the object that is extended, or none."""
    heard = []
    method = Attachment.batch_ends

    def batch_ends(self, number, batch, feedback):
        heard.append(feedback)
        return method(self, number, batch, feedback)

    monkeypatch.setattr(Attachment, "batch_ends", batch_ends)
    return heard


@pytest.fixture
def host(library_file):
    with nothing_left_over():
        made = DmabufHost()
        made.users = [EmbeddedHost(library_file, made.display)]
        made.users[0].join()
        formats_known(made)
        yield made
        for user in made.users:
            user.leave()
        made.close()


def followed(client, feedback):
    """Whether an object's batch is known to who extends it."""
    extension = client.extend(feedback)
    told = client.names(feedback, extension)
    client.request(extension, "destroy")
    return "told0" in told


def test_objects_that_say_the_same_are_heard_once(host, calls):
    """However many a client makes in one read of its socket."""
    client = host.client()
    calls.clear()
    feedbacks = client.ask(ONE_READ)
    assert len(calls) == 1
    assert [client.names(one) for one in feedbacks] == [["done"]] * ONE_READ
    again = host.client()
    again.ask(ONE_READ)
    for one in host.made[-ONE_READ:]:
        one.batch(0, 1)
    assert len(calls) == 1
    assert followed(client, feedbacks[0])
    assert followed(client, feedbacks[-1])
    client.close()
    again.close()


def test_a_batch_that_is_new_is_heard_once(host, calls):
    client = host.client()
    client.ask(20)
    calls.clear()
    for feedback in host.made[-20:]:
        feedback.batch(1)
    assert len(calls) == 1
    assert {len(attachment()._host.importable_formats(0, None))} == {1}
    client.close()


def test_what_is_extended_is_told_before_each_done(host, calls):
    """An extension that is made later tells of the batch before; others cost nothing."""
    client = host.client()
    first, second = client.ask(2)
    extended, other = host.made[-2:]
    extension = client.extend(first)
    assert client.names(first, extension) == ["done", "told0"]
    calls.clear()
    for _ in range(3):
        for feedback in (extended, other):
            feedback.batch(0, 1)
        client.pump()
        assert client.names(first, extension) == ["told1", "done"]
    assert len(calls) == 3
    client.request(extension, "destroy")
    extended.batch(0, 1)
    assert len(calls) == 3
    assert client.names(second) == ["done"] * 4
    client.close()


def test_an_extension_that_is_made_before_the_first_batch_hears_of_it(host):
    host.script = lambda _: None
    client = host.client()
    [feedback] = client.ask()
    extension = client.extend(feedback)
    assert client.names(feedback, extension) == []
    say_all(host.made[-1])
    client.pump()
    assert client.names(feedback, extension) == ["told1", "done"]
    client.close()


def test_of_more_objects_than_are_followed_nothing_is_said(host, calls):
    """The host's own live on, and others are followed as soon as there is room."""
    client, other = host.client(), host.client()
    feedbacks = [one for _ in range(4) for one in client.ask(OF_CLIENT // 4)]
    [late] = client.ask()
    assert followed(client, feedbacks[-1])
    assert not followed(client, late)
    calls.clear()
    host.made[-1].batch(1)
    client.pump()
    assert client.names(late) == ["done"]
    assert calls == []
    assert followed(other, *other.ask())
    client.request(feedbacks[0], "destroy")
    assert followed(client, *client.ask())
    assert client.error is None
    client.close()
    other.close()


def begun(feedback: Feedback) -> None:
    """A batch that does not end."""
    feedback.table()
    feedback.send("tranche_formats", b"\0\0" * 100)


def test_objects_that_end_in_the_middle_of_a_batch_leave_nothing(host):
    """More of them than are followed at a time, and more bytes than are gathered."""
    host.script = begun
    client = host.client()
    for _ in range(20):
        for feedback in client.ask(256):
            client.request(feedback, "destroy", pump=False)
        client.pump()
    host.script = say_all
    assert followed(client, *client.ask())
    client.close()


def test_clients_that_die_leave_nothing(host, calls):
    """In the middle of batches, with extensions, and before they have read anything."""
    survivor = host.client()
    [feedback] = survivor.ask()
    extension = survivor.extend(feedback)
    survivor.names(feedback, extension)
    for script in (begun, say_all):
        host.script = script
        for _ in range(4):
            client = host.client()
            objects = client.ask(ONE_READ)
            client.extend(objects[0])
            client.extend(objects[0])
            client.close()
            survivor.pump()
    assert len(live_resources()) < 10
    calls.clear()
    next(one for one in host.made if one.alive).batch(0, 1)
    survivor.pump()
    assert survivor.names(feedback, extension) == ["told1", "done"]
    assert len(calls) == 1
    survivor.close()


def test_batches_of_which_there_are_too_many_are_passed_over(host):
    """As long as there are objects that say them; and what is new then is heard again."""
    host.script = lambda feedback: feedback.table()
    client = host.client()
    feedbacks = client.ask(2 * BATCHES)
    for number, feedback in enumerate(host.made[-2 * BATCHES :]):
        feedback.batch(*[1] * (number + 1))
    client.pump()
    said = [followed(client, one) for one in feedbacks]
    assert BATCHES - 3 <= sum(said) <= BATCHES
    assert said == sorted(said, reverse=True)
    assert len(attachment()._feedback._batches) <= BATCHES
    for one in feedbacks[:-1]:
        client.request(one, "destroy", pump=False)
    client.pump()
    host.made[-1].batch(0)
    assert followed(client, feedbacks[-1])
    client.close()


def test_a_batch_that_is_too_long_is_passed_over(host):
    client = host.client()
    [feedback] = client.ask()
    chunk = b"\1\0" * 1900
    for _ in range(BATCH_BYTES // len(chunk) + 1):
        host.made[-1].send("tranche_formats", chunk)
        client.pump()
    host.made[-1].batch()
    client.pump()
    assert not followed(client, feedback)
    host.made[-1].batch(1)
    assert followed(client, feedback)
    client.close()


def test_a_batch_that_breaks_the_rules_is_passed_over(host, calls, caplog):
    """It is complained of once, and what was known before counts."""
    client = host.client()
    feedbacks = client.ask(3)
    known = attachment()._host.importable_formats(0, None)
    calls.clear()
    with caplog.at_level(logging.WARNING, "heapwire"):
        for feedback in host.made[-3:]:
            feedback.batch(0, 7)
    lines = [line for _, line in host.users[0].lines if "is not understood" in line]
    assert len(lines) == 1
    assert len(calls) == 1
    assert attachment()._host.importable_formats(0, None) is known
    assert not any(followed(client, one) for one in feedbacks)
    host.made[-1].batch(0, 1)
    assert followed(client, feedbacks[-1])
    client.close()


@pytest.mark.parametrize("size", [0, 16, 1 << 21])
def test_a_table_that_is_none_is_passed_over(host, size):
    def script(feedback):
        with Path(os.devnull).open() as nothing:
            feedback.send("format_table", nothing.fileno(), size)
        feedback.batch(0)

    host.script = script
    client = host.client()
    [feedback] = client.ask()
    assert not followed(client, feedback)
    say_all(host.made[-1])
    assert followed(client, feedback)
    client.close()


def test_two_displays_are_followed_each_by_itself(host, library_file):
    other = DmabufHost()
    user = EmbeddedHost(library_file, other.display)
    user.join()
    for _ in range(20):
        other.turn()
    first, second = host.client(), other.client()
    feedbacks = (*first.ask(), *second.ask())
    extensions = first.extend(feedbacks[0]), second.extend(feedbacks[1])
    first.names(feedbacks[0], extensions[0])
    second.names(feedbacks[1], extensions[1])
    other.made[-1].batch(1)
    for client in (first, second):
        client.pump()
    assert first.names(feedbacks[0], extensions[0]) == []
    assert second.names(feedbacks[1], extensions[1]) == ["told1", "done"]
    second.close()
    user.leave()
    other.close()
    host.made[-1].batch(1)
    first.pump()
    assert first.names(feedbacks[0], extensions[0]) == ["told1", "done"]
    first.close()


@pytest.mark.parametrize("twin", [False, True])
def test_who_has_attached_second_goes_on_where_the_first_leaves(
    host, calls, library_file, tmp_path, monkeypatch, twin
):
    """By the same library, and by a copy of it that is loaded beside it, which is passed over."""
    taken = []
    method = FeedbackTracker.batch_ended
    monkeypatch.setattr(
        FeedbackTracker, "batch_ended", lambda *given: taken.append(given) or method(*given)
    )
    file = library_file
    if twin:
        file = tmp_path / "twin.so"
        shutil.copyfile(library_file, file)
    first, second = *host.users, EmbeddedHost(file, host.display)
    second.join()
    host.users.append(second)
    client = host.client()
    extended, later = client.ask(2)
    extension = client.extend(extended)
    assert client.names(extended, extension) == ["done", "told0"]
    taken.clear()
    host.made[-2].batch(1)
    client.pump()
    assert client.names(extended, extension) == ["told1", "done"]
    assert len(taken) == 1
    first.leave()
    said = attachment()._feedback.said(host.made[-1].address)
    assert (said.version, said.formats) == (5, set(TABLE))
    host.made[-2].batch(0)
    client.pump()
    assert client.names(extended, extension) == ["told1", "done"]
    assert followed(client, later)
    calls.clear()
    host.made[-1].batch(0)
    assert calls == []
    client.close()


def test_what_was_made_before_attaching_says_nothing_until_its_table_comes_again(library_file):
    with nothing_left_over():
        host = DmabufHost()
        client = host.client()
        [feedback] = client.ask()
        early = host.made[-1]
        user = EmbeddedHost(library_file, host.display)
        user.join()
        formats_known(host)
        early.batch(0, 1)
        client.pump()
        assert not followed(client, feedback)
        client.request(client.dmabuf, "destroy")
        say_all(early)
        assert followed(client, feedback)
        client.close()
        user.leave()
        host.close()


def test_a_display_that_ends_first_leaves_nothing(library_file):
    with nothing_left_over():
        host = DmabufHost()
        user = EmbeddedHost(library_file, host.display)
        user.join()
        client = host.client()
        [feedback] = client.ask()
        client.extend(feedback)
        host.close()
        client.close()
        user.leave()


def test_a_library_of_before_is_told_to_be_built_again():
    """It has no room for what is asked of it, and hands on no batches."""
    older = CHost()
    older.calls.size = ffi.offsetof("struct heapwire_calls", "batch_ends")
    assert older.attach()
    assert [line for _, line in older.lines if "build it again" in line]
    assert attachment()._host.importable_formats(0, None) == frozenset()
    assert attachment()._host.dmabuf_feedback(64) is None
    older.calls.detach(older.calls.plugin)
    older.display.destroy()
