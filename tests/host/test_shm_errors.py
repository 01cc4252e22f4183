"""What a client does wrong with `wl_shm` ends it with the error that the protocol has for it."""

from __future__ import annotations

import contextlib
import os

import pytest
from host_stage import XRGB_SHM, HostStage, memfd

from heapwire.compositor_plugin.hosts.reference.shm.shm_content import PoolFile

INVALID_FORMAT, INVALID_STRIDE, INVALID_FD = range(3)  # wl_shm.error
NO_MEMORY = 2  # wl_display.error
PAGE = 4096
NV12 = 0x3231564E  # has two planes, which wl_shm cannot tell of
FIRST, SECOND = (0, 16, 16, 64, XRGB_SHM), (PAGE, 16, 16, 64, XRGB_SHM)


@contextlib.contextmanager
def sent(content):
    fd = memfd(content)
    try:
        yield fd
    finally:
        os.close(fd)


def pool_of(client, size=PAGE):
    with sent(bytes(PAGE)) as fd:
        return client.make(client.the("wl_shm"), "create_pool", "wl_shm_pool", fd, size)


def bystander_is_served(stage, log):
    """Another client shows a window; no handler of the compositor's has failed."""
    other = stage.client()
    window = other.window()
    other.shm(window.surface, 4, 4)
    other.settle(window.surface)
    assert other.error is None
    assert [record for record in log.records if record.exc_info] == []


def told_of(log, interface, object_, code):
    """The log has one line for it, which says who it was."""
    (line,) = [text for text in log.messages if "error" in text]
    start = f"client with pid {os.getpid()}, uid {os.getuid()}: {interface}#{object_}: error {code}"
    assert line.startswith(start)


def named(client):
    """The object that an error is about, as the log names it."""
    return client.objects[client.error.object], client.error.object


@pytest.mark.parametrize("size", [0, -1])
def test_a_pool_of_no_size(stage, client, caplog, size):
    pool_of(client, size)
    assert client.ended_by() == (client.the("wl_shm"), INVALID_STRIDE)
    told_of(caplog, "wl_shm", client.the("wl_shm"), INVALID_STRIDE)
    bystander_is_served(stage, caplog)


def test_a_pool_of_what_is_no_memory(stage, client, caplog):
    shm = client.the("wl_shm")
    reading, writing = os.pipe()
    client.make(shm, "create_pool", "wl_shm_pool", reading, PAGE)
    os.close(reading)
    os.close(writing)
    assert client.ended_by() == (shm, INVALID_FD)
    told_of(caplog, "wl_shm", shm, INVALID_FD)
    bystander_is_served(stage, caplog)


@pytest.mark.parametrize("code", [NV12, 2, 0xFFFFFFFF])
def test_a_format_that_was_not_announced(stage, client, caplog, code):
    pool = pool_of(client)
    client.make(pool, "create_buffer", "wl_buffer", 0, 4, 4, 16, code)
    assert client.error.code == INVALID_FORMAT
    told_of(caplog, *named(client), INVALID_FORMAT)
    bystander_is_served(stage, caplog)


@pytest.mark.parametrize(
    "layout",
    [
        (-1, 4, 4, 16),
        (0, 0, 4, 16),
        (0, 4, -4, 16),
        (0, 4, 4, 3),
        (0, 4, 4, -16),
        (0, 4, PAGE, 16),
        (PAGE, 4, 4, 16),
        (2**31 - 16, 4, 4, 16),
        (0, 2**30, 2**30, 2**31 - 1),
    ],
)
def test_a_buffer_that_is_not_in_its_pool(stage, client, caplog, layout):
    pool = pool_of(client)
    client.make(pool, "create_buffer", "wl_buffer", *layout, XRGB_SHM)
    assert client.error.code == INVALID_STRIDE
    told_of(caplog, *named(client), INVALID_STRIDE)
    bystander_is_served(stage, caplog)


def test_rows_that_overlap(stage, client, caplog):
    """The pitch is in bytes, and libwayland's own wl_shm compares it with the width in pixels."""
    pool = pool_of(client)
    client.make(pool, "create_buffer", "wl_buffer", 0, 16, 4, 16, XRGB_SHM)
    assert client.ended_by() == (pool, INVALID_STRIDE)
    told_of(caplog, "wl_shm_pool", pool, INVALID_STRIDE)
    bystander_is_served(stage, caplog)


def test_memory_that_has_gone(stage, client, caplog):
    window, shm = client.window(), client.the("wl_shm")
    with sent(bytes(2 * PAGE)) as fd:
        pool = client.make(shm, "create_pool", "wl_shm_pool", fd, 2 * PAGE)
        buffer = client.make(pool, "create_buffer", "wl_buffer", PAGE, 4, 4, 16, XRGB_SHM)
        os.ftruncate(fd, PAGE)
    client.show(window.surface, buffer)
    assert client.error.code == INVALID_FD
    told_of(caplog, *named(client), INVALID_FD)
    bystander_is_served(stage, caplog)


def test_a_pool_that_becomes_smaller(stage, client, caplog):
    pool = pool_of(client)
    client.request(pool, "resize", PAGE - 1)
    assert client.error.code == INVALID_FD
    told_of(caplog, *named(client), INVALID_FD)
    bystander_is_served(stage, caplog)


def test_a_buffer_that_is_too_large_to_be_drawn(stage, client, caplog):
    size = 1 << 30
    with sent(b"") as fd:
        os.ftruncate(fd, size)
        pool = client.make(client.the("wl_shm"), "create_pool", "wl_shm_pool", fd, size)
    client.make(pool, "create_buffer", "wl_buffer", 0, 16384, 16384, 65536, XRGB_SHM)
    assert client.error.code == NO_MEMORY
    bystander_is_served(stage, caplog)


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY])
def test_a_file_that_is_not_for_both(stage, client, caplog, flags):
    with sent(bytes(PAGE)) as fd:
        once = os.open(f"/proc/self/fd/{fd}", flags | os.O_CLOEXEC)
    client.make(client.the("wl_shm"), "create_pool", "wl_shm_pool", once, PAGE)
    os.close(once)
    assert client.ended_by() == (client.the("wl_shm"), INVALID_FD)
    bystander_is_served(stage, caplog)


def test_more_pools_than_a_client_may_have_open(stage, client, caplog):
    while client.error is None:
        pool_of(client)
    assert client.error.code == NO_MEMORY
    bystander_is_served(stage, caplog)


def test_a_buffer_is_read_where_it_is_drawn_alone(monkeypatch):
    """What it costs to show the largest there is: nothing is read, whatever its size."""
    read = []
    monkeypatch.setattr(PoolFile, "read", lambda _self, *what: read.append(what))
    stage = HostStage(record=False)
    stage.compositor._desktop._on_frame = None
    client = stage.client()
    with sent(b"") as fd:
        os.ftruncate(fd, 8192 * 8192 * 4)
        pool = client.make(client.the("wl_shm"), "create_pool", "wl_shm_pool", fd, 8192 * 8192 * 4)
    made = [
        client.make(pool, "create_buffer", "wl_buffer", 0, 8192, 8192, 8192 * 4, XRGB_SHM)
        for _ in range(2)
    ]
    window = client.window()
    for buffer in made:
        client.show(window.surface, buffer)
        client.settle(window.surface)
    stage.until(lambda: client.take(made[0]) == [("release",)])
    assert (client.error, read) == (None, [])
    client.close()
    stage.close()


def test_a_pool_that_grows_while_it_is_shown(stage, client):
    shm = client.the("wl_shm")
    with sent(bytes(PAGE) + b"\x40" * PAGE) as fd:
        pool = client.make(shm, "create_pool", "wl_shm_pool", fd, PAGE)
    window = client.window()
    client.show(window.surface, client.make(pool, "create_buffer", "wl_buffer", *FIRST))
    assert stage.pixel(0, 0) == (0, 0, 0)
    client.request(pool, "resize", 2 * PAGE)
    client.show(window.surface, client.make(pool, "create_buffer", "wl_buffer", *SECOND))
    assert (stage.pixel(0, 0), client.error) == ((0x40,) * 3, None)
