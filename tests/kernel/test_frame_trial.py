"""A buffer that exists, tried with cards whose kernel answers as the real drivers do."""

import errno
import os
from contextlib import ExitStack

import pytest
from fake_card import NV12, PL111, VKMS, XRGB, FakeCard, FakeDriver

from heapwire.kernel.discovery import takes_frame
from heapwire.kernel.drm import Framebuffer
from heapwire.protocol.values import LINEAR, parse_modifier

TILED = parse_modifier("BROADCOM_VC4_T_TILED")


def told(driver, memories, *, objects=(0,), code=XRGB, modifier=LINEAR, width=640):
    """What a driver says of a frame in memory of these names, of which nothing is left behind."""
    card = FakeCard(driver)
    frame = Framebuffer(
        width=width, height=48, fourcc=code, modifier=modifier, planes=((0, 2560),) * len(objects)
    )
    with ExitStack() as stack:
        fds = [os.memfd_create(memory) for memory in memories]
        for fd in fds:
            stack.callback(os.close, fd)
        with card.open("/dev/null") as opened:
            said = takes_frame(opened, fds, frame, objects)
        assert all(os.fstat(fd) for fd in fds), "they stay the caller's"
    assert card.left == ({}, {}, set())
    return said, card


def test_what_a_driver_takes_and_what_it_does_not(no_fd_left_over):
    assert told(PL111, ["reserved"])[0] is True
    assert told(PL111, ["videobuf2_vmalloc"])[0] is False, "it imports one run of memory only"
    assert told(VKMS, ["videobuf2_vmalloc"])[0] is True
    assert told(VKMS, ["reserved"], width=9000)[0] is False


def test_each_plane_is_in_its_own_memory(no_fd_left_over):
    planar = FakeDriver(formats=(NV12,))
    assert told(planar, ["luma", "chroma"], objects=(0, 1), code=NV12)[0] is True
    said, card = told(planar, ["both"], objects=(0, 0), code=NV12)
    assert said is True
    assert card.asked.count("fd_to_handle") == 1
    half = FakeDriver(formats=(NV12,), imports={"chroma": errno.EINVAL})
    assert told(half, ["luma", "chroma"], objects=(0, 1), code=NV12)[0] is False


@pytest.mark.parametrize("number", [errno.ENOMEM, errno.EACCES])
def test_an_error_of_the_moment_says_nothing(no_fd_left_over, number):
    assert told(FakeDriver(otherwise=number), ["memory"])[0] is None


def test_a_modifier_that_a_card_cannot_be_told_is_not_asked_about(no_fd_left_over):
    assert told(PL111, ["reserved"], modifier=TILED)[0] is None
    assert told(VKMS, ["reserved"], modifier=TILED)[0] is True
