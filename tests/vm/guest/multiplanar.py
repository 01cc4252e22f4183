"""In the guest: a codec whose queues are of several planes, on both compositors.

    multiplanar.py MODULE CLIP

vicodec decodes a real clip into negotiated buffers: what the reference compositor shows is compared
byte by byte, and what a Weston with the module shows by the display's own checksums. Prints one
JSON object.
"""

from __future__ import annotations

import json
import os
import sys

from contiguous_display import ENVIRONMENT, write_policy
from display_state import crc_of
from step_limit import step_limit
from weston import Weston, seat
from weston_play import (
    FWHT,
    SIZE,
    STATELESS_FWHT,
    encode,
    on_reference,
    stepped,
    vicodec,
)

from heapwire.kernel.video.v4l2_device import V4l2Device
from heapwire.protocol.values import Usage


def queues(node):
    """Which queues a codec has, by the kernel's names for their types."""
    fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)
    try:
        device = V4l2Device(fd)
        return [device.output.name, device.capture.name]
    finally:
        os.close(fd)


def main():
    module, clip = sys.argv[1:]
    write_policy()
    with step_limit("encode"):
        pitch, decoded = encode(clip)
    expected = [crc_of(one, pitch, SIZE.width, SIZE.height) for one in decoded]
    told = {}
    with (
        seat(),
        Weston(
            "vm-1", shell="desktop", module=module, size=SIZE, environment=ENVIRONMENT
        ) as weston,
    ):
        for name, coded in (("stateful", FWHT), ("stateless", STATELESS_FWHT)):
            node = vicodec(Usage.DECODE, coded)
            with step_limit(name):
                told[name] = {
                    "queues": queues(node),
                    "reference": on_reference(pitch, decoded, node),
                    "weston": stepped(weston, expected, node),
                }
    print(json.dumps(told))


main()
