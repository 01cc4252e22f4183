"""In the guest: a camera of libcamera's in negotiated buffers, on the screen.

    libcamera.py CAMERA MODULE FOLDER

CAMERA is `libcamera_camera.cpp`, compiled. What libcamera sees is the emulated USB camera, whose
pictures are known to the byte. It is shown on the reference compositor, and, standing still, on a
stock Weston with the module, whose display takes one run of memory, and tells what it shows. FOLDER
has the plugin of GStreamer's, and tests/gstreamer/play.c as `play`: libcamera's own element shows
the pictures too, in the memory that libcamera has. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import camera
import numpy as np
from camera_play import whole
from contiguous_display import ENVIRONMENT, contiguous_platform, write_policy
from display_state import Crcs, Look, crc_of_565
from gstreamer import PICTURES, playing
from limits import PATIENCE
from observe import node_named, plugged
from played import played
from step_limit import step_limit
from weston import Weston, seat

from heapwire.client_lib import CameraMaterial, Player, PlayOptions
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.discovery import local_platform
from heapwire.kernel.video import CaptureMemory, Dequeued, QueueFormat
from heapwire.protocol.values import ColourEncoding, ColourRange, Extent, fourcc, parse_fourcc

CONTROLLER = Path("/sys/devices/platform/dummy_hcd.0")
SIZE = Extent(camera.WIDTH, camera.HEIGHT)
MODE = Extent(640, 480)
FRAMES = 8
RGBP, RG16 = fourcc("RGBP"), "RG16"  # RGB565 as V4L2 calls it, and as libcamera does


def name_the_controller():
    """Give the camera's USB controller the path that a board's firmware has for it.

    libcamera makes the id of a USB camera from the path in ACPI or in the device tree of what it is
    plugged into, and leaves out a camera that has none (libcamera 0.0.3, uvcvideo.cpp, generateId).
    dummy_hcd is no board's: so its folder in sysfs is covered by one that has such a path, and the
    USB bus as it was. It stays so for as long as the guest runs.
    """
    [bus] = CONTROLLER.glob("usb*")
    cover = Path(tempfile.mkdtemp())
    path = cover / "firmware_node" / "path"
    path.parent.mkdir()
    path.write_text("\\_SB_.USB0\n")
    (cover / bus.name).mkdir()
    subprocess.run(["mount", "--bind", bus, cover / bus.name], check=True)
    subprocess.run(["mount", "--rbind", cover, CONTROLLER], check=True)


class LibcameraDevice:
    """Has the methods of `CaptureDevice` that the player calls, and libcamera behind them."""

    name = "libcamera"
    colour = (ColourEncoding.UNSPECIFIED, ColourRange.UNSPECIFIED)

    def __init__(self, program, node):
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen([program, node], stdin=theirs)
        self._memory = {}
        self.given = 0

    def close(self):
        self._socket.close()
        assert self._process.wait(PATIENCE) == 0

    def fileno(self):
        return self._socket.fileno()

    def layouts(self, extent=None):
        size = extent or SIZE
        _, code, *numbers = self._asked(f"configure {RG16} {size.width} {size.height}").split()
        assert code == RG16
        width, height, stride, length = map(int, numbers)
        return (QueueFormat(RGBP, Extent(width, height), (stride,), (length,)),)

    def with_pitch(self, layout, pitch):
        return layout

    def set_up(self, layout, slots, memory):
        assert memory is CaptureMemory.IMPORTED
        assert self._asked(f"start {slots}") == "started 0"
        return slots

    def give(self, slot, objects):
        (memory,) = objects
        words = f"queue {slot} {memory.size}".encode()
        known = self._memory.get(slot) is memory
        self._memory[slot] = memory
        socket.send_fds(self._socket, [words], [] if known else [memory.fd])
        self.given += 1

    def take(self):
        if not select.select([self._socket], [], [], 0)[0]:
            return None
        word, *numbers = self._heard().split()
        assert word == "done"
        slot, status, sequence, stamp, used = map(int, numbers)
        return Dequeued(
            index=slot, used=used, stamp=stamp, last=False, damaged=status != 0, sequence=sequence
        )

    def _asked(self, words):
        self._socket.send(words.encode())
        return self._heard()

    def _heard(self):
        heard = self._socket.recv(256).decode()
        assert heard, f"libcamera has ended with {self._process.wait(PATIENCE)}"
        return heard


def shown(program, platform, display, look=None):
    node = node_named(camera.NAME)
    material = CameraMaterial(
        platform,
        node,
        extent=SIZE,
        formats=[parse_fourcc("RGB565")],
        way=CaptureMemory.IMPORTED,
        opened=lambda _: LibcameraDevice(program, node),
    )
    options = PlayOptions(frames=FRAMES, fullscreen=True, timeout=PATIENCE)
    result = Player(
        material, display=display, platform=platform, options=options, on_progress=look
    ).play()
    return {
        **played(result),
        "sources": [platform.source_name(one.source) for one in result.plan.layout.objects],
    }


def on_reference(program):
    platform = contiguous_platform()
    seen = []
    with tempfile.TemporaryDirectory() as folder:
        compositor = Compositor(
            platform,
            size=SIZE,
            socket=f"{folder}/screen",
            on_frame=lambda record, pixels: seen.append(whole(pixels())),
        )
        with compositor, compositor.running():
            return {**shown(program, platform, compositor.connect()), "seen": seen}


def on_weston(program, module):
    crc = crc_of_565(camera.frame(0), SIZE.width, SIZE.height)
    with (
        seat(),
        Weston("vm-1", shell="kiosk", module=module, size=MODE, environment=ENVIRONMENT) as weston,
        Crcs() as crcs,
    ):
        look = Look(crcs, crc)
        return {**shown(program, local_platform(), weston.socket, look), **look.seen}


def rgb(picture):
    """YUYV as BT.601 of limited range has it in RGB, two pixels with the same chroma."""
    pairs = np.frombuffer(picture, np.uint8).reshape(SIZE.height, SIZE.width // 2, 4).astype(float)
    luma = (pairs[..., ::2].reshape(SIZE.height, SIZE.width) - 16) * 255 / 219
    blue, red = ((pairs[..., part].repeat(2, 1) - 128) * 255 / 224 for part in (1, 3))
    green = luma - (0.114 * 1.772 * blue + 0.299 * 1.402 * red) / 0.587
    return np.dstack((luma + 1.402 * red, green, luma + 1.772 * blue)).clip(0, 255)


def by_gstreamer(folder):
    """`libcamerasrc ! heapwiresink` on the reference compositor, without a policy.

    How far any pixel is from the camera's, for each frame.
    """
    os.environ |= {"GST_PLUGIN_PATH": folder, "GST_REGISTRY": "/tmp/gstreamer-registry"}
    source = f"libcamerasrc ! video/x-raw,format=YUY2,width={SIZE.width},height={SIZE.height}"
    wanted = rgb(camera.frame(0))
    unlike = []

    def look(_record, pixels):
        unlike.append(float(np.abs(pixels()[..., :3] - wanted).max()))

    with tempfile.TemporaryDirectory() as runtime:
        os.environ["XDG_RUNTIME_DIR"] = runtime
        with (
            Compositor(local_platform(), socket="gst", size=SIZE, on_frame=look) as compositor,
            compositor.running(),
            playing(f"{folder}/play", source, "gst") as (process, run),
        ):
            deadline = time.monotonic() + PATIENCE
            while len(unlike) < PICTURES and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
    return {**run, "unlike": unlike}


def main():
    program, module, folder = sys.argv[1:]
    write_policy()
    told = {}

    def timed(name, step, *arguments):
        with step_limit(name):
            told[name] = step(*arguments)
        print(name, file=sys.stderr, flush=True)

    # libcamera looks for what udev has looked at.
    settle = ["udevadm", "settle"]
    with plugged(1):
        subprocess.run(settle, check=True)
        name_the_controller()
        timed("reference", on_reference, program)
    os.environ["CAMERA_STILL"] = "1"
    with plugged(1):
        subprocess.run(settle, check=True)
        timed("weston", on_weston, program, module)
        timed("gstreamer", by_gstreamer, folder)
    print(json.dumps(told))


main()
