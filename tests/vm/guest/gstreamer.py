"""In the guest: `v4l2src ! heapwiresink` with real heaps and cameras, and what is on the screen.

    gstreamer.py FOLDER MODULE

The folder has the plugin, and tests/gstreamer/play.c as `play`. The pipelines run on the reference
compositor, and in a stock Weston with the module, on vkms. Of the cameras, which are vivid's, one
takes contiguous memory alone; their pictures stand still. Prints one JSON object.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time

from display_state import Crcs, framebuffer
from limits import PATIENCE
from step_limit import step_limit
from still_cameras import SIZE, cameras, colours, picture_of, screen_crc
from weston import Weston, seat

from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.discovery import local_platform

CAPS = f"video/x-raw,format=BGRx,width={SIZE.width},height={SIZE.height}"
PICTURES = 10
NUMBERS = ("shown", "dropped", "copies", "copied-bytes", "imported")


@contextlib.contextmanager
def playing(play, source, socket, settings=""):
    """A source in the sink, fullscreen, until it is left: its process, and what it then said.

    `settings` are more of the sink's properties.
    """
    told = {}
    # A pipe that nobody reads would stop it.
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [play, f"{source} ! heapwiresink name=sink fullscreen=true {settings}"],
            env={**os.environ, "WAYLAND_DISPLAY": socket, "GST_DEBUG": "2,heapwire:4"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield process, told
            said, _ = process.communicate("stats\nend\n", timeout=PATIENCE)
        finally:
            process.kill()
        log.seek(0)
        told |= {"status": process.returncode, "said": said, "complaints": log.read()[-2000:]}
    counted = (re.search(rf"\b{name}=\(guint64\)(\d+)", said) for name in NUMBERS)
    told["stats"] = {name: int(one[1]) for name, one in zip(NUMBERS, counted, strict=True) if one}


def captured(camera, mode):
    """A camera's pictures, by the element for V4L2."""
    return f"v4l2src device={camera} io-mode={mode} ! {CAPS}"


def wait_for(compositor, process):
    """Until there are enough pictures on the screen, or no more to come; whether there are."""
    deadline = time.monotonic() + PATIENCE
    while len(compositor.frames) < PICTURES and time.monotonic() < deadline:
        if process.poll() is not None:
            break
        time.sleep(0.1)
    return len(compositor.frames) >= PICTURES


def frames_of(compositor):
    return [
        {"crc": one.crc32, "sources": one.sources, "scanned_out": one.scanned_out}
        for one in list(compositor.frames)
    ]


def on_reference(play, platform, nodes):
    """Each camera on a reference compositor of its own: the frames, as they were recorded."""
    told = {}
    runs = {name: (node, "dmabuf-import") for name, node in nodes.items()}
    runs["exported"] = (nodes["dma-contig"], "dmabuf")
    for name, (node, mode) in runs.items():
        with (
            Compositor(platform, socket=name, size=SIZE, record=True) as compositor,
            compositor.running(),
        ):
            with playing(play, captured(node, mode), name) as (process, run):
                shown = wait_for(compositor, process)
            told[name] = {**run, "frames": frames_of(compositor), "shown": shown}
    return told


def on_weston(play, module, nodes, pictures):
    """The same in Weston: whether the display has shown what it should, and by which buffers."""
    told = {}
    with (
        seat(),
        Weston("vm-1", shell="kiosk", module=module, size=SIZE) as weston,
    ):
        weston.connect().close()
        for name, node in nodes.items():
            source = captured(node, "dmabuf-import")
            with Crcs() as crcs, playing(play, source, weston.socket) as (_, run):
                shown = crcs.wait_for(screen_crc(pictures[name]))
                seen = {"shown": shown, "framebuffer": framebuffer()}
            told[name] = {**run, **seen}
        told["module"] = weston.module_log
    return told


def main():
    plugins, module = sys.argv[1:]
    play = f"{plugins}/play"
    os.environ["GST_PLUGIN_PATH"] = plugins
    os.environ["GST_REGISTRY"] = "/tmp/gstreamer-registry"
    platform = local_platform()
    nodes = cameras()
    told = {"cameras": sorted(nodes)}
    with step_limit("pictures"):
        pictures = {name: picture_of(node, platform) for name, node in nodes.items()}
    told["expected"] = {"colours": {name: colours(one) for name, one in pictures.items()}}
    with step_limit("reference"), tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        told["reference"] = on_reference(play, platform, nodes)
    with step_limit("Weston"):
        told["weston"] = on_weston(play, module, nodes, pictures)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
