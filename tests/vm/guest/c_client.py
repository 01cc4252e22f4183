"""In the guest: the C client's examples with real heaps and cameras, and what is on the screen.

    c_client.py SHOW_ONE_BUFFER PLAYER MODULE

Both programs run on the reference compositor, and in a stock Weston with the module, on vkms.
Of the cameras, which are vivid's, one takes contiguous memory alone; their pictures stand still.
Prints one JSON object.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time

from display_state import Crcs, crcs_seen, framebuffer
from limits import PATIENCE
from step_limit import step_limit
from still_cameras import PITCH, SIZE, cameras, colours, picture_of, screen_crc
from weston import Weston, seat

from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.discovery import local_platform
from heapwire.protocol.values import Extent

WINDOW = Extent(640, 360)  # what show_one_buffer shows, in one grey
GREY = 0xA0
PICTURES = 30
SEVERAL = 5  # pictures of the player's own that a CRC of the screen is waited for


def drawn(number):
    """A picture of the player's own: a row is one grey, and each picture begins a row later."""
    return b"".join(bytes([(row + number) & 0xFF]) * PITCH for row in range(SIZE.height))


def ran(*command, socket):
    """What a program that ends by itself came to."""
    done = subprocess.run(
        command,
        env={**os.environ, "WAYLAND_DISPLAY": socket},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return {"status": done.returncode, "errors": done.stderr}


@contextlib.contextmanager
def running(*command, socket):
    """A program that shows something until it is killed."""
    process = subprocess.Popen(
        command,
        env={**os.environ, "WAYLAND_DISPLAY": socket},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def errors_of(process):
    """What a program has said that has ended; nothing of one that goes on."""
    return "" if process.poll() is None else process.stderr.read()


def on_reference(show, player, platform, nodes):
    """Each program on a reference compositor of its own: the frames, as they were recorded."""
    told = {}

    def frames(compositor):
        return [
            {"crc": one.crc32, "sources": one.sources, "scanned_out": one.scanned_out}
            for one in list(compositor.frames)
        ]

    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        with (
            Compositor(platform, socket="show", size=SIZE, record=True) as compositor,
            compositor.running(),
            running(show, socket=f"{folder}/show"),
        ):
            deadline = time.monotonic() + PATIENCE
            while not compositor.frames and time.monotonic() < deadline:
                time.sleep(0.05)
            told["show"] = {"frames": frames(compositor)}
        for name, camera in (("drawn", None), *nodes.items()):
            with (
                Compositor(platform, socket=name, size=SIZE, record=True) as compositor,
                compositor.running(),
            ):
                command = [player, str(PICTURES), *([camera] if camera else [])]
                told[name] = ran(*command, socket=f"{folder}/{name}")
                told[name]["frames"] = frames(compositor)
    return told


def on_weston(show, player, module, nodes, pictures):
    """The same in Weston: whether the display has shown what it should, and by which buffers."""
    told = {}
    with (
        seat(),
        Weston("vm-1", shell="kiosk", module=module, size=SIZE) as weston,
    ):
        weston.connect().close()
        with Crcs(), running(show, socket=weston.socket) as shower:
            # Where the compositor names no heap, it says so and ends.
            deadline = time.monotonic() + PATIENCE
            wanted, shown = banded(), False
            while not shown and shower.poll() is None and time.monotonic() < deadline:
                time.sleep(0.2)
                shown = wanted in crcs_seen()
            told["show"] = {"shown": shown, "status": shower.poll(), "errors": errors_of(shower)}
        with weston.watched() as repaints:
            told["drawn"] = ran(player, str(PICTURES), socket=weston.socket)
        told["drawn"]["plane_only"] = repaints.plane_only
        with Crcs() as crcs, running(player, "0", socket=weston.socket):
            wanted = {screen_crc(drawn(number)) for number in range(256)}
            told["drawn"]["seen"] = crcs.wait_for_several(wanted, SEVERAL)
        for name, camera in nodes.items():
            with Crcs() as crcs, running(player, "0", camera, socket=weston.socket):
                shown = crcs.wait_for(screen_crc(pictures[name]))
                told[name] = {"shown": shown, "framebuffer": framebuffer()}
        told["module"] = weston.module_log
    return told


def banded():
    """The CRC of the grey picture in the middle of a black screen."""
    above = bytes(PITCH * ((SIZE.height - WINDOW.height) // 2))
    picture = above + bytes([GREY]) * (PITCH * WINDOW.height) + above
    return screen_crc(picture)


def main():
    show, player, module = sys.argv[1:]
    platform = local_platform()
    nodes = cameras()
    told = {"cameras": sorted(nodes)}
    with step_limit("pictures"):
        pictures = {name: picture_of(node, platform) for name, node in nodes.items()}
    told["expected"] = {
        "colours": {name: colours(one) for name, one in pictures.items()}
        | {"drawn": [colours(drawn(number)) for number in range(PICTURES)]}
    }
    with step_limit("reference"):
        told["reference"] = on_reference(show, player, platform, nodes)
    with step_limit("Weston"):
        told["weston"] = on_weston(show, player, module, nodes, pictures)
    print(json.dumps(told))


main()
