"""Trial imports: what is asked of a driver, what is concluded, and that nothing is left."""

import ctypes
import errno
import os
import struct

import pytest
from ioctl_bytes import ioctl_bytes

from heapwire.kernel.memory import DmaBuf
from heapwire.kernel.video import import_trial, trial_import
from heapwire.kernel.video.import_trial import LEAST
from heapwire.kernel.video.videodev2 import Capability, Queue
from heapwire.protocol import MachineError

LARGE = 1920 * 1080 * 3 // 2


class Driver:
    """A V4L2 queue; `refuses` is the errno with which it meets a buffer at QBUF."""

    def __init__(self, caps, *, sizes=(LARGE,), refuses=0, busy=False, compressed=False):
        self.caps, self.sizes, self.refuses, self.busy = caps, sizes, refuses, busy
        self.compressed = compressed
        self.format = b"\1before\1"
        self.requests = []
        self.queued = []

    def __call__(self, fd, number, argument):
        os.fstat(fd)  # it is asked through an fd that is open
        name = {
            0x80685600: "querycap", 0xC0405602: "enum_fmt", 0xC0D05604: "g_fmt",
            0xC0D05605: "s_fmt", 0xC0145608: "reqbufs", 0xC058560F: "qbuf",
        }[number]  # fmt: skip
        getattr(self, name)(ioctl_bytes(argument))
        return 0

    def querycap(self, data):
        struct.pack_into("=II", data, 84, 0x80000000, self.caps)

    def enum_fmt(self, data):
        index, queue = struct.unpack_from("=II", data)
        if index:
            raise OSError(errno.EINVAL, "Invalid argument")
        coded = self.compressed or queue in (Queue.OUTPUT, Queue.OUTPUT_MPLANE)
        struct.pack_into("=I", data, 8, int(coded))
        struct.pack_into("=4s", data, 44, b"H264" if coded else b"NV12")

    def g_fmt(self, data):
        data[16:24] = self.format

    def s_fmt(self, data):
        if self.busy:
            raise OSError(errno.EBUSY, "Device or resource busy")
        self.format = bytes(data[16:24])
        if len(self.sizes) == 1:
            struct.pack_into("=I", data, 28, self.sizes[0])
        for plane, size in enumerate(self.sizes):
            struct.pack_into("=I", data, 28 + 20 * plane, size)
        data[188] = len(self.sizes)

    def reqbufs(self, data):
        count, queue, memory = struct.unpack_from("=III", data)
        assert memory == 4
        self.requests.append((count, queue))

    def qbuf(self, data):
        memory, length = struct.unpack_from("=I", data, 60)[0], struct.unpack_from("=I", data, 72)
        assert memory == 4
        if self.caps & (Capability.VIDEO_M2M_MPLANE | Capability.VIDEO_CAPTURE_MPLANE):
            (address,) = struct.unpack_from("=Q", data, 64)
            planes = ctypes.string_at(address, 64 * length[0])
            self.queued = [struct.unpack_from("=IIi", planes, 64 * i) for i in range(length[0])]
        else:
            fd = struct.unpack_from("=i", data, 64)[0]
            self.queued = [(struct.unpack_from("=I", data, 8)[0], length[0], fd)]
        for used, size, fd in self.queued:  # a whole picture, in a buffer that is there
            assert used == size == os.fstat(fd).st_size
        if self.refuses:
            raise OSError(self.refuses, os.strerror(self.refuses))


def memory(made):
    def allocate(size):
        fd = os.memfd_create("trial")
        os.ftruncate(fd, size)
        made.append(DmaBuf(fd, size=size, cpu_sync=False))
        return made[-1]

    return allocate


@pytest.fixture
def node(tmp_path):
    path = tmp_path / "video0"
    path.touch()
    return str(path)


CAMERA, MPLANE = Capability.VIDEO_CAPTURE, Capability.VIDEO_M2M_MPLANE


@pytest.mark.parametrize("caps", [CAMERA, MPLANE])
@pytest.mark.parametrize("refuses", [0, errno.EFAULT, errno.EINVAL, errno.ENOTTY])
def test_a_driver_takes_or_refuses(node, caps, refuses):
    made = []
    driver = Driver(caps, refuses=refuses)
    assert trial_import(node, memory(made), call=driver) == refuses
    assert [buffer.size for buffer in made] == [LARGE]
    assert all(buffer.closed for buffer in made)
    assert [count for count, _ in driver.requests] == [1, 0]  # and the queue is empty again
    assert driver.format == b"\1before\1"  # and the format what it was


def test_each_plane_has_its_buffer(node):
    made = []
    driver = Driver(MPLANE, sizes=(1920 * 1088, 1920 * 544))
    assert trial_import(node, memory(made), call=driver) == 0
    assert [buffer.size for buffer in made] == [1920 * 1088, 1920 * 544]
    assert len(driver.queued) == 2


def test_a_small_picture_proves_nothing(node):
    made = []
    driver = Driver(CAMERA, sizes=(LEAST - 1,))
    assert trial_import(node, memory(made), call=driver) is None
    assert made == []


def test_the_least_picture_that_proves_something(node):
    """One byte less may be one run of the system heap's memory, by luck."""
    assert trial_import(node, memory([]), call=Driver(CAMERA, sizes=(LEAST,))) == 0


def test_a_camera_in_use_is_left_alone(node):
    made = []
    driver = Driver(CAMERA, busy=True)
    assert trial_import(node, memory(made), call=driver) is None
    assert (made, driver.requests) == ([], [])


def test_a_queue_of_bitstreams_is_not_tried(node):
    assert trial_import(node, memory([]), call=Driver(CAMERA, compressed=True)) is None


def test_another_error_is_an_error_and_leaves_nothing(node):
    made = []
    driver = Driver(CAMERA, refuses=errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        trial_import(node, memory(made), call=driver)
    assert all(buffer.closed for buffer in made)
    assert driver.requests[-1][0] == 0


def test_memory_that_is_not_there_leaves_nothing(node):
    def nothing(size):
        raise MachineError("nothing left")

    driver = Driver(CAMERA)
    with pytest.raises(MachineError, match="nothing left"):
        trial_import(node, nothing, call=driver)
    assert driver.format == b"\1before\1"


def test_the_trial_is_larger_than_the_largest_chunk_of_the_system_heap():
    assert import_trial.LEAST > 4096 << 8  # order 8, drivers/dma-buf/heaps/system_heap.c
