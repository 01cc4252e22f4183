"""In the guest: cameras on the reference compositor and on Weston, live.

    camera_play.py MODULE

Shows the emulated USB camera, whose pictures are known to the byte, and vivid, whose bars are, on
the reference compositor; and both with `heapwire camera` on Weston with the module and without,
where the display tells what it shows.
Of two of vivid's cameras, of which the second allocates scattered memory, the own buffers are
judged for a display that scans out one run of memory. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile

import camera
import numpy as np
from contiguous_display import ENVIRONMENT, contiguous_platform, write_policy
from display_state import Crcs, Look, crc_of_565, framebuffer, wait_for_import
from limits import PATIENCE
from observe import node_named, plugged
from played import played
from step_limit import step_limit
from still_cameras import picture_of, screen_crc
from weston import Weston, seat

from heapwire.client_lib import CameraMaterial, Player, PlayOptions
from heapwire.client_lib.exporters import ExportedFrame, Exporter, frame_problem
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.discovery import local_platform
from heapwire.kernel.video import CaptureDevice, CaptureMemory, laid_out_planes, layout_format
from heapwire.protocol.explain import solve
from heapwire.protocol.values import Extent, Extents, FormatModifier, Goal, Usage, parse_fourcc

FRAMES = 8
VIVIDS = ("vivid-000-vid-cap", "vivid-001-vid-cap")
VIVID_SIZE = Extent(640, 480)
LINEAR_XRGB8888 = FormatModifier(parse_fourcc("XRGB8888"), 0)


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
    return {**played(result), "seen": seen}


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
    node = node_named(VIVIDS[0])
    return {
        way.value: on_reference(node, VIVID_SIZE, bars, way=way, code="XRGB8888")
        for way in CaptureMemory
    }


def judged(platform, name, frame):
    """Whether the display can scan a frame out, why not, and which memory would do."""
    [display] = [one for one in platform.devices if Usage.SCANOUT in one.sets]
    goal = Goal(
        name="scanout", participants=(platform.participant(display.name, Usage.SCANOUT),),
        scanout=True,
    )  # fmt: skip
    problem = platform.problem(
        participants=(platform.participant(name, Usage.CAMERA),),
        goals=(goal,),
        extents=Extents(coded=frame.extent),
    )
    answer = solve(frame_problem(problem, frame))
    instead = solve(problem).plans
    return {
        "accepted": bool(answer.plans),
        "message": answer.message,
        "instead": [platform.source_name(one.source) for one in instead[0].layout.objects]
        if instead
        else [],
    }


def offering(label, screen=None, crc=None):
    """A camera that shows what it has allocated itself, if that is good, or what is negotiated.

    It is opened once. `screen` is where Weston is, None for the reference compositor, and `crc`
    what the display has there for the camera's picture.
    """
    platform = contiguous_platform()
    node = node_named(label)
    [own] = [one for one in platform.devices if one.node == node]
    device = CaptureDevice(node)
    # vivid calls it by more than one name.
    layout = next(
        one for one in device.layouts(VIVID_SIZE) if layout_format(one) == LINEAR_XRGB8888
    )
    device.set_up(layout, 3, CaptureMemory.EXPORTED)
    objects = device.export(0, layout.sizes)
    exporter = Exporter(name=own.name, device=own.id, iommu=False)
    frame = ExportedFrame(
        exporter=own.name,
        format=LINEAR_XRGB8888,
        extent=layout.extent,
        objects=tuple(exporter.object_of(one.fd, one.size, machine=platform) for one in objects),
        planes=laid_out_planes(layout),
    )
    told = judged(platform, own.name, frame)
    for one in objects:
        one.close()
    way = CaptureMemory.EXPORTED if told["accepted"] else CaptureMemory.IMPORTED
    material = CameraMaterial(
        platform,
        node,
        extent=VIVID_SIZE,
        formats=[LINEAR_XRGB8888.fourcc],
        way=way,
        opened=lambda _: device,
    )
    return {**told, "way": way.value, "played": shown(material, platform, screen, crc)}


def shown(material, platform, screen, crc):
    """What a player says of it, and what was on the screen."""
    options = PlayOptions(frames=FRAMES, fullscreen=True, timeout=PATIENCE)
    if screen is not None:
        with Crcs() as crcs:
            look = Look(crcs, crc)
            result = Player(
                material, display=screen, platform=platform, options=options, on_progress=look
            ).play()
        return {**played(result), **look.seen}
    seen = []
    with tempfile.TemporaryDirectory() as folder:
        compositor = Compositor(
            platform,
            size=VIVID_SIZE,
            socket=f"{folder}/screen",
            on_frame=lambda record, pixels: seen.append(bars(pixels())),
        )
        with compositor, compositor.running():
            result = Player(
                material, display=compositor.connect(), platform=platform, options=options
            ).play()
    return {**played(result), "seen": seen}


def exporters(screen=None, crcs=(None, None)):
    memories = ("dma-contig", "vmalloc")
    return {
        name: offering(label, screen, crc)
        for name, label, crc in zip(memories, VIVIDS, crcs, strict=True)
    }


def on_screen(weston, node, code, crc):
    """What `heapwire camera` says that is ended once the display shows what the camera sees."""
    words = [sys.executable, "-m", "heapwire.cli.main", "camera", node, "--size", str(VIVID_SIZE)]
    words += ["--format", code, "--fullscreen", "--json", "--timeout", str(PATIENCE)]
    words += ["--buffers", "imported"]
    environment = {**os.environ, "WAYLAND_DISPLAY": weston.socket}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(words, env=environment, **pipes)
    # vkms draws all that its CRCs are of: not before there is something to see.
    wait_for_import(process)
    with Crcs() as crcs:
        shown = crcs.wait_for(crc, process)
        plane = framebuffer()
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=PATIENCE)
    if process.returncode:
        return {"error": said + errors + weston.log[-2000:]}
    return {**json.loads(said), "on_screen": shown, "framebuffer": plane}


def on_weston(weston, crc):
    """The picture of vivid and that of the emulated camera, which stand still."""
    told = {"vivid": on_screen(weston, node_named(VIVIDS[0]), "XRGB8888", crc)}
    os.environ["CAMERA_STILL"] = "1"
    with plugged(1):
        crc = crc_of_565(camera.frame(0), camera.WIDTH, camera.HEIGHT)
        told["usb"] = on_screen(weston, node_named(camera.NAME), "RGB565", crc)
    return told


def main():
    told = {}

    def timed(name, step, *arguments):
        with step_limit(name):
            told[name] = step(*arguments)
        print(name, file=sys.stderr, flush=True)

    timed("usb", usb)
    timed("vivid", vivid)
    write_policy()
    timed("exporters", exporters)
    nodes = map(node_named, VIVIDS)
    crcs = [screen_crc(picture_of(node, local_platform())) for node in nodes]
    with seat():
        for name, module in (("module", sys.argv[1]), ("stock", None)):
            with Weston(
                f"vm-{name}",
                shell="kiosk",
                module=module,
                size=VIVID_SIZE,
                environment=ENVIRONMENT,
            ) as weston:
                timed(name, on_weston, weston, crcs[0])
                if module is not None:
                    timed("exporters_weston", exporters, weston.socket, crcs)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
