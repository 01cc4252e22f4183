"""Pictures of videotestsrc's, and their checksums on the screen."""

from __future__ import annotations

import subprocess
import zlib
from pathlib import Path

from heapwire.protocol.values import Extent

SIZE = Extent(640, 480)
CAPS = f"video/x-raw,format=BGRx,width={SIZE.width},height={SIZE.height}"
BALL = f"videotestsrc pattern=ball ! {CAPS}"
COPIED = "identity drop-allocation=true ! "
GREEN, BLUE = (0, 255, 0), (0, 0, 255)

PROGRAMS = (
    *("wayland-scanner", "cc", "pkg-config", "wayland-protocols.pc", "wayland-client.pc"),
    *("gstreamer-video-1.0.pc", "gstreamer-allocators-1.0.pc", "gst-inspect-1.0"),
    "videotestsrc.gst",
)


def solid(colour: tuple[int, int, int], extent: Extent = SIZE) -> int:
    """The checksum of a picture in one colour."""
    return zlib.crc32(bytes(colour) * (extent.width * extent.height))


def counted(number: int) -> str:
    """The moving ball, and its end."""
    return BALL.replace("pattern", f"num-buffers={number} pattern")


def balls(tmp_path: Path, number: int) -> list[int]:
    """The checksums of the first pictures of the moving ball."""
    file = tmp_path / "pictures"
    words = f"{counted(number)} ! filesink location={file}"
    subprocess.run(["gst-launch-1.0", "-q", *words.split()], check=True)
    data = file.read_bytes()
    size = SIZE.width * SIZE.height * 4
    crcs = []
    for at in range(0, number * size, size):
        rgb = bytearray(size // 4 * 3)
        for channel in range(3):
            rgb[channel::3] = data[at + 2 - channel : at + size : 4]
        crcs.append(zlib.crc32(rgb))
    return crcs


def expect_copies(stage, tmp_path: Path) -> None:
    """Pictures in memory of upstream's own are shown, and each copy is counted."""
    [first] = balls(tmp_path, 1)
    with stage.playing(f"{BALL} ! {COPIED}heapwiresink name=sink") as playing:
        playing.until(lambda: first in stage.crcs(), "the picture")
        stats = playing.stats()
        assert playing.end() == 0
    copies = int(stats["copies"])
    assert copies >= int(stats["shown"]) > 0
    assert int(stats["copied-bytes"]) == copies * SIZE.width * SIZE.height * 4
