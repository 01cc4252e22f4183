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
from limits import PACE, PATIENCE

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
    return _crc(wide)


def crc_of_565(picture, width, height):
    """The same for a picture of RGB565 without padding (vkms_formats.c, RGB565_to_argb_u16)."""
    words = np.frombuffer(picture, "<u2").reshape(height, width)
    wide = np.full((height, width, 4), 0xFFFF, "<u2")
    for part, (down, most) in enumerate(((11, 31), (5, 63), (0, 31)), start=1):
        wide[..., part] = np.rint((words >> down & most) * (65535 / most))
    return _crc(wide)


def _crc(wide):
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

    def wait_for(self, crc, process=None):
        """Whether the display comes to show what has this CRC.

        Where a `process` is to show it, that may begin first, and is not waited for once it ends.
        """
        deadline = time.monotonic() + (30 * PACE if process is None else PATIENCE)
        while self._last() != crc:
            ended = process is not None and process.poll() is not None
            if ended or time.monotonic() > deadline:
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


class Look:
    """A player's `on_progress`, where all that it shows is one picture that stands still.

    `seen` is whether the display shows it, by its CRC, and what is on the plane then. That is
    looked at when the first picture has been handed over; the next one has to wait so long.
    """

    def __init__(self, crcs, crc):
        self.seen = {"on_screen": False}
        self._crcs, self._crc = crcs, crc
        self._done = False

    def __call__(self, _progress):
        if not self._done:
            self._done = True
            self.seen = {"on_screen": self._crcs.wait_for(self._crc), "framebuffer": framebuffer()}


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


def wait_for_import(process):
    """Wait until the primary plane has a client's buffer, or the process for it ends."""
    deadline = time.monotonic() + PATIENCE
    while not framebuffer()["imported"]:
        if process.poll() is not None or time.monotonic() > deadline:
            return
        time.sleep(0.2)
