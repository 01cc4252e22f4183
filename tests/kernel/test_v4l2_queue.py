"""One V4L2 queue: what the driver is told and tells, to the byte of the header's structs."""

import ctypes
import errno
import os
import struct

import pytest
from ioctl_bytes import ioctl_bytes

from heapwire.kernel.video.v4l2_queue import V4l2Queue
from heapwire.kernel.video.videodev2 import Queue
from heapwire.protocol import MachineError
from heapwire.protocol.values import Extent, fourcc

# include/uapi/linux/videodev2.h on a 64-bit machine.
NAMES = {
    0xC0D05604: "g_fmt", 0xC0D05605: "s_fmt", 0xC0D05640: "try_fmt", 0xC040565E: "g_selection",
    0xC0145608: "reqbufs", 0xC0585609: "querybuf", 0xC058560F: "qbuf", 0xC0585611: "dqbuf",
    0x40045612: "streamon", 0x40045613: "streamoff",
}  # fmt: skip
PLANE = 64  # bytes of struct v4l2_plane
MPLANE = (Queue.CAPTURE_MPLANE, Queue.OUTPUT_MPLANE)


def planes_of(data):
    """The planes that a v4l2_buffer points to."""
    (address,) = struct.unpack_from("=Q", data, 64)
    (count,) = struct.unpack_from("=I", data, 72)
    return memoryview((ctypes.c_ubyte * (PLANE * count)).from_address(address)).cast("B")


class Driver:
    """Answers as one would whose pictures are 64x48 NV12; `calls` has what it was asked."""

    def __init__(self, queue):
        self.planar = queue in MPLANE
        self.calls = []
        self.extent = (64, 48)
        self.memory_planes = [(4096, 64)]  # size and pitch of each
        self.corner = (0, 0)
        self.flags = 0
        self.refuses = {}

    def __call__(self, fd, number, argument):
        name = NAMES[number]
        data = ioctl_bytes(argument)
        assert number >> 16 & 0x3FFF == len(data)  # the size that the number speaks of
        self.calls.append((name, bytes(data)))
        if name in self.refuses:
            raise OSError(self.refuses[name], os.strerror(self.refuses[name]))
        getattr(self, name, lambda data: None)(data)
        return 0

    def g_fmt(self, data):
        struct.pack_into("=III", data, 8, *self.extent, fourcc("NV12"))
        if not self.planar:
            ((size, pitch),) = self.memory_planes
            struct.pack_into("=II", data, 24, pitch, size)
            return
        for plane, entry in enumerate(self.memory_planes):
            struct.pack_into("=II", data, 28 + 20 * plane, *entry)
        data[188] = len(self.memory_planes)

    s_fmt = try_fmt = g_fmt

    def g_selection(self, data):
        struct.pack_into("=iiII", data, 12, *self.corner, 60, 40)

    def querybuf(self, data):
        if self.planar:
            struct.pack_into("=II", planes_of(data), 4, 4096, 0)
        else:
            struct.pack_into("=I", data, 64, 0)
            struct.pack_into("=I", data, 72, 4096)

    def qbuf(self, data):
        self.planes = bytes(planes_of(data)) if self.planar else b""

    def dqbuf(self, data):
        struct.pack_into("=I", data, 0, 1)
        struct.pack_into("=I", planes_of(data) if self.planar else data, 0 if self.planar else 8, 7)
        struct.pack_into("=I", data, 12, self.flags)
        struct.pack_into("=qq", data, 24, 3, 999_999)

    @property
    def names(self):
        return [name for name, _ in self.calls]

    def last(self, name):
        return next(data for called, data in reversed(self.calls) if called == name)


@pytest.fixture
def memory():
    """A file that stands in for a node's memory."""
    fd = os.memfd_create("node")
    os.ftruncate(fd, 8192)
    yield fd
    os.close(fd)


@pytest.fixture(params=list(Queue))
def kind(request):
    return request.param


@pytest.fixture
def driver(kind):
    return Driver(kind)


@pytest.fixture
def queue(memory, kind, driver):
    return V4l2Queue(memory, kind, driver)


def test_a_format_is_asked_for_and_read(queue, kind, driver):
    granted = queue.set_format(fourcc("NV12"), Extent(60, 40), size=12345)
    asked = driver.last("s_fmt")
    assert struct.unpack_from("=I", asked, 0) == (kind,)
    assert struct.unpack_from("=4I", asked, 8) == (60, 40, fourcc("NV12"), 1)  # V4L2_FIELD_NONE
    assert struct.unpack_from("=I", asked, 28) == (12345,)  # sizeimage, of the first plane
    assert asked[188] == (1 if kind in MPLANE else 0)
    assert (granted.fourcc, granted.extent) == (fourcc("NV12"), Extent(64, 48))
    assert (granted.pitches, granted.sizes) == ((64,), (4096,))


@pytest.mark.parametrize("kind", MPLANE)
def test_each_memory_plane_has_its_pitch_and_size(queue, driver):
    driver.memory_planes = [(4096, 64), (2048, 32)]
    assert (queue.format.pitches, queue.format.sizes) == ((64, 32), (4096, 2048))


def test_a_size_that_is_none_is_the_drivers_fault(queue, driver):
    driver.extent = (0, 0)
    with pytest.raises(MachineError, match="0x0"):
        queue.format  # noqa: B018  # reading it asks the driver
    driver.extent = (65536, 65536)
    assert queue.format.extent == Extent(65536, 65536)
    driver.extent = (65536, 65537)
    with pytest.raises(MachineError, match="65536x65537"):
        queue.format  # noqa: B018  # reading it asks the driver


def test_what_is_visible_is_asked_of_the_single_planar_type(queue, kind, driver):
    assert queue.visible == Extent(60, 40)
    single = {Queue.CAPTURE_MPLANE: Queue.CAPTURE, Queue.OUTPUT_MPLANE: Queue.OUTPUT}
    assert struct.unpack_from("=II", driver.last("g_selection"), 0) == (single.get(kind, kind), 256)


@pytest.mark.parametrize("corner", [(2, 0), (0, 2), (-2, 0)])
def test_pictures_that_begin_elsewhere_cannot_be_used(queue, driver, corner):
    driver.corner = corner
    with pytest.raises(MachineError, match=f"begin at {corner[0]}, {corner[1]}"):
        queue.visible  # noqa: B018  # reading it asks the driver


@pytest.mark.parametrize("error", [errno.EINVAL, errno.ENOTTY, errno.ENODATA])
def test_all_is_visible_where_the_driver_does_not_say(queue, driver, error):
    driver.refuses["g_selection"] = error
    assert queue.visible == Extent(64, 48)
    driver.refuses["g_selection"] = errno.EIO
    with pytest.raises(OSError, match="Input/output"):
        queue.visible  # noqa: B018  # reading it asks the driver


def test_a_mapped_buffer_goes_and_comes_back(queue, kind, driver):
    assert queue.request_mapped(2) == 2
    assert struct.unpack_from("=III", driver.last("reqbufs")) == (2, kind, 1)  # V4L2_MEMORY_MMAP
    queue.mapped(1)[:2] = b"ab"
    queue.queue_mapped(1, 2, stamp=3_999_999)
    asked = driver.last("qbuf")
    assert struct.unpack_from("=II", asked, 0) == (1, kind)
    assert struct.unpack_from("=qq", asked, 24) == (3, 999_999)
    assert struct.unpack_from("=I", asked, 60) == (1,)
    if kind in MPLANE:
        assert struct.unpack_from("=I", asked, 72) == (1,)  # planes
        assert struct.unpack_from("=II", driver.planes, 0) == (2, 4096)
    else:
        assert struct.unpack_from("=I", asked, 8) == (2,)
        assert struct.unpack_from("=I", asked, 72) == (4096,)
    done = queue.dequeue()
    assert (done.index, done.used, done.stamp) == (1, 7, 3_999_999)
    queue.close()


@pytest.mark.parametrize(
    ("flags", "last", "damaged"),
    [(0, False, False), (0x40, False, True), (0x00100000, True, False), (0x00100040, True, True)],
)
def test_what_a_driver_says_of_a_buffer(queue, driver, flags, last, damaged):
    driver.flags = flags
    done = queue.dequeue()
    assert (done.last, done.damaged) == (last, damaged)


def test_after_the_last_buffer_there_is_none(queue, driver):
    driver.refuses["dqbuf"] = errno.EPIPE
    assert queue.dequeue() is None


def test_dma_bufs_are_given_plane_by_plane(queue, kind, driver):
    given = [(7, 4096), (9, 2048)] if kind in MPLANE else [(7, 4096)]
    assert queue.request_dmabuf(3) == 3
    assert struct.unpack_from("=III", driver.last("reqbufs")) == (3, kind, 4)  # V4L2_MEMORY_DMABUF
    queue.queue_dmabuf(2, *zip(*given, strict=True))
    asked = driver.last("qbuf")
    assert struct.unpack_from("=II", asked, 0) == (2, kind)
    assert struct.unpack_from("=I", asked, 60) == (4,)
    if kind in MPLANE:
        assert struct.unpack_from("=I", asked, 72) == (2,)
        for plane, (fd, size) in enumerate(given):
            assert struct.unpack_from("=IIi", driver.planes, PLANE * plane) == (0, size, fd)
    else:
        assert struct.unpack_from("=i", asked, 64) == (7,)
        assert struct.unpack_from("=I", asked, 72) == (4096,)


def test_a_refusal_has_the_drivers_word(queue, driver):
    driver.refuses["qbuf"] = errno.EFAULT
    with pytest.raises(MachineError, match="refuses the buffer: EFAULT") as caught:
        queue.queue_dmabuf(0, [7], [4096])
    assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(OSError, match="Bad address"):
        queue.offer_dmabuf(0, [7], [4096])


def test_memory_is_unmapped_before_the_driver_frees_it(queue, driver):
    queue.request_mapped(1)
    mapping = queue.mapped(0)
    unmapped = []
    driver.streamoff = lambda data: unmapped.append(mapping.closed)
    queue.close()
    assert unmapped == [True]
    assert driver.names[-2:] == ["streamoff", "reqbufs"]
    assert struct.unpack_from("=I", driver.last("reqbufs")) == (0,)


def test_a_device_that_is_gone_is_closed_all_the_same(queue, driver):
    queue.request_mapped(1)
    driver.refuses["streamoff"] = errno.ENODEV
    queue.close()
    queue.close()


@pytest.mark.parametrize("kind", MPLANE)
def test_no_more_planes_are_read_than_there_is_room_for(queue, driver, monkeypatch):
    driver.memory_planes = [(4096, 64)] * 8
    assert len(queue.format.sizes) == 8
    monkeypatch.setattr(driver, "g_fmt", lambda data: too_many(driver, data))
    assert len(queue.format.sizes) == 8


def too_many(driver, data):
    """What a driver says that does not know its own struct."""
    Driver.g_fmt(driver, data)
    data[188] = 9
