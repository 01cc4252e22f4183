"""vivid's cameras, whose pictures stand still, and the checksums that these have on a screen."""

from __future__ import annotations

import fcntl
import struct
import zlib
from contextlib import ExitStack
from pathlib import Path

import v4l2
from display_state import crc_of

from heapwire.kernel.memory import CpuAccess
from heapwire.protocol.values import Extent

SIZE = Extent(640, 480)  # a mode that vkms has, and a size that vivid has
PITCH = 4 * SIZE.width
VIDIOC_S_CTRL = 0xC008561C
# vivid-ctrls.c: VIVID_CID_OSD_TEXT_MODE is VIVID_CID_VIVID_BASE + 1; its last choice is no text.
VIVID_CID_OSD_TEXT_MODE, NO_TEXT = 0x00F0F001, 2


def cameras():
    """The nodes of vivid, by what allocates for them."""
    names = Path("/sys/class/video4linux").glob("video*/name")
    nodes = [f"/dev/{one.parent.name}" for one in names if "vid-cap" in one.read_text()]
    return {v4l2.allocator(node): node for node in sorted(nodes)}


def picture_of(node, platform):
    """What a camera sees from now on, always the same: XRGB8888."""
    with ExitStack() as stack:
        video = stack.enter_context(v4l2.opened(node))
        fcntl.ioctl(video, VIDIOC_S_CTRL, struct.pack("Ii", VIVID_CID_OSD_TEXT_MODE, NO_TEXT))
        (size,) = v4l2.set_format(video, SIZE.width, SIZE.height, "XR24")
        source = platform.source("reserved").id
        buffers = [stack.enter_context(platform.memory.allocate(source, size)) for _ in range(3)]
        *_, last = v4l2.capture(video, [one.fd for one in buffers], size, 3)
        with buffers[last].map(CpuAccess.READ) as view:
            return bytes(view[: PITCH * SIZE.height])


def screen_crc(picture):
    """What vkms has for a picture that fills it."""
    return crc_of(picture, PITCH, SIZE.width, SIZE.height)


def colours(picture):
    """The checksum of red, green and blue, as the reference compositor records it."""
    rgb = bytearray(len(picture) // 4 * 3)
    rgb[0::3], rgb[1::3], rgb[2::3] = picture[2::4], picture[1::4], picture[0::4]
    return zlib.crc32(rgb)
