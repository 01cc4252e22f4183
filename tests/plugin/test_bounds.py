"""What one client can have the compositor keep, and how much it can have it write."""

from __future__ import annotations

import gc
import logging
import os
import struct

import pytest
from heavy_questions import ask_fences, ask_heavily, ask_odd_pitches, later
from patience import turns
from stage import NV12, Allocator, Stage

from heapwire.compositor_plugin.clients import client_use
from heapwire.protocol.values import FormatModifier
from heapwire.protocol.wire import (
    ALLOCATIONS,
    CLIENT_OBJECTS,
    CLIENT_SET_BYTES,
    COMMITS,
    MANAGERS,
    NEGOTIATIONS,
    STATUSES,
)
from heapwire.protocol.wire.array import encode_formats
from heapwire.protocol.wire.bindings import (
    AllocationManagerError,
    BufferStatusManagerError,
    ConstraintSetCreatorError,
    NegotiationError,
)

NO_MEMORY = 2  # wayland.xml, wl_display.error
UNKNOWN = 0x01000001  # a type that the compositor does not know, so any bytes will do
DISPLAY = 1
MOST_OF_ONE = 8 * 3840 + 64  # bytes that one request's array counts for at the most


@pytest.fixture
def no_collector():
    """It looks at what is old as good as never: what goes has to go without it."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def stage():
    with Stage() as stage:
        yield stage


def creator(client, values: int = 0) -> int:
    """A creator with NV12 and so many kilobytes of constraints."""
    id_ = client.new("xx_dmabuf_constraint_set_creator_v1")
    client.request(client.manager, "create_constraint_set", id_, pump=False)
    client.request(id_, "add_formats", 0, encode_formats([NV12]), pump=False)
    for number in range(values):
        arguments = (UNKNOWN + number, 0, 0, 0, os.urandom(1024))
        client.request(id_, "add", *arguments, pump=number % 16 == 15)
    client.pump()
    return id_


def big_set(client) -> int:
    """A set of 32 kilobytes, which counts for 256."""
    id_, set_ = creator(client, 32), client.new("xx_dmabuf_constraint_set_v1")
    client.request(id_, "create", set_)
    return set_


def many_pairs(client) -> int:
    """A creator with 2,400 pairs: 38 kilobytes, which cost eight times that in memory."""
    id_ = client.new("xx_dmabuf_constraint_set_creator_v1")
    client.request(client.manager, "create_constraint_set", id_)
    for chunk in range(10):
        pairs = [FormatModifier(NV12.fourcc, 1 << 56 | chunk << 8 | n) for n in range(240)]
        client.request(id_, "add_formats", 0, encode_formats(pairs))
    return id_


def kept(stage: Stage) -> int:
    """Bytes of all clients' sets."""
    uses = stage.plugin._state.uses
    uses.bytes_of(client_use.ClientUse())
    return uses._set_bytes


def refused_after(most, client, make) -> int:
    """How many are made until that is an error: so many at the most."""
    for made in turns(most + 1, "an error"):
        if client.error is not None:
            return made
        make()
    raise AssertionError


@pytest.mark.parametrize(
    "make",
    [big_set, lambda client: creator(client, 32), many_pairs, lambda client: creator(client)],
)
def test_sets_have_no_more_than_the_bytes_that_the_protocol_states(stage, make) -> None:
    client, other = stage.client(), stage.client()

    def make_one() -> None:
        make(client)
        assert kept(stage) <= CLIENT_SET_BYTES + MOST_OF_ONE

    made = refused_after(2000, client, make_one)
    assert client.error.code == ConstraintSetCreatorError.TOO_MANY
    assert made > 10
    other.ask(other.negotiation(), 1)
    assert other.error is None


@pytest.mark.parametrize(("make", "most"), [(creator, 2000), (big_set, 16), (many_pairs, 14)])
def test_a_set_counts_for_what_it_costs(stage, make, most) -> None:
    """An empty one 2 KiB, a pair or a source of 16 bytes 128: measured, on CPython 3.11."""
    client = stage.client()
    made = refused_after(most, client, lambda: make(client))
    assert made > most * 3 // 4


def off_the_books(monkeypatch) -> list[int]:
    """How many sets that are no more are taken off the books, each time that some are."""
    taken: list[int] = []
    settle = client_use.ClientUses._settle

    def settled(uses: client_use.ClientUses, most: int) -> None:
        before = len(uses._returned)
        settle(uses, most)
        taken.append(before - len(uses._returned))

    monkeypatch.setattr(client_use.ClientUses, "_settle", settled)
    return taken


def test_sets_that_come_and_go_leave_nothing_to_be_taken_off_the_books(stage) -> None:
    client, most = stage.client(), 0
    for _ in range(200):
        set_ = client.constraint_set()
        client.request(set_, "destroy")
        most = max(most, len(stage.plugin._state.uses._returned))
    assert most <= 4


def test_who_hangs_up_leaves_sets_that_go_off_the_books_a_few_at_a_time(stage, monkeypatch) -> None:
    """Whoever comes next does not do it for those who went."""
    uses = stage.plugin._state.uses
    client = stage.client()
    for _ in range(600):
        client.constraint_set()
    taken = off_the_books(monkeypatch)
    client.close()
    stage.clients.remove(client)
    stage.until(lambda: uses._set_bytes == 0)
    assert sum(taken) == 600
    assert max(taken) <= 256


def test_what_has_gone_is_not_held_against_who_is_at_the_limits(stage, monkeypatch) -> None:
    """Though nobody has taken it off the books yet, and no more of it than is in the way."""
    stage.plugin._state.answers._begin = lambda: None  # no slice comes
    first, second = stage.client(), stage.client()
    while kept(stage) < CLIENT_SET_BYTES - (1 << 20):
        big_set(first)
    for _ in range(400):
        first.constraint_set()
    monkeypatch.setattr(client_use, "ALL_SET_BYTES", kept(stage))
    taken = off_the_books(monkeypatch)
    first.close()
    stage.clients.remove(first)
    stage.display.dispatch(100)
    big_set(second)
    second.ask(second.negotiation(), 1)
    assert second.error is None
    assert max(taken) <= 256


def test_a_set_that_negotiations_refer_to_counts_though_it_was_destroyed(stage) -> None:
    client = stage.client()
    negotiation = client.negotiation()
    client.request(negotiation, "set_participant", 1, 1, 81, 3, "decoder")
    set_ = big_set(client)
    client.request(negotiation, "add_alternative", 1, set_)
    client.request(set_, "destroy")
    assert kept(stage) > 256 << 10
    client.request(negotiation, "remove_participant", 1)
    assert kept(stage) == 0


def test_what_answers_are_remembered_by_is_not_held_against_a_client(stage) -> None:
    """Hundreds of sets one after the other, each asked about, each destroyed."""
    client = stage.client()
    negotiation = client.negotiation()
    for cookie in range(1, 40):
        client.request(negotiation, "set_participant", 1, 1, 81, 3, "decoder")
        set_ = big_set(client)
        client.request(negotiation, "add_alternative", 1, set_)
        client.request(set_, "destroy")
        client.request(negotiation, "set_extents", 64, 64, 0, 0, 0, 0)
        client.request(negotiation, "commit", cookie)
        assert client.error is None
        assert kept(stage) <= CLIENT_SET_BYTES + MOST_OF_ONE


def test_the_bounds_are_as_low_as_was_decided() -> None:
    """The others lower them, so that they are reached: only this sees one that is higher."""
    assert (CLIENT_SET_BYTES, client_use.ALL_SET_BYTES) == (4 << 20, 64 << 20)
    assert (CLIENT_OBJECTS, client_use.ALL_OBJECTS) == (64, 4096)


def test_all_together_are_bounded_and_who_has_little_is_let_be(stage, monkeypatch) -> None:
    monkeypatch.setattr(client_use, "ALL_SET_BYTES", 1 << 20)
    greedy = [stage.client() for _ in range(3)]
    modest = stage.client()
    for _ in turns(100, "an error"):
        if any(client.error for client in greedy):
            break
        for client in greedy:
            if client.error is None:
                big_set(client)
    error = next(client.error for client in greedy if client.error)
    assert (error.object, error.code) == (DISPLAY, NO_MEMORY)
    modest.ask(modest.negotiation(), 1)
    assert modest.error is None


def test_who_has_gone_leaves_room_at_once(stage, monkeypatch) -> None:
    """What clients had that hung up goes in slices, and is not held against who comes next."""
    monkeypatch.setattr(client_use, "ALL_SET_BYTES", 1 << 20)
    monkeypatch.setattr(stage.plugin._state.answers, "_begin", lambda: None)  # no slice comes
    for _ in range(6):
        client = stage.client()
        for negotiation in (client.negotiation(), client.negotiation()):
            client.request(negotiation, "set_participant", 1, 1, 81, 3, "decoder")
            client.request(negotiation, "add_alternative", 1, big_set(client))
        assert client.error is None
        client.close()
        stage.clients.remove(client)
        stage.display.dispatch(0)
    left = len(stage.plugin._state.answers._ended)
    assert left, "it went, but no more than was in the way"


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("ask", [ask_heavily, ask_fences, ask_odd_pitches])
@pytest.mark.parametrize("answered", [True, False])
def test_what_was_asked_about_is_kept_by_nobody(stage, ask, answered) -> None:
    """Nor by what solves elsewhere, nor by a timer of its."""
    client = stage.client()
    for cookie in range(1, 4):
        negotiation = client.negotiation()
        ask(client, negotiation, cookie)
        if answered:
            assert later(stage, client, negotiation)[-1].cookie == cookie
        client.request(negotiation, "destroy")
    client.close()
    stage.clients.remove(client)
    stage.display.dispatch(0)
    stage.finish_work()
    assert kept(stage) == 0


def test_a_client_that_hangs_up_leaves_nothing(stage) -> None:
    client = stage.client()
    big_set(client)
    creator(client, 100)
    client.close()
    stage.clients.remove(client)
    stage.display.dispatch(0)
    stage.display.dispatch(0)
    assert kept(stage) == 0
    assert not stage.plugin._state.uses._uses


def test_negotiation_objects_are_bounded(stage) -> None:
    client = stage.client()
    made = [client.negotiation() for _ in range(NEGOTIATIONS)]
    client.request(made[0], "destroy")
    client.negotiation()
    assert client.error is None
    client.negotiation()
    assert (client.error.object, client.error.code) == (DISPLAY, NO_MEMORY)


@pytest.mark.parametrize("protocol", ["negotiation", "allocation", "buffer_status"])
def test_managers_are_bounded(stage, protocol) -> None:
    client = stage.client()
    name = f"xx_dmabuf_{protocol}_manager_v1"
    bound = [client.bind(name) for _ in range(MANAGERS - 1)]
    client.request(bound[0], "destroy")
    client.bind(name)
    assert client.error is None
    client.bind(name)
    assert (client.error.object, client.error.code) == (DISPLAY, NO_MEMORY)
    other = stage.client()
    other.ask(other.negotiation(), 1)
    assert other.error is None


def test_buffers_that_are_watched_are_bounded(stage) -> None:
    client = stage.client()
    buffer = client.thing("buffer")
    watches = [client.watch(buffer) for _ in range(STATUSES)]
    client.request(watches[0], "destroy")
    client.watch(buffer)
    assert client.error is None
    client.watch(buffer)
    told = (client.error.object, client.error.code)
    assert told == (client.status_manager, BufferStatusManagerError.TOO_MANY)


def test_objects_of_all_are_bounded_and_who_has_few_is_let_be(stage, monkeypatch) -> None:
    monkeypatch.setattr(client_use, "ALL_OBJECTS", 100)
    modest, greedy = stage.client(), stage.client()
    for _ in range(94):  # beside three managers each
        greedy.negotiation()
    assert greedy.error is None
    for _ in range(CLIENT_OBJECTS // 2):
        modest.ask(modest.negotiation(), 1)
    assert modest.error is None
    greedy.negotiation()
    assert (greedy.error.object, greedy.error.code) == (DISPLAY, NO_MEMORY)
    for _ in range(CLIENT_OBJECTS // 2):
        modest.negotiation()
    assert modest.error is None, "now there is room"


def test_commits_that_wait_are_bounded(stage) -> None:
    """As many as come before an answer can, and are then answered, are no misuse."""
    client = stage.client()
    negotiation = client.negotiation()
    client.pump()
    for _ in range(3):
        for cookie in range(1, COMMITS + 1):
            client.request(negotiation, "commit", cookie, pump=False)
        client.pump()
        assert client.error is None
        assert len(client.batches(negotiation)) >= COMMITS
    for cookie in range(1, COMMITS + 2):
        client.request(negotiation, "commit", cookie, pump=False)
    client.pump()
    assert (client.error.object, client.error.code) == (negotiation, NegotiationError.TOO_MANY)


def test_allocations_that_nobody_destroys_are_bounded(stage) -> None:
    client = stage.client()
    layout = (
        NV12.fourcc,
        0,
        0,
        64,
        64,
        struct.pack("=IIIIQ", 0, 9, 9, 0, 1),
        struct.pack("=III", 0, 0, 1),
    )
    for number in range(ALLOCATIONS + 1):
        assert client.error is None
        id_ = client.new("xx_dmabuf_allocation_v1")
        pump = number % 64 == 63
        client.request(client.allocation_manager, "allocate", id_, *layout, pump=pump)
    client.pump()
    told = (client.error.object, client.error.code)
    assert told == (client.allocation_manager, AllocationManagerError.TOO_MANY)


def test_failures_are_logged_once_for_each_client(stage, monkeypatch, caplog) -> None:
    def fail(*_args, **_options):
        raise OSError(24, "Too many open files")

    stage.candidate()
    monkeypatch.setattr(type(stage.platform.memory), "allocate", fail)
    allocators = [Allocator(stage), Allocator(stage)]
    with caplog.at_level(logging.WARNING):
        for allocator in allocators:
            for cookie in range(2, 10):
                allocator.reason()
                allocator.commit(cookie)
    assert len(caplog.records) == len(allocators)
