"""V4L2 devices: the structs to the byte, and what they amount to as constraint sets."""

import errno
import struct

import pytest
from ioctl_bytes import ioctl_bytes

from heapwire.kernel.description import DeviceKind
from heapwire.kernel.discovery.codec_sets import codec_sets, nameless_note
from heapwire.kernel.video import FrameSizes, V4l2Device
from heapwire.kernel.video.videodev2 import Capability, Queue
from heapwire.protocol.values import (
    BY_NAME,
    LINEAR,
    REGISTRY,
    FormatModifier,
    Provenance,
    Usage,
    fourcc,
    modifier_name,
)


class Driver:
    """Answers ioctls as a driver would; `userptr` is how vmalloc and dma-contig differ."""

    def __init__(self, caps, *, formats=None, sizes=None, dmabuf=True, userptr=True):
        self.caps = caps
        self.formats = formats or {}
        self.sizes = sizes or {}
        self.buffers = (4 if dmabuf else 0) | (2 if userptr else 0) | 1

    def __call__(self, fd, number, argument):
        data = ioctl_bytes(argument)
        assert number >> 16 & 0x3FFF == len(data)  # the size that the number speaks of
        if number == 0x80685600:  # VIDIOC_QUERYCAP
            struct.pack_into("=16s32s", data, 0, b"test-driver", b"A card")
            struct.pack_into("=II", data, 84, 0x80000000 | 0xFFFF, self.caps)
        elif number == 0xC0405602:  # VIDIOC_ENUM_FMT
            index, queue = struct.unpack_from("=II", data)
            code, compressed = self._at(self.formats.get(queue, ()), index)
            struct.pack_into("=I", data, 8, int(compressed))
            struct.pack_into("=4s", data, 44, code)
        elif number == 0xC02C564A:  # VIDIOC_ENUM_FRAMESIZES
            index, code = struct.unpack_from("=I4s", data)
            size = self._at(self.sizes.get(code, ()), index)
            kind = 1 if len(size) == 2 else 3
            struct.pack_into(f"=I{len(size)}I", data, 8, kind, *size)
        elif number == 0xC0145608:  # VIDIOC_REQBUFS
            count, _, memory = struct.unpack_from("=III", data)
            assert (count, memory) == (0, 4)
            struct.pack_into("=I", data, 12, self.buffers)
        else:
            raise AssertionError(hex(number))
        return 0

    @staticmethod
    def _at(entries, index):
        if index >= len(entries):
            raise OSError(errno.EINVAL, "Invalid argument")
        return entries[index]


DECODER = Driver(
    Capability.VIDEO_M2M_MPLANE | Capability.STREAMING,
    formats={
        Queue.OUTPUT_MPLANE: [(b"H264", True), (b"MPG2", True)],
        Queue.CAPTURE_MPLANE: [(b"NV12", False), (b"NM12", False), (b"YM12", False)],
    },
    sizes={b"H264": [(48, 1920, 16, 48, 1088, 16)], b"MPG2": [(32, 1280, 16, 32, 1280, 8)]},
    userptr=False,
)
CAMERA = Driver(
    Capability.VIDEO_CAPTURE | Capability.STREAMING,
    formats={Queue.CAPTURE: [(b"MJPG", True), (b"YUYV", False), (b"RGB3", False)]},
    sizes={b"YUYV": [(640, 480), (1280, 720)]},
)


def device(driver):
    return V4l2Device(3, driver)


def values(one):
    return {REGISTRY[c.type].name: c.value for c in one.constraints}


def names(one):
    assert all(pair.modifier == LINEAR for pair in one.formats)
    return [struct.pack("=I", pair.fourcc).decode() for pair in one.formats]


def test_a_device_says_what_it_is():
    found = device(DECODER)
    assert (found.driver, found.card) == ("test-driver", "A card")
    assert found.is_memory_to_memory
    assert (found.capture, found.output) == (Queue.CAPTURE_MPLANE, Queue.OUTPUT_MPLANE)
    camera = device(CAMERA)
    assert not camera.is_memory_to_memory
    assert (camera.capture, camera.output) == (Queue.CAPTURE, None)


def test_the_caps_of_the_node_count_not_those_of_the_whole_device():
    assert device(Driver(Capability.VIDEO_OUTPUT)).capture is None


def test_sizes_are_ranges_or_lists():
    (stepwise,) = device(DECODER).frame_sizes(fourcc("H264"))
    assert stepwise == FrameSizes(
        min_width=48, max_width=1920, step_width=16, min_height=48, max_height=1088, step_height=16
    )
    small, large = device(CAMERA).frame_sizes(fourcc("YUYV"))
    assert (small.min_width, small.max_width) == (640, 640)
    assert (large.min_height, large.max_height) == (720, 720)
    assert device(CAMERA).frame_sizes(fourcc("NV12")) == ()


def test_a_list_without_end_is_cut_off():
    class Endless(Driver):
        @staticmethod
        def _at(entries, index):
            return (b"YUYV", False)

    assert len(device(Endless(Capability.VIDEO_CAPTURE)).formats(Queue.CAPTURE)) == 1024


def test_a_driver_that_fails_otherwise_is_an_error():
    class Gone(Driver):
        @staticmethod
        def _at(entries, index):
            raise OSError(errno.ENODEV, "No such device")

    with pytest.raises(OSError, match="No such device"):
        device(Gone(Capability.VIDEO_CAPTURE)).formats(Queue.CAPTURE)


def test_a_decoder_has_a_set_with_a_buffer_for_each_plane_and_one_with_one_for_all():
    told = codec_sets(device(DECODER))
    assert (told.kind, told.usage) == (DeviceKind.DECODER, Usage.DECODE)
    assert told.imports
    assert told.contiguous  # no pointers to user memory: often dma-contig
    apart, together = told.sets
    assert names(apart) == ["NV12", "YU12"]
    assert names(together) == ["NV12"]
    assert {(one.provenance, one.source) for one in told.sets} == {
        (Provenance.KERNEL, "VIDIOC_ENUM_FMT")
    }
    assert "same-buffer" not in values(apart)
    (tie,) = (c for c in together.constraints if c.type == BY_NAME["same-buffer"].type)
    assert (tie.planes, tie.provenance) == (0b11, Provenance.KERNEL)
    assert "adjacent-planes" in values(together)
    assert "adjacent-planes" not in values(apart)


def test_its_sizes_are_those_that_some_bitstream_allows():
    told = codec_sets(device(DECODER))
    assert values(told.sets[0]) == {
        "min-width": 32,
        "max-width": 1920,
        "min-height": 32,
        "max-height": 1280,
        "width-alignment": 16,
        "height-alignment": 8,
    }


def test_a_camera_has_the_formats_that_are_pictures():
    told = codec_sets(device(CAMERA))
    assert (told.kind, told.usage) == (DeviceKind.CAMERA, Usage.CAMERA)
    assert told.imports
    assert not told.contiguous
    (one,) = told.sets
    # V4L2 names RGB by bytes in memory: RGB3 is drm's BGR888.
    assert one.formats == tuple(FormatModifier(fourcc(c), LINEAR) for c in ("YUYV", "BG24"))
    assert values(one)["max-width"] == 1280


def test_pictures_without_a_name_of_drms_are_named_and_tiles_have_a_set():
    driver = Driver(
        Capability.VIDEO_M2M_MPLANE,
        formats={
            Queue.OUTPUT_MPLANE: [(b"S264", True)],
            Queue.CAPTURE_MPLANE: [
                (b"MM21", False), (b"MT21", False), (b"MT2T", False), (b"ST12", False),
                (b"NC12", False), (b"NV12", False),
            ],
        },
    )  # fmt: skip
    told = codec_sets(device(driver))
    shown = [[modifier_name(pair.modifier) for pair in one.formats] for one in told.sets]
    assert shown == [
        ["MTK_16L_32S_TILE"],
        ["BROADCOM_SAND128(0)"],  # chroma is beside luma, not behind it
        ["ALLWINNER_TILED", "LINEAR"],
    ]
    assert ["adjacent-planes" in values(one) for one in told.sets] == [False, False, True]
    note = nameless_note("decoder", told)
    assert note == "decoder writes MT21, MT2T, which have no DRM names"
    assert codec_sets(device(DECODER)).nameless == ()


def test_a_name_says_which_byte_comes_first():
    """V4L2 marks big-endian formats in the highest bit, which is no letter."""
    driver = Driver(
        Capability.VIDEO_CAPTURE, formats={Queue.CAPTURE: [(b"Y14\xa0", False), (b"Y14 ", False)]}
    )
    note = nameless_note("camera", codec_sets(device(driver)))
    assert note == "camera writes Y14-BE, Y14, which have no DRM names"


@pytest.mark.parametrize(
    ("capability", "kind"),
    [
        (Capability.VIDEO_M2M, DeviceKind.CONVERTER),
        (Capability.VIDEO_OUTPUT, DeviceKind.UNKNOWN),  # it sends pictures out, and converts none
        (Capability.STREAMING, DeviceKind.UNKNOWN),  # a node for metadata alone
    ],
)
def test_only_what_makes_pictures_of_pictures_is_a_converter(capability, kind):
    told = codec_sets(device(Driver(capability)))
    assert (told.kind, told.usage) == (kind, None)


def test_an_encoder_is_known_by_what_it_makes():
    told = codec_sets(
        device(
            Driver(
                Capability.VIDEO_M2M,
                formats={
                    Queue.OUTPUT: [(b"NV12", False), (b"YU12", False)],
                    Queue.CAPTURE: [(b"H264", True)],
                },
            )
        )
    )
    assert (told.kind, told.usage) == (DeviceKind.ENCODER, Usage.ENCODE)
    two, three = told.sets  # by number of planes: they are tied differently
    assert (names(two), names(three)) == (["NV12"], ["YU12"])
    ties = [c for c in (*two.constraints, *three.constraints) if c.planes]
    assert [c.planes for c in ties] == [0b11, 0b111]


@pytest.mark.parametrize(
    "driver",
    [
        Driver(Capability.VIDEO_M2M, formats={Queue.OUTPUT: [(b"NV12", False)]}),
        Driver(Capability.VIDEO_OUTPUT, formats={Queue.OUTPUT: [(b"NV12", False)]}),
    ],
)
def test_what_neither_decodes_nor_films_has_no_use(driver):
    assert codec_sets(device(driver)).usage is None


def test_a_queue_without_dma_bufs_does_not_import():
    told = codec_sets(device(Driver(Capability.VIDEO_CAPTURE, dmabuf=False)))
    assert not told.imports


def test_an_old_kernel_that_does_not_say_is_unknown():
    driver = Driver(Capability.VIDEO_CAPTURE)
    driver.buffers = 0
    assert device(driver).buffer_capabilities(Queue.CAPTURE) is None


def test_a_step_of_nothing_is_a_step_of_one():
    driver = Driver(Capability.VIDEO_M2M, sizes={b"H264": [(16, 64, 0, 32, 128, 0)]})
    (size,) = device(driver).frame_sizes(fourcc("H264"))
    assert (size.step_width, size.step_height) == (1, 1)


@pytest.mark.parametrize("error", [errno.EINVAL, errno.ENOTTY, errno.ENODATA, errno.EBUSY])
def test_a_driver_that_does_not_answer_leaves_it_open(error):
    def refuse(fd, number, argument):
        if number == 0x80685600:  # VIDIOC_QUERYCAP
            return DECODER(fd, number, argument)
        raise OSError(error, "no")

    silent = V4l2Device(3, refuse)
    assert silent.buffer_capabilities(Queue.CAPTURE_MPLANE) is None
    assert silent.formats(Queue.CAPTURE_MPLANE) == ()
    assert silent.frame_sizes(fourcc("H264")) == ()


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((1, 1, 1, 1, 1, 1), {"max-width": 1, "max-height": 1}),
        ((2, 4, 2, 2, 4, 2), {
            "min-width": 2, "max-width": 4, "min-height": 2, "max-height": 4,
            "width-alignment": 2, "height-alignment": 2,
        }),
        ((0, 0, 1, 0, 0, 1), {}),
    ],
)  # fmt: skip
def test_numbers_that_limit_nothing_are_left_out(sizes, expected):
    driver = Driver(
        Capability.VIDEO_M2M_MPLANE,
        formats={
            Queue.OUTPUT_MPLANE: [(b"H264", True)], Queue.CAPTURE_MPLANE: [(b"YUYV", False)],
        },
        sizes={b"H264": [sizes]},
    )  # fmt: skip
    (made,) = codec_sets(device(driver)).sets
    assert values(made) == expected
