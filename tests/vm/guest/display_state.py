"""What the kernel says of vkms while somebody else drives it, through debugfs.

The CRC of a CRTC is over what it shows: vkms makes 16 bits of each of alpha, red, green and
blue, in this order, for each pixel, and runs crc32_le over them from 0, without the usual
inversions (drivers/gpu/drm/vkms/vkms_composer.c). So it can be computed from a picture.
"""

from __future__ import annotations

import re
import subprocess
import time
import zlib
from pathlib import Path

import numpy as np
from limits import PACE

DEBUGFS = Path("/sys/kernel/debug/dri")
CRCS = Path("/tmp/crcs")


def vkms():
    """The debugfs folder of vkms."""
    return next(
        entry
        for entry in DEBUGFS.iterdir()
        if entry.name.isdigit() and (entry / "name").read_text().startswith("vkms")
    )


def crc_of(picture, pitch, width, height):
    """The CRC that vkms has for a picture of XRGB8888 that fills its CRTC."""
    rows = np.frombuffer(picture, np.uint8)[: pitch * height].reshape(height, pitch)
    pixels = rows[:, : width * 4].reshape(height, width, 4)
    wide = np.full((height, width, 4), 0xFFFF, "<u2")
    wide[..., 1:] = pixels[..., 2::-1].astype("<u2") * 257
    return zlib.crc32(wide.tobytes(), 0xFFFFFFFF) ^ 0xFFFFFFFF


class Crcs:
    """The CRCs of what the CRTC shows, for the time of a block."""

    def __enter__(self):
        folder = vkms() / "crtc-0" / "crc"
        (folder / "control").write_text("auto")
        self._file = CRCS.open("wb")
        self._reader = subprocess.Popen(["cat", folder / "data"], stdout=self._file)
        return self

    def __exit__(self, *_):
        self._reader.terminate()
        self._reader.wait()
        self._file.close()

    def wait_for(self, crc):
        """Whether the display comes to show what has this CRC."""
        deadline = time.monotonic() + 30 * PACE
        while self._last() != crc:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def wait_for_several(self, crcs, count):
        """Whether the display comes to show so many of these.

        vkms leaves out frames while it works out a CRC, so how many of some it has is luck.
        """
        deadline = time.monotonic() + 30 * PACE
        while len(crcs.intersection(crcs_seen())) < count:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        return True

    def _last(self):
        """The last whole line has the number of a frame and its CRC."""
        lines = CRCS.read_text().split("\n")[:-1]
        return int(lines[-1].split()[1], 16) if lines else None


def crcs_seen():
    """All CRCs of the last time that they were looked at."""
    return {int(line.split()[1], 16) for line in CRCS.read_text().split("\n")[:-1]}


def framebuffer():
    """What is on the primary plane, as the kernel has it: its format, and if it was imported.

    A framebuffer that was not is one of Weston's own, with what Weston has drawn.
    """
    plane = (vkms() / "state").read_text().partition("plane[")[2].partition("plane[")[0]
    return {
        "format": re.search(r"format=(\w+)", plane)[1],
        "imported": "imported=yes" in plane,
    }
