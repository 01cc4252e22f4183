"""In the guest: cameras on the reference compositor and on Weston, live.

    camera_play.py MODULE

Shows the emulated USB camera, whose pictures are known to the byte, and vivid, whose bars are, on
the reference compositor; and vivid with `heapwire camera` on Weston with the module and without.
Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

import camera
import numpy as np
from limits import PATIENCE
from observe import node_named, plugged
from step_limit import step_limit
from weston import Weston, seat

from heapwire.client_lib import CameraMaterial, Player, PlayOptions
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.discovery import local_platform
from heapwire.kernel.video import CaptureMemory
from heapwire.protocol.values import Extent, parse_fourcc

FRAMES = 8
VIVID_SIZE = Extent(640, 480)
INI = """
[output]
name=Virtual-1
mode=640x480

[shell]
startup-animation=none
close-animation=none
locking=false
"""


def on_reference(node, size, look, *, way, code):
    """What `look` makes of each picture on the screen, and what the player says."""
    platform = local_platform()
    seen = []
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/screen"
        compositor = Compositor(
            platform,
            size=size,
            socket=socket,
            on_frame=lambda record, pixels: seen.append(look(pixels())),
        )
        with compositor, compositor.running():
            material = CameraMaterial(
                platform, node, extent=size, formats=[parse_fourcc(code)], way=way
            )
            result = Player(
                material,
                display=compositor.connect(),
                platform=platform,
                options=PlayOptions(frames=FRAMES, fullscreen=True, timeout=PATIENCE),
            ).play()
    return {
        "seen": seen,
        "shown": result.frames.shown,
        "copied": result.bytes_copied_per_frame,
        "faults": list(result.faults),
    }


def whole(pixels):
    """The number of the emulated camera's picture, and whether all of it is as it was sent."""
    red, green, blue = (pixels[..., part].astype(np.uint16) for part in range(3))
    words = red >> 3 << 11 | green >> 2 << 5 | blue >> 3
    data = words.astype("<u2").tobytes()
    number = int.from_bytes(data[:2], "little")
    return [number, data == camera.frame(number)]


def bars(pixels):
    """The colours in the middle of vivid's eight bars, below its text."""
    row = pixels[3 * VIVID_SIZE.height // 4]
    return [[int(code) for code in row[(2 * bar + 1) * 40, :3]] for bar in range(8)]


def usb():
    with plugged(1):
        node = node_named(camera.NAME)
        size = Extent(camera.WIDTH, camera.HEIGHT)
        return on_reference(node, size, whole, way=CaptureMemory.IMPORTED, code="RGB565")


def vivid():
    node = node_named("vivid-000-vid-cap")
    return {
        way.value: on_reference(node, VIVID_SIZE, bars, way=way, code="XRGB8888")
        for way in CaptureMemory
    }


def command(weston):
    """What `heapwire camera` says."""
    words = [sys.executable, "-m", "heapwire.cli.main", "camera", node_named("vivid-000-vid-cap")]
    words += ["--size", str(VIVID_SIZE), "--format", "XRGB8888", "--fullscreen", "--json"]
    words += ["--frames", "24", "--timeout", str(PATIENCE), "--buffers", "imported"]
    environment = {**os.environ, "WAYLAND_DISPLAY": weston.socket}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": done.stdout + done.stderr + weston.log[-2000:]}
    return json.loads(done.stdout)


def main():
    told = {}

    def timed(name, step, *arguments):
        with step_limit(name):
            told[name] = step(*arguments)
        print(name, file=sys.stderr, flush=True)

    timed("usb", usb)
    timed("vivid", vivid)
    with seat():
        for name, module in (("module", sys.argv[1]), ("stock", None)):
            with Weston(f"vm-{name}", shell="kiosk", module=module, ini=INI) as weston:
                timed(name, command, weston)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
