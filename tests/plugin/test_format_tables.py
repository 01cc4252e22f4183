"""The one file that clients are sent: nobody can change it, or what another client has of it."""

from __future__ import annotations

import fcntl
import mmap
import os

import pytest
from open_files import open_fds
from stage import NV12, Stage

from heapwire.protocol.wire import encode_table


def table_of(client, negotiation: int) -> tuple[int, int]:
    """Descriptor and size of the table that came with the first batch."""
    [table] = [event.args for event in client.of(negotiation) if event.name == "format_table"]
    return table


def test_two_clients_read_without_moving_each_other() -> None:
    with Stage() as stage:
        clients = [stage.client(), stage.client()]
        tables = [table_of(client, client.negotiation()) for client in clients]
        contents = [os.read(fd, size) for fd, size in tables]
        assert contents[0] == contents[1] != b""
        assert encode_table((NV12,)) in contents[0]
        os.lseek(tables[0][0], 5, os.SEEK_SET)
        assert os.lseek(tables[1][0], 0, os.SEEK_CUR) == tables[1][1]


def test_one_client_does_not_end_the_lock_of_another() -> None:
    with Stage() as stage:
        clients = [stage.client(), stage.client()]
        (first, _), (second, _) = [table_of(client, client.negotiation()) for client in clients]
        fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(second, fcntl.LOCK_UN)
        with pytest.raises(BlockingIOError):
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_client_cannot_write_into_the_table() -> None:
    with Stage() as stage:
        client = stage.client()
        fd, size = table_of(client, client.negotiation())
        assert fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
        with pytest.raises(PermissionError):
            mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        with mmap.mmap(fd, size, mmap.MAP_PRIVATE, mmap.PROT_READ) as content:
            assert content[:] == os.pread(fd, size, 0)


def test_the_compositor_keeps_one_descriptor_however_many_clients_have_it() -> None:
    with Stage() as stage:
        client = stage.client()
        table_of(client, client.negotiation())
        before = len(open_fds())
        negotiations = [client.negotiation() for _ in range(20)]
        for negotiation in negotiations:
            table_of(client, negotiation)
        assert len(open_fds()) == before + len(negotiations), "those that the client was sent"
