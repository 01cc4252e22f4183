"""Files of memory: what is in them, and what nobody can do to them any more."""

import fcntl
import mmap
import os
from pathlib import Path

import pytest

from heapwire.kernel.system import read_only, sealed_copy, sealed_memfd


@pytest.fixture
def closing():
    """Takes fds, and closes them at the end."""
    fds = []
    yield lambda fd: fds.append(fd) or fd
    for fd in fds:
        os.close(fd)


def test_a_copy_cannot_be_changed_by_whoever_gets_it(closing):
    fd = closing(sealed_copy("table", b"content"))
    assert os.pread(fd, 100, 0) == b"content"
    assert str(Path(f"/proc/self/fd/{fd}").readlink()) == "/memfd:table (deleted)"
    for change in (
        lambda: os.pwrite(fd, b"C", 0),
        lambda: os.ftruncate(fd, 3),
        lambda: os.ftruncate(fd, 8),
        lambda: mmap.mmap(fd, 7),
    ):
        with pytest.raises(PermissionError):
            change()
    assert os.pread(fd, 100, 0) == b"content"


def test_a_file_that_is_opened_once_more_has_an_offset_of_its_own(closing):
    first = closing(sealed_copy("table", b"content"))
    second, third = closing(read_only(first)), closing(read_only(first))
    assert os.read(second, 3) == b"con"
    assert os.read(third, 7) == b"content"
    assert not os.get_inheritable(second)
    assert fcntl.fcntl(second, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
    with mmap.mmap(second, 7, mmap.MAP_SHARED, mmap.PROT_READ) as content:
        assert content[:] == b"content"
    with pytest.raises(PermissionError):
        mmap.mmap(second, 7, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)


def test_memory_can_be_written_and_keeps_its_size(closing):
    fd = closing(sealed_memfd("heap", 4096))
    assert os.pread(fd, 8192, 0) == bytes(4096)
    os.pwrite(fd, b"a", 4095)
    for size in (4095, 4097):
        with pytest.raises(PermissionError):
            os.ftruncate(fd, size)


def test_both_close_at_exec_and_leave_nothing_when_they_fail(closing, monkeypatch):
    for fd in (closing(sealed_copy("table", b"")), closing(sealed_memfd("heap", 1))):
        assert not os.get_inheritable(fd)
    monkeypatch.setattr("fcntl.fcntl", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sealed_memfd("heap", 1)  # the fixture of the room sees an fd that is left
