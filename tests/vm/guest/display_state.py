"""What the kernel says of vkms while somebody else drives it, through debugfs.

The CRC of a CRTC is over what it shows: vkms makes 16 bits of each of alpha, red, green and
blue, in this order, for each pixel, and runs crc32_le over them from 0, without the usual
inversions (drivers/gpu/drm/vkms/vkms_composer.c). So it can be computed from a picture.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import threading
import time
import zlib
from pathlib import Path

import numpy as np

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


@contextlib.contextmanager
def crcs():
    """The CRCs of the block, one for each frame of the CRTC; empty until it ends."""
    folder = vkms() / "crtc-0" / "crc"
    (folder / "control").write_text("auto")
    seen = []
    with CRCS.open("wb") as file:
        reader = subprocess.Popen(["cat", folder / "data"], stdout=file)
        try:
            yield seen
        finally:
            reader.terminate()
            reader.wait()
    lines = CRCS.read_text().splitlines()
    seen += [int(line.split()[1], 16) for line in lines if len(line.split()) == 2]


class Framebuffers:
    """Samples what is on the primary plane: whether it was imported, and its format.

    A framebuffer of Weston's own was not imported: it is what Weston drew.
    """

    def __init__(self):
        self.imported = 0
        self.own = 0
        self.formats = set()
        self._done = threading.Event()
        self._state = vkms() / "state"
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def _watch(self):
        while not self._done.is_set():
            plane = self._state.read_text().partition("plane[")[2].partition("plane[")[0]
            found = re.search(r"imported=(yes|no)", plane)
            if found:
                self.imported += found[1] == "yes"
                self.own += found[1] == "no"
                self.formats |= set(re.findall(r"format=(\w+)", plane))
            time.sleep(0.1)
