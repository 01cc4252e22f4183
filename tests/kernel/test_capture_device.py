"""An open camera: what it asks of the driver, and what a person is told when it refuses."""

from __future__ import annotations

import errno
import os

import pytest

from heapwire.kernel.video import CaptureDevice, CaptureMemory, Queue, videodev2
from heapwire.kernel.video.v4l2_colours import v4l2_colour
from heapwire.protocol import MachineError, NotPossibleError
from heapwire.protocol.values import ColourEncoding, ColourRange, Extent, fourcc

SIZE = Extent(640, 480)


class Driver:
    """Answers as vivid would with some formats; `refuses` has an errno by the ioctl's number."""

    def __init__(self, *, formats=("YUYV", "RGB3"), queue=Queue.CAPTURE, capabilities=0x1):
        self.formats = formats
        self.queue = queue
        self.capabilities = capabilities
        self.compressed = ()
        self.refuses = {}
        self.calls = []
        self.buffers = 0

    def __call__(self, fd, number, argument):
        self.calls.append(number)
        if number in self.refuses:
            raise OSError(self.refuses[number], os.strerror(self.refuses[number]))
        if number == videodev2.QUERYCAP:
            argument.card = b"a camera"
            argument.capabilities = self.capabilities
        elif number == videodev2.ENUM_FMT:
            if argument.index >= len(self.formats):
                raise OSError(errno.EINVAL, "the end")
            name = self.formats[argument.index]
            argument.pixelformat = fourcc(name)
            argument.flags = videodev2.FMT_FLAG_COMPRESSED if name in self.compressed else 0
        elif number == videodev2.REQBUFS:
            self.buffers = argument.count
        elif number == videodev2.S_FMT and self.buffers:
            raise OSError(errno.EBUSY, "Device or resource busy")  # vivid_s_fmt_vid_cap
        if number in (videodev2.G_FMT, videodev2.TRY_FMT, videodev2.S_FMT):
            pix = argument.fmt.pix
            if number == videodev2.G_FMT:
                pix.width, pix.height, pix.pixelformat = 640, 480, fourcc("YUYV")
                pix.colorspace = 3
            size = 3 if pix.pixelformat == fourcc("RGB3") else 2
            pix.bytesperline = pix.width * size
            pix.sizeimage = pix.bytesperline * pix.height
        return 0


@pytest.fixture
def opened():
    fds = []

    def open_(driver):
        def node(path, flags):
            fds.append(os.open("/dev/null", flags))
            return fds[-1]

        return CaptureDevice("/dev/video9", call=driver, opened=node)

    yield open_
    for fd in fds:
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(fd)


def test_it_lays_out_each_format_at_one_size(opened):
    with opened(Driver()) as camera:
        assert camera.name == "a camera"
        told = {one.fourcc: (one.extent, one.pitches) for one in camera.layouts()}
        assert told == {fourcc("YUYV"): (SIZE, (1280,)), fourcc("RGB3"): (SIZE, (1920,))}
        wide = camera.layouts(Extent(800, 600))
        assert {one.extent for one in wide} == {Extent(800, 600)}
        assert camera.colour == (ColourEncoding.BT709, ColourRange.LIMITED)


def test_one_that_makes_bitstreams_only_names_them(opened):
    driver = Driver(formats=("MJPG", "H264"))
    driver.compressed = driver.formats
    with opened(driver) as camera, pytest.raises(NotPossibleError, match="only MJPG, H264"):
        camera.layouts()


@pytest.mark.parametrize("memory", CaptureMemory)
def test_one_in_use_says_what_to_do(opened, memory):
    driver = Driver()
    with opened(driver) as camera:
        layout = camera.layouts()[0]
        driver.refuses = {videodev2.REQBUFS: errno.EBUSY}
        with pytest.raises(MachineError, match="/dev/video9: another program uses it"):
            camera.set_up(layout, 2, memory)


def test_it_can_be_set_up_anew_before_it_has_begun(opened):
    """As when its own buffers are no good for the display."""
    with opened(Driver()) as camera:
        for memory in (CaptureMemory.EXPORTED, CaptureMemory.IMPORTED):
            assert camera.set_up(camera.layouts()[0], 3, memory) == 3


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EACCES, "join the group"),
        (errno.ENOENT, "no such device"),
        (errno.ENODEV, "it is gone"),
    ],
)
def test_one_that_cannot_be_opened_says_why(number, told):
    def refuse(path, flags):
        raise OSError(number, os.strerror(number))

    with pytest.raises(MachineError, match=told):
        CaptureDevice("/dev/video9", opened=refuse)


@pytest.mark.parametrize("capabilities", [0x2, 0x4000, 0x8000])
def test_what_captures_nothing_is_no_camera(opened, capabilities):
    with pytest.raises(MachineError, match="/dev/video9 is no camera"):
        opened(Driver(capabilities=capabilities))


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ((3, 0, 0), (ColourEncoding.BT709, ColourRange.LIMITED)),
        ((8, 0, 0), (ColourEncoding.BT601, ColourRange.LIMITED)),
        ((7, 0, 0), (ColourEncoding.BT601, ColourRange.FULL)),
        ((7, 0, 2), (ColourEncoding.BT601, ColourRange.LIMITED)),
        ((10, 0, 0), (ColourEncoding.BT2020, ColourRange.LIMITED)),
        ((8, 2, 1), (ColourEncoding.BT709, ColourRange.FULL)),
        ((0, 0, 0), (ColourEncoding.BT601, ColourRange.LIMITED)),
    ],
)
def test_colours_are_those_of_the_header(numbers, told):
    assert v4l2_colour(*numbers) == told
