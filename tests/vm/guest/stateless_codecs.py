"""In the guest: GStreamer's decoders for drivers that parse nothing, into heapwiresink.

    stateless_codecs.py FOLDER MODULE CLIP...

FOLDER has the plugin, and tests/gstreamer/play.c as `play`. The driver is visl, which decodes
nothing: its pictures say what it was told. Each clip, named after its codec, is decoded into a
file, then shown on the reference compositor, and in a stock Weston with the module. What is parsed
here is also played by the player, into negotiated buffers. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from gstreamer import playing
from limits import PATIENCE
from played import played
from step_limit import step_limit
from visl_log import VislLog
from weston import Weston, seat

from heapwire.client_lib import Player, PlayOptions
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.discovery import local_platform
from heapwire.protocol.values import Extent

# An emulated processor draws each picture, and compares it: a quarter of what Weston's screen has.
SIZE, SCREEN = Extent(320, 240), Extent(640, 480)
PICTURE = SIZE.width * SIZE.height * 3 // 2  # bytes of NV12
# By codec, what makes of a Matroska file's packets what the decoder wants, and the decoder.
ELEMENTS = {
    "h264": "h264parse ! v4l2slh264dec",
    "hevc": "h265parse ! v4l2slh265dec",
    "vp8": "v4l2slvp8dec",
    "vp9": "vp9parse ! v4l2slvp9dec",
    "mpeg2": "mpegvideoparse ! v4l2slmpeg2dec",
}
PARSED_HERE = ("vp8",)
# However slow the guest is, each picture is shown.
UNHURRIED = "sync=false qos=false"


def source_of(clip):
    return f"filesrc location={clip} ! matroskademux ! {ELEMENTS[clip.stem]}"


def decoded(clip):
    """The pictures that the decoder gives to who writes them down, in RGB; what visl was told."""
    out = Path(f"/tmp/{clip.stem}.nv12")
    with VislLog() as log:
        subprocess.run(
            ["gst-launch-1.0", "-q", *source_of(clip).split(), "!", "filesink", f"location={out}"],
            check=True,
            timeout=PATIENCE,
        )
        told = log.frames()
    # One of several slices is told of in as many pieces.
    told = list({one["stamp"]: one for one in told}.values())
    data = np.frombuffer(out.read_bytes(), np.uint8)
    assert data.size % PICTURE == 0
    return [rgb(one) for one in data.reshape(-1, PICTURE)], told


def rgb(picture):
    """NV12 as BT.601 of limited range has it in RGB, a pixel's chroma that of its block."""
    rows, columns = SIZE.height, SIZE.width
    luma = (picture[: rows * columns].reshape(rows, columns) - 16.0) * 255 / 219
    chroma = picture[rows * columns :].reshape(rows // 2, columns // 2, 2)
    blue, red = (
        chroma[..., part].repeat(2, 0).repeat(2, 1).astype(float) - 128 for part in range(2)
    )
    blue, red = blue * 255 / 224, red * 255 / 224
    green = luma - (0.114 * 1.772 * blue + 0.299 * 1.402 * red) / 0.587
    return np.dstack((luma + 1.402 * red, green, luma + 1.772 * blue)).clip(0, 255)


def alike(pixels, pictures):
    """Which of these pictures is on the screen, and how far from it any pixel is."""
    unlike = [np.abs(pixels[..., :3] - one) for one in pictures]
    number = int(np.argmin([one.sum() for one in unlike]))
    return number, float(unlike[number].max())


def on_reference(play, platform, clip, pictures):
    """What was seen of each frame, and what the sink says of itself."""
    seen = []

    def look(_record, pixels):
        seen.append(alike(pixels(), pictures))

    with (
        Compositor(platform, socket=clip.stem, size=SIZE, on_frame=look) as compositor,
        compositor.running(),
        playing(play, source_of(clip), clip.stem, UNHURRIED) as (process, run),
    ):
        run["ended"] = process.stdout.readline()
        deadline = time.monotonic() + PATIENCE
        while not (seen and seen[-1][0] == len(pictures) - 1) and time.monotonic() < deadline:
            time.sleep(0.1)  # the last one waits until the one before is on the screen
    return {**run, "seen": seen}


def by_the_player(platform, clip):
    """The same by the player's own parser: what visl was told, and what came to the screen."""
    [visl] = [one for one in platform.devices if one.driver == "visl"]
    seen = []
    with (
        Compositor(platform, size=SIZE, on_frame=lambda *_: seen.append(1)) as compositor,
        compositor.running(),
        VislLog() as log,
    ):
        result = Player(
            clip,
            display=compositor.connect(),
            platform=platform,
            options=PlayOptions(fullscreen=True, paced=False, timeout=PATIENCE, decoder=visl.name),
        ).play()
        told = log.frames()
    return {**played(result), "told": told, "screens": len(seen), "decoder": result.decoder}


def main():
    plugins, module, *clips = sys.argv[1:]
    play = f"{plugins}/play"
    os.environ |= {"GST_PLUGIN_PATH": plugins, "GST_REGISTRY": "/tmp/gstreamer-registry"}
    platform = local_platform()
    told = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        for clip in map(Path, clips):
            with step_limit(clip.stem):
                pictures, frames = decoded(clip)
                shown = on_reference(play, platform, clip, pictures)
                told[clip.stem] = {"pictures": len(pictures), "told": frames, "reference": shown}
                if clip.stem in PARSED_HERE:
                    told[clip.stem]["player"] = by_the_player(platform, clip)
            print(clip.stem, file=sys.stderr, flush=True)
    with seat(), Weston("vm-1", shell="kiosk", module=module, size=SCREEN) as weston:
        weston.connect().close()
        for clip in map(Path, clips):
            with (
                step_limit(f"{clip.stem} on Weston"),
                playing(play, source_of(clip), weston.socket, UNHURRIED) as (process, run),
            ):
                run["ended"] = process.stdout.readline()
            told[clip.stem]["weston"] = run
    print(json.dumps(told))


main()
