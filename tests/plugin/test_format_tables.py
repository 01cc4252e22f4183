"""The file that clients are sent: nobody can change it, or what another client has of it."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
from collections.abc import Iterator

import pytest
from open_files import open_fds
from stage import NV12

from heapwire.compositor_plugin import FormatTables
from heapwire.protocol.wire import encode_table

CONTENT = encode_table((NV12,))


@pytest.fixture
def tables() -> Iterator[FormatTables]:
    tables = FormatTables()
    yield tables
    tables.close()


@contextlib.contextmanager
def received(tables: FormatTables) -> Iterator[int]:
    """A descriptor as a client gets it."""
    with tables.opened(CONTENT) as fd:
        mine = os.dup(fd)
    try:
        yield mine
    finally:
        os.close(mine)


def test_two_clients_read_without_moving_each_other(tables) -> None:
    with received(tables) as first, received(tables) as second:
        assert os.read(first, 100) == os.read(second, 100) == CONTENT
        os.lseek(first, 5, os.SEEK_SET)
        assert os.lseek(second, 0, os.SEEK_CUR) == len(CONTENT)


def test_one_client_does_not_end_the_lock_of_another(tables) -> None:
    with received(tables) as first, received(tables) as second:
        fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(second, fcntl.LOCK_UN)
        with pytest.raises(BlockingIOError):
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_client_cannot_write_into_the_table(tables) -> None:
    with received(tables) as fd:
        assert fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
        with pytest.raises(PermissionError):
            mmap.mmap(fd, len(CONTENT), mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        with mmap.mmap(fd, len(CONTENT), mmap.MAP_PRIVATE, mmap.PROT_READ) as content:
            assert content[:] == CONTENT


def test_the_compositor_keeps_one_descriptor_however_many_clients_have_it(tables) -> None:
    with received(tables):
        before = len(open_fds())
        with contextlib.ExitStack() as stack:
            for _ in range(20):
                stack.enter_context(received(tables))
            assert len(open_fds()) == before + 20, "those that the clients were sent"
