"""Frames of VP8 whose headers are anything, always the same ones, and what GStreamer reads in them.

What it reads is in vp8_controls.txt, a checksum for each frame, and is made by

    python tests/kernel/vp8_frames.py > tests/kernel/vp8_controls.txt

with the library gstreamer-codecparsers-1.0 and its headers (Debian's
libgstreamer-plugins-bad1.0-dev, 578 MB with what it needs, which is why tests do not want it).
"""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

HERE = Path(__file__).parent
COUNT, EVERY = 400, 9  # frames in all, and after how many there is a key frame
FIRST = 3000  # bytes of the first partition: more than any header has
CONTROL = 1232  # bytes of struct v4l2_ctrl_vp8_frame
STAMPS = slice(-32, -8)


def anything(seed, size):
    """Bytes that are not like each other, and the same everywhere."""
    return hashlib.shake_128(str(seed).encode()).digest(size)


def frame(number):
    """Its headers say whatever they say, and the partitions of coefficients are empty."""
    key = number % EVERY == 0
    profile, shown, *rest = anything(-1 - number, 10)
    tag = (not key) | profile % 4 << 1 | (shown & 1) << 4 | FIRST << 5
    start = b""
    if key:
        width, height = struct.unpack_from("<HH", bytes(rest))
        start = b"\x9d\x01\x2a" + struct.pack("<HH", width | 1, height | 1)
    data = bytearray(anything(number, FIRST))
    data[0] &= 0x7F  # no encoder begins with 255
    return tag.to_bytes(3, "little") + start + bytes(data) + bytes(64)


FRAMES = [frame(number) for number in range(COUNT)]


def checksums(controls):
    """Of each control, without the stamps: they are not in the stream."""
    found = []
    for one in controls:
        assert len(one) == CONTROL
        blank = bytearray(one)
        blank[STAMPS] = bytes(24)
        found.append(f"{zlib.crc32(blank):08x}")
    return found


def by_gstreamer():
    """What GStreamer's parser reads, by vp8_controls.c."""
    packages = ["gstreamer-codecparsers-1.0", "gstreamer-1.0"]
    asked = ["pkg-config", "--cflags", "--libs", *packages]
    flags = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/vp8_controls"
        source = str(HERE / "vp8_controls.c")
        subprocess.run(
            ["cc", "-Wall", "-Wextra", "-DGST_USE_UNSTABLE_API", source, *flags, "-o", program],
            check=True,
        )
        given = b"".join(struct.pack("=I", len(one)) + one for one in FRAMES)
        done = subprocess.run([program], input=given, capture_output=True, check=True)
    return [done.stdout[at : at + CONTROL] for at in range(0, len(done.stdout), CONTROL)]


if __name__ == "__main__":
    sums = checksums(by_gstreamer())
    for at in range(0, len(sums), 8):
        sys.stdout.write(" ".join(sums[at : at + 8]) + "\n")
