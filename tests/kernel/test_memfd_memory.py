"""Simulated heaps: named, sealed, zeroed, bounded, and accounted for."""

import fcntl
import mmap
import os
import signal
import socket
import threading

import pytest

from heapwire.kernel.memory import MemfdMemory, OutOfMemoryError
from heapwire.protocol import MachineError, NotPossibleError, UsageError
from heapwire.protocol.values import HeapId, Source, SourceId

CMA = Source(id=SourceId.heap(HeapId(254, 0)), name="linux,cma", capacity=64 << 10)
SYSTEM = Source(id=SourceId.heap(HeapId(254, 1)), name="system")
BANK = Source(id=SourceId.heap(HeapId(254, 2)), name="video@42000000")


@pytest.fixture
def memory():
    return MemfdMemory([CMA, SYSTEM, BANK], budget=1 << 20)


@pytest.mark.parametrize(("asked", "given"), [(1, 4096), (4096, 4096), (4097, 8192)])
def test_a_size_is_rounded_up_to_pages(memory, asked, given):
    with memory.allocate(SYSTEM.id, asked) as buffer:
        assert buffer.size == given
        assert os.lseek(buffer.fd, 0, os.SEEK_END) == given


def test_memory_is_zeroed_even_after_use(memory):
    with memory.allocate(CMA.id, 64 << 10) as buffer, buffer.map() as view:
        view[:] = b"\xff" * len(view)
    with memory.allocate(CMA.id, 64 << 10) as buffer, buffer.map() as view:
        assert not any(view)


def test_nobody_can_change_the_size(memory):
    with memory.allocate(SYSTEM.id, 8192) as buffer:
        seals = fcntl.fcntl(buffer.fd, fcntl.F_GET_SEALS)
        assert seals & fcntl.F_SEAL_SHRINK
        assert seals & fcntl.F_SEAL_GROW
        for size in (0, 16384):
            with pytest.raises(PermissionError):
                os.ftruncate(buffer.fd, size)


def test_the_fd_does_not_survive_exec(memory):
    with memory.allocate(SYSTEM.id, 1) as buffer:
        assert fcntl.fcntl(buffer.fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC


@pytest.mark.parametrize("source", [CMA, SYSTEM, BANK], ids=lambda source: source.name)
def test_an_fd_tells_its_source_after_a_trip(memory, source):
    with memory.allocate(source.id, 1) as buffer:
        copy = os.dup(buffer.fd)
    try:
        assert memory.identify(copy) == source.id
        # Another process, with other pairs, knows the heap by its name.
        there = Source(id=SourceId.heap(HeapId(250, 9)), name=source.name)
        assert MemfdMemory([there]).identify(copy) == there.id
        assert MemfdMemory([]).identify(copy) is None
    finally:
        os.close(copy)


def test_a_foreign_fd_has_no_source(memory):
    fd = os.memfd_create("linux,cma")
    try:
        assert memory.identify(fd) is None
    finally:
        os.close(fd)
    assert memory.identify(fd) is None  # closed


def test_a_heap_gives_no_more_than_it_has(memory):
    with memory.allocate(CMA.id, 60 << 10):
        with pytest.raises(OutOfMemoryError, match=r"linux,cma: 8192 bytes.*61440 of 65536"):
            memory.allocate(CMA.id, 5000)
        with memory.allocate(CMA.id, 4096):  # what was refused takes no room
            assert memory.live(CMA.id) == 64 << 10
    with memory.allocate(CMA.id, 64 << 10):
        pass


def test_the_budget_holds_for_all_heaps_together(memory):
    with (
        memory.allocate(SYSTEM.id, 1000 << 10),
        pytest.raises(OutOfMemoryError, match="budget"),
    ):
        memory.allocate(BANK.id, 28 << 10)


@pytest.mark.parametrize("size", [1 << 50, (1 << 64) - 1, 1 << 80])
def test_a_hostile_size_is_refused_and_nothing_is_left(memory, size):
    with pytest.raises(OutOfMemoryError):
        memory.allocate(SYSTEM.id, size)
    assert memory.live() == 0


def test_out_of_memory_is_both_kinds_of_error(memory):
    for kind in (NotPossibleError, MemoryError):
        with pytest.raises(kind):
            memory.allocate(CMA.id, 1 << 20)


@pytest.mark.parametrize("size", [0, -1])
def test_a_size_must_be_one(memory, size):
    with pytest.raises(UsageError, match="not a size"):
        memory.allocate(SYSTEM.id, size)


def test_an_unknown_source_is_named(memory):
    with pytest.raises(MachineError, match="no heap 9:9"):
        memory.allocate(SourceId.heap(HeapId(9, 9)), 4096)


def test_live_bytes_follow_the_buffers(memory):
    first = memory.allocate(SYSTEM.id, 4096)
    second = memory.allocate(SYSTEM.id, 8192)
    third = memory.allocate(CMA.id, 4096)
    assert (memory.live(SYSTEM.id), memory.live(CMA.id), memory.live()) == (12288, 4096, 16384)
    first.close()
    os.close(second.detach())
    assert memory.live(SYSTEM.id) == 0
    del third
    assert memory.live() == 0


def test_no_memory_at_the_kernel_is_an_error_without_a_charge(memory, monkeypatch):
    def refuse(*_):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "memfd_create", refuse)
    with pytest.raises(MachineError, match=r"system: 4096 bytes: Too many open files"):
        memory.allocate(SYSTEM.id, 1)
    assert memory.live() == 0


def test_a_seal_that_fails_closes_the_fd(memory, monkeypatch):
    def refuse(fd, command, argument=0):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("fcntl.fcntl", refuse)
    with pytest.raises(MachineError, match="not permitted"):
        memory.allocate(SYSTEM.id, 1)
    assert memory.live() == 0


def test_a_name_too_long_for_a_memfd_is_refused_at_once():
    with pytest.raises(UsageError, match="cannot be the name"):
        MemfdMemory([Source(id=CMA.id, name="x" * 241)])


def test_the_longest_name_is_a_name():
    memory = MemfdMemory([Source(id=CMA.id, name="x" * 240)])
    with memory.allocate(CMA.id, 1) as buffer:
        assert memory.identify(buffer.fd) == CMA.id


def test_threads_never_get_more_than_there_is(memory):
    got = []

    def take():
        for _ in range(20):
            try:
                got.append(memory.allocate(CMA.id, 4096))
            except OutOfMemoryError:
                return

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 16
    for buffer in got:
        buffer.close()
    assert memory.live() == 0


def test_who_was_given_a_share_is_seen_until_the_last_trace_is_gone(memory):
    """A descriptor, a copy of it, one under way, a mapping: each of them is somebody's."""
    with memory.allocate(SYSTEM.id, 4096) as buffer:
        assert buffer.shared() is False
        share = buffer.share()
        assert memory.identify(share) == SYSTEM.id
        assert os.fstat(share).st_ino == os.fstat(buffer.fd).st_ino
        copy = os.dup(share)
        os.close(share)
        assert buffer.shared() is True
        ours, theirs = socket.socketpair()
        with ours, theirs:
            socket.send_fds(ours, [b"x"], [copy])
            os.close(copy)
            assert buffer.shared() is True, "nobody has received it yet"
            _, [received], _, _ = socket.recv_fds(theirs, 1, 1)
        mapping = mmap.mmap(received, 4096)
        os.close(received)
        assert buffer.shared() is True
        mapping.close()
        assert buffer.shared() is False
        with buffer.map() as view:
            assert not any(view)
        assert buffer.shared() is False, "what its owner has mapped is not another's"


def test_where_there_are_no_leases_it_is_not_told(memory, monkeypatch):
    def refuse(fd, command, *_):
        raise OSError(22, "Invalid argument")

    with memory.allocate(SYSTEM.id, 4096) as buffer:
        monkeypatch.setattr(fcntl, "fcntl", refuse)
        assert buffer.shared() is None


def test_whoever_opens_it_meanwhile_ends_nobody(memory, monkeypatch):
    """A lease that somebody breaks is told by a signal; that of leases would end the process."""
    real = fcntl.fcntl
    with memory.allocate(SYSTEM.id, 4096) as buffer:
        came = []

        def interrupted(fd, command, argument=0):
            result = real(fd, command, argument)
            if (command, argument) == (fcntl.F_SETLEASE, fcntl.F_WRLCK):
                with pytest.raises(BlockingIOError):
                    os.open(f"/proc/self/fd/{fd}", os.O_RDWR | os.O_NONBLOCK)
                came.append(real(fd, fcntl.F_GETSIG))
            return result

        monkeypatch.setattr(fcntl, "fcntl", interrupted)
        assert buffer.shared() is False
        assert came == [signal.SIGURG]
