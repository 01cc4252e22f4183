"""Whoever asks for a sign of life waits for one read of somebody else's, and not for two."""

from __future__ import annotations

import contextlib
import os
import socket
import struct

import pytest
from stage import NV12, Client, Stage

from heapwire.compositor_plugin.allocation import AllocationManager
from heapwire.compositor_plugin.answering import answer_schedule
from heapwire.compositor_plugin.negotiation_manager import NegotiationManager
from heapwire.compositor_plugin.server import ReadyOrder

ONE_READ = 4096  # bytes: what libwayland takes at once, wayland-private.h
REQUEST = 12  # bytes, of create_constraint_set


@pytest.fixture
def stage():
    with Stage() as stage:
        stage.plugin._state.answers._much = answer_schedule.MUCH
        yield stage


def describe(client: Client, reads: int) -> None:
    """Describe as much as fills so many reads, in one write."""
    [opcode] = [
        number
        for number, request in enumerate(NegotiationManager.INTERFACE.requests)
        if request.name == "create_constraint_set"
    ]
    sets = [
        client.new("xx_dmabuf_constraint_set_creator_v1")
        for _ in range(reads * ONE_READ // REQUEST)
    ]
    client.socket.sendall(
        b"".join(struct.pack("=III", client.manager, REQUEST << 16 | opcode, one) for one in sets)
    )


def ask_for_memory(client: Client, reads: int) -> None:
    """Ask for as many buffers as fill so many reads, of memory that is not there."""
    [opcode] = [
        number
        for number, request in enumerate(AllocationManager.INTERFACE.requests)
        if request.name == "allocate"
    ]
    objects, planes = struct.pack("=IIIIQ", 0, 9, 9, 0, 1), struct.pack("=III", 0, 0, 1)
    rest = struct.pack("=IIIIII", NV12.fourcc, 0, 0, 64, 64, len(objects)) + objects
    rest += struct.pack("=I", len(planes)) + planes
    size = 12 + len(rest)
    ids = [client.new("xx_dmabuf_allocation_v1") for _ in range(reads * ONE_READ // size)]
    head = (client.allocation_manager, size << 16 | opcode)
    client.socket.sendall(b"".join(struct.pack("=III", *head, one) + rest for one in ids))


def tick(client: Client) -> None:
    client.request(1, "sync", client.new("wl_callback"), pump=False)


def served(client: Client) -> bool:
    with contextlib.suppress(BlockingIOError):
        return bool(client.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    return False


@pytest.mark.parametrize(
    ("manager", "request_name", "talk"),
    [
        (NegotiationManager, "create_constraint_set", describe),
        (AllocationManager, "allocate", ask_for_memory),
    ],
)
def test_who_was_just_read_comes_after_whoever_has_said_something_since(
    stage, monkeypatch, manager, request_name, talk
) -> None:
    talker, ticker = stage.client(), stage.client()
    answered: list[bool] = []  # at each request of the talker's: whether the other was
    handle = getattr(manager, request_name)

    def watched(*request) -> None:
        if not answered:
            tick(ticker)
        handle(*request)
        answered.append(served(ticker))

    monkeypatch.setattr(manager, request_name, watched)
    talk(talker, 3)
    stage.display.dispatch(0)
    handled = len(answered)
    stage.display.dispatch(0)
    assert len(answered) > handled, "the talker is read in each pass"
    assert not any(answered[:handled])
    assert answered[-1], "the other is read, and sent its answer, before that"


def test_whoever_does_not_read_does_not_end_while_it_is_read(stage, monkeypatch) -> None:
    """What it was answered cannot be sent; its end in the middle of a request would be ours."""
    client = stage.client()
    managers = stage.plugin._state.managers
    before = len(managers)
    described: list[int] = []
    create = NegotiationManager.create_constraint_set

    def watched(manager, new_id) -> None:
        create(manager, new_id)
        described.append(len(managers))

    monkeypatch.setattr(NegotiationManager, "create_constraint_set", watched)
    client.socket.shutdown(socket.SHUT_RD)
    tick(client)
    describe(client, 1)
    stage.display.dispatch(0)
    stage.display.dispatch(0)
    assert described
    assert set(described) == {before}
    assert not managers, "it ends when its requests have been handled"


def test_who_is_last_already_stays_where_it_is(stage) -> None:
    """Each of two who were read in turn: a second one that ticks is never put behind the first."""
    first, second = stage.client(), stage.client()
    order = ReadyOrder(stage.display.loop)
    try:
        tick(first)
        tick(second)
        clients = {one.client.fd: one.client for one in stage.plugin._state.managers}
        row = [data for data, _ in order._epoll.poll(0, 9)]
        assert len(row) == 2
        assert len(clients) == 2
        by_data = {order._data_of(client): client for client in clients.values()}
        head, tail = (by_data[data & 0xFFFFFFFF] for data in row)
        order.put_last([tail])
        assert [data for data, _ in order._epoll.poll(0, 9)] == row
        order.put_last([head])
        assert [data for data, _ in order._epoll.poll(0, 9)] == row[::-1]
    finally:
        order.close()


def test_where_nobody_tells_who_is_who_the_order_is_the_kernels(stage) -> None:
    client = stage.client()
    order = ReadyOrder(stage.display.loop)
    try:
        tick(client)
        order._fd = -1  # there is no such file in /proc
        order.put_last({manager.client for manager in stage.plugin._state.managers})
    finally:
        order.close()
    client.read()


@pytest.mark.parametrize("count", [20, 40, 64, 96, 200])
def test_of_many_who_never_stop_each_has_its_turn(stage, count: int) -> None:
    """A pass reads 32 of them, and whoever is only looked at must not come after those."""
    order = ReadyOrder(stage.display.loop)
    read: list[int] = []
    ready = [os.eventfd(1) for _ in range(count)]
    sources = [stage.display.loop.add_fd(fd, lambda _, fd=fd: read.append(fd)) for fd in ready]
    row = [data & 0xFFFFFFFF for data, _ in order._epoll.poll(0, 1000)]
    order._data = dict(zip(ready, row, strict=True))  # as if they were clients
    try:
        heard = set()
        for _ in range(-(-count // 32)):
            read.clear()
            stage.display.dispatch(0)
            order.put_last(read)
            heard.update(read)
        assert heard == set(ready)
    finally:
        order.close()
        for source, fd in zip(sources, ready, strict=True):
            source.remove()
            os.close(fd)
