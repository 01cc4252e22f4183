"""Real heaps and udmabuf: the requests to the byte, the bounds, and no fd left over."""

import errno
import fcntl
import os
import struct
from pathlib import Path

import pytest

from heapwire.kernel.memory import LocalMemory, OutOfMemoryError, dma_heap, udmabuf
from heapwire.kernel.memory.buffer_info import BufferInfo
from heapwire.protocol import MachineError
from heapwire.protocol.values import HeapId, Source, SourceId, SourceKind

SYSTEM = Source(id=SourceId.heap(HeapId(251, 0)), name="system")
CMA = Source(id=SourceId.heap(HeapId(251, 1)), name="reserved", capacity=16384)
UDMABUF = Source(id=SourceId(SourceKind.UDMABUF, 10, 126), name="udmabuf")
CARD = Source(id=SourceId(SourceKind.DEVICE, 226, 0), name="card0")


class Kernel:
    """Stands in for fcntl.ioctl: answers a request with a new memfd, or with an error."""

    def __init__(self, monkeypatch):
        self.calls = []
        self.errors = []
        monkeypatch.setattr(fcntl, "ioctl", self.ioctl)

    def ioctl(self, fd, number, data, mutate):
        assert mutate
        self.calls.append((number, bytes(data)))
        if self.errors:
            code = self.errors.pop(0)
            if code:
                raise OSError(code, os.strerror(code))
        if number == 0xC0184800:  # DMA_HEAP_IOCTL_ALLOC
            made = os.memfd_create("heap", os.MFD_CLOEXEC)
            data[8:12] = struct.pack("=I", made)
        elif number == 0x40187542:  # UDMABUF_CREATE
            assert fcntl.fcntl(struct.unpack_from("=I", data)[0], fcntl.F_GET_SEALS) == 2
            return os.memfd_create("udmabuf", os.MFD_CLOEXEC)
        return 0


@pytest.fixture
def kernel(monkeypatch):
    return Kernel(monkeypatch)


@pytest.fixture
def memory(tmp_path):
    nodes = {}
    for source in (SYSTEM, CMA, UDMABUF):
        node = tmp_path / source.name
        node.touch()
        nodes[source.id] = str(node)
    return LocalMemory([SYSTEM, CMA, UDMABUF, CARD], nodes, largest=1 << 20, budget=3 << 20)


def test_a_heap_is_asked_as_the_header_has_it(kernel, memory):
    with memory.allocate(SYSTEM.id, 5000, name="frame") as buffer:
        assert buffer.size == 8192
    (number, request), (naming, name) = kernel.calls
    assert number == 0xC0184800
    # len, fd, fd_flags, heap_flags: the fd and the heap's flags are 0 or EINVAL.
    assert struct.unpack("=QIIQ", request) == (8192, 0, os.O_RDWR | os.O_CLOEXEC, 0)
    assert (naming, name) == (0x40086201, b"frame\0")  # DMA_BUF_SET_NAME_B


def test_a_long_name_is_cut_and_a_refused_one_is_no_error(kernel, memory):
    kernel.errors = [0, errno.EBUSY]
    with memory.allocate(SYSTEM.id, 1, name="x" * 40):
        pass
    assert kernel.calls[1][1] == b"x" * 31 + b"\0"


def test_udmabuf_gets_pages_that_cannot_shrink(kernel, memory):
    with memory.allocate(UDMABUF.id, 4097) as buffer:
        assert buffer.size == 8192
    ((number, request),) = kernel.calls
    _, flags, offset, size = struct.unpack("=IIQQ", request)
    assert (number, flags, offset, size) == (0x40187542, 1, 0, 8192)


@pytest.mark.parametrize("source", [SYSTEM, UDMABUF], ids=lambda source: source.name)
@pytest.mark.parametrize(
    ("code", "kind", "what"),
    [
        (errno.ENOMEM, OutOfMemoryError, "the kernel has no 4096 bytes left there"),
        (errno.EINVAL, MachineError, "4096 bytes: Invalid argument"),
    ],
)
def test_a_refusal_leaves_nothing(kernel, memory, source, code, kind, what):
    kernel.errors = [code]
    with pytest.raises(kind, match=what):
        memory.allocate(source.id, 1)
    assert memory.live() == 0


def test_an_interrupted_call_is_repeated(kernel, memory):
    kernel.errors = [errno.EINTR, errno.EAGAIN, 0]
    with memory.allocate(SYSTEM.id, 1):
        pass
    assert len(kernel.calls) == 3


@pytest.mark.parametrize("size", [1 << 50, (1 << 20) + 1])
def test_what_is_too_much_never_reaches_the_kernel(kernel, memory, size):
    with pytest.raises(OutOfMemoryError, match="for one buffer"):
        memory.allocate(SYSTEM.id, size)
    assert kernel.calls == []


def test_budget_and_capacity_hold(kernel, memory):
    held = [memory.allocate(SYSTEM.id, 1 << 20) for _ in range(3)]
    with pytest.raises(OutOfMemoryError, match="budget"):
        memory.allocate(SYSTEM.id, 1)
    for buffer in held:
        buffer.close()
    with memory.allocate(CMA.id, 16384), pytest.raises(OutOfMemoryError, match="do not fit"):
        memory.allocate(CMA.id, 1)
    assert memory.live() == 0


def test_a_node_that_may_not_be_opened_says_what_to_do(memory, monkeypatch):
    def refuse(path, flags):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(dma_heap.os, "open", refuse)
    with pytest.raises(MachineError, match=r"system: this user may not open .*udev rule"):
        memory.allocate(SYSTEM.id, 1)
    assert memory.live() == 0


def test_a_device_allocates_for_itself(memory):
    with pytest.raises(MachineError, match="card0 allocates through its own driver only"):
        memory.allocate(CARD.id, 1)
    with pytest.raises(MachineError, match="no heap 9:9"):
        memory.allocate(SourceId.heap(HeapId(9, 9)), 1)


def test_openable_is_what_the_modes_permit(memory, monkeypatch):
    asked = {}

    def access(path, mode):
        asked[Path(path).name] = mode
        return not path.endswith("reserved")

    monkeypatch.setattr(os, "access", access)
    assert memory.openable == {SYSTEM.id, UDMABUF.id}
    assert asked == {"system": os.R_OK, "reserved": os.R_OK, "udmabuf": os.R_OK | os.W_OK}


def test_only_a_dma_buf_is_read(monkeypatch):
    """Whatever else an fd is, lines in its fdinfo that look alike are not believed."""
    told = BufferInfo(size=4096, references=1, exporter="system")
    monkeypatch.setattr(BufferInfo, "parse", lambda text: told)
    fd = os.memfd_create("dmabuf:")
    try:
        assert BufferInfo.of(fd) is None
    finally:
        os.close(fd)


def test_fdinfo_tells_who_made_it():
    text = "pos:\t0\nflags:\t02\nsize:\t8192\ncount:\t3\nexp_name:\tlinux,cma\nname:\ta: b\n"
    told = BufferInfo.parse(text)
    assert told == BufferInfo(size=8192, references=3, exporter="linux,cma", name="a: b")
    assert BufferInfo.parse("pos:\t0\nflags:\t02\n") is None
    assert BufferInfo.parse("size:\tx\ncount:\t1\nexp_name:\ty\n") is None


@pytest.mark.parametrize(
    ("exporter", "source"),
    [("system", SYSTEM.id), ("udmabuf", UDMABUF.id), ("vb2", None), ("card0", None)],
)
def test_a_buffer_is_known_by_its_exporter(memory, monkeypatch, exporter, source):
    told = BufferInfo(size=4096, references=1, exporter=exporter)
    monkeypatch.setattr(BufferInfo, "of", lambda fd: told)
    assert memory.identify(5) == source


def test_an_fd_that_is_no_dma_buf_has_no_source(memory):
    fd = os.memfd_create("system")
    assert BufferInfo.of(fd) is None
    assert memory.identify(fd) is None
    os.close(fd)


def test_a_udmabuf_that_fails_closes_its_pages(kernel, tmp_path):
    kernel.errors = [errno.EINVAL]
    (tmp_path / "udmabuf").touch()
    with pytest.raises(OSError, match="Invalid"):
        udmabuf.create(str(tmp_path / "udmabuf"), 4096)
    with pytest.raises(FileNotFoundError):
        udmabuf.create(str(tmp_path / "none"), 4096)
