"""A DmaBuf owns its fd: closed once, on every path, or given away."""

import fcntl
import gc
import mmap
import os
import struct

import pytest

from heapwire.kernel.memory import CpuAccess, DmaBuf, dma_buf
from heapwire.protocol import MachineError, UsageError

SIZE = 8192


def memfd(size=SIZE):
    fd = os.memfd_create("test", os.MFD_CLOEXEC)
    os.ftruncate(fd, size)
    return fd


def is_open(fd):
    try:
        fcntl.fcntl(fd, fcntl.F_GETFD)
    except OSError:
        return False
    return True


def test_the_fd_closes_with_the_block():
    fd = memfd()
    with DmaBuf(fd, size=SIZE, cpu_sync=False) as buffer:
        assert buffer.fd == fd
        assert not buffer.closed
    assert buffer.closed
    assert not is_open(fd)


def test_closing_twice_leaves_the_next_owner_of_the_number_alone():
    fd = memfd()
    buffer = DmaBuf(fd, size=SIZE)
    buffer.close()
    again = memfd()
    assert again == fd  # the kernel hands out the lowest free number
    buffer.close()
    assert is_open(again)
    os.close(again)


def test_a_buffer_nobody_closed_closes_when_it_is_collected():
    fd = memfd()
    buffer = DmaBuf(fd, size=SIZE)
    del buffer
    gc.collect()
    assert not is_open(fd)


def test_the_fd_closes_when_the_block_raises():
    fd = memfd()
    with pytest.raises(ZeroDivisionError), DmaBuf(fd, size=SIZE):
        raise ZeroDivisionError
    assert not is_open(fd)


def test_detach_gives_the_fd_away_for_good():
    buffer = DmaBuf(memfd(), size=SIZE)
    fd = buffer.detach()
    assert buffer.closed
    buffer.close()
    del buffer
    gc.collect()
    assert is_open(fd)
    os.close(fd)


@pytest.mark.parametrize("end", [DmaBuf.close, lambda buffer: os.close(buffer.detach())])
def test_an_ended_buffer_says_so(end):
    buffer = DmaBuf(memfd(), size=SIZE, name="frame 3")
    end(buffer)
    with pytest.raises(UsageError, match=r"frame 3.*closed"):
        _ = buffer.fd
    with pytest.raises(UsageError, match="closed"):
        buffer.detach()
    with pytest.raises(UsageError, match="closed"), buffer.map():
        pass


@pytest.mark.parametrize(
    "end",
    [DmaBuf.close, lambda buffer: os.close(buffer.detach()), lambda buffer: None],
    ids=["close", "detach", "collect"],
)
def test_release_is_told_once(end):
    told = []
    buffer = DmaBuf(memfd(), size=SIZE, released=lambda: told.append("released"))
    assert told == []
    end(buffer)
    del buffer
    gc.collect()
    assert told == ["released"]


def test_what_is_written_is_in_the_memory():
    with DmaBuf(memfd(), size=SIZE, cpu_sync=False) as buffer:
        with buffer.map() as view:
            assert len(view) == SIZE
            view[SIZE - 4 :] = b"last"
        with mmap.mmap(buffer.fd, SIZE) as other:
            assert other[-4:] == b"last"


def test_a_view_for_reading_cannot_write():
    with DmaBuf(memfd(), size=SIZE, cpu_sync=False) as buffer, buffer.map(CpuAccess.READ) as view:
        with pytest.raises(TypeError):
            view[0] = 1
        assert view[0] == 0


def test_the_view_ends_with_its_block():
    with DmaBuf(memfd(), size=SIZE, cpu_sync=False) as buffer:
        with buffer.map() as view:
            pass
        with pytest.raises(ValueError, match="released"):
            view[0] = 1


def test_an_array_may_outlive_block_and_buffer():
    """No crash and no lost bytes: the mapping stays as long as something looks at it."""
    with DmaBuf(memfd(), size=SIZE, cpu_sync=False) as buffer, buffer.map() as view:
        kept = view[:4]
        kept[:] = b"kept"
    assert bytes(kept) == b"kept"


def test_every_access_is_bracketed_also_when_it_fails(monkeypatch):
    seen = []
    monkeypatch.setattr(
        dma_buf, "ioctl", lambda fd, number, data: seen.append((number, bytes(data)))
    )
    with DmaBuf(memfd(), size=SIZE) as buffer:
        with buffer.map(CpuAccess.READ):
            pass
        with pytest.raises(ZeroDivisionError), buffer.map():
            raise ZeroDivisionError
    flags = [struct.unpack("=Q", data)[0] for _, data in seen]
    assert {number for number, _ in seen} == {0x40086200}  # DMA_BUF_IOCTL_SYNC
    assert flags == [1, 1 | 4, 1 | 2, 1 | 2 | 4]  # READ, READ|END, RW, RW|END


def test_an_interrupted_sync_is_repeated(monkeypatch):
    answers = iter([InterruptedError(4, "interrupted"), BlockingIOError(11, "again"), None, None])

    def interrupted(fd, number, data, mutate):
        answer = next(answers)
        if answer is not None:
            raise answer

    monkeypatch.setattr(fcntl, "ioctl", interrupted)
    with DmaBuf(memfd(), size=SIZE) as buffer, buffer.map():
        pass
    assert next(answers, "none left") == "none left"


def test_an_fd_without_the_ioctl_is_an_error_and_leaks_nothing():
    with (
        DmaBuf(memfd(), size=SIZE, name="not a dma-buf") as buffer,
        pytest.raises(MachineError, match=r"not a dma-buf.*DMA_BUF_IOCTL_SYNC"),
        buffer.map(),
    ):
        pass


def test_memory_that_cannot_be_mapped_is_an_error():
    with (
        DmaBuf(os.open("/dev/null", os.O_RDWR), size=SIZE) as buffer,
        pytest.raises(MachineError, match="cannot be mapped"),
        buffer.map(),
    ):
        pass


def test_what_is_given_out_for_reading_is_read_and_not_written():
    """As VIDIOC_EXPBUF does without O_RDWR."""
    writable = memfd()
    os.pwrite(writable, b"picture", 0)
    fd = os.open(f"/proc/self/fd/{writable}", os.O_RDONLY | os.O_CLOEXEC)
    os.close(writable)
    with DmaBuf(fd, size=SIZE, cpu_sync=False) as buffer:
        with buffer.map(CpuAccess.READ) as view:
            assert bytes(view[:7]) == b"picture"
        with pytest.raises(MachineError, match="reading only"), buffer.map():
            pass
        with buffer.map(CpuAccess.READ) as view:
            assert view.readonly
