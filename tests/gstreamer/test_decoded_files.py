"""A file that GStreamer decodes by itself, into the buffers that are shown."""

from __future__ import annotations

import av
import numpy as np
import pytest
from coded_clip import coded_clip
from patience import turns
from pictures import PROGRAMS

pytestmark = pytest.mark.system(*PROGRAMS, "vp8dec.gst")

SIZE, PICTURES = (640, 480), 50
LEVELS = 2  # of 255, of YCbCr that is shown in RGB


def rgb(picture: av.VideoFrame) -> np.ndarray:
    """4:2:0 as BT.601 of limited range has it in RGB, a pixel's chroma that of its block."""
    luma, blue, red = (
        np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:, : plane.width].astype(float)
        for plane in picture.planes
    )
    luma = (luma - 16) * 255 / 219
    blue, red = ((one.repeat(2, 0).repeat(2, 1) - 128) * 255 / 224 for one in (blue, red))
    green = luma - (0.114 * 1.772 * blue + 0.299 * 1.402 * red) / 0.587
    return np.dstack((luma + 1.402 * red, green, luma + 1.772 * blue)).clip(0, 255)


def test_a_file_is_decoded_into_the_buffers_that_are_shown(stage, tmp_path) -> None:
    """Late ones too, of a window that becomes the whole screen; the last is FFmpeg's last."""
    clip = coded_clip(tmp_path / "a.webm", "libvpx", {}, size=SIZE, pictures=PICTURES)
    with av.open(str(clip)) as container:
        *_, last = map(rgb, container.decode(video=0))

    def is_last() -> bool:
        return bool(np.abs(stage.compositor.screenshot()[..., :3] - last).max() <= LEVELS)

    pipeline = f"filesrc location={clip} ! decodebin ! heapwiresink name=sink qos=false"
    with stage.playing(f"{pipeline} max-lateness=-1") as playing:
        playing.until(stage.frames, "a picture")
        playing.tell("set sink fullscreen true")
        for _ in turns(9, "pictures on the whole screen"):
            playing.hear("eos")
            playing.until(is_last, "the last one")
            if stage.frames()[-1].scanned_out:
                break
            playing.tell("seek")
        stats = playing.stats()
        assert playing.end() == 0
    assert (stats["copies"], stats["copied-bytes"]) == ("0", "0")
    before, after = stage.frames()[0], stage.frames()[-1]
    assert (before.scanned_out, before.sources) == (False, ("system",))
    assert (after.scanned_out, after.sources) == (True, ("linux,cma",))
