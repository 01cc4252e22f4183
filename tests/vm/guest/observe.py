"""Runs in the guest: looks at some things, prints what it saw as one JSON object.

usage: observe.py THING...    (the names of the functions below that are marked)

Nothing is judged here; the tests on the host do that.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import camera
import dmabuf
import sysfs
import uevents
import v4l2
from limits import PACE

from heapwire.client_lib.exporters import Exporter, export_v4l2_frames
from heapwire.kernel.memory import BufferInfo
from heapwire.kernel.video import Queue, V4l2Queue
from heapwire.protocol.values import DeviceId

DRIVERS = Path("/sys/bus/platform/drivers")
KUNIT = Path("/sys/kernel/debug/kunit/dma_heap_links")
CAMERA = Path(__file__).with_name("camera.py")
REBINDS = 10
COMPLAINT = re.compile(r"WARNING:|BUG:|Oops|Call Trace|refcount_t:|cannot create duplicate")
THINGS = {}


def thing(function):
    THINGS[function.__name__] = function
    return function


def node_named(label):
    """The node of the V4L2 device that calls itself so; the first, if its metadata does too."""
    for name, device in sysfs.class_devices("video4linux").items():
        if device["label"] == label and device["index"] == "0":
            return f"/dev/{name}"
    raise SystemExit(f"no V4L2 device is called {label}")


@thing
def heaps():
    return sysfs.heaps()


@thing
def devices():
    return {name: sysfs.class_devices(name) for name in ("video4linux", "drm")}


@thing
def openable():
    """What open() of each heap's node says to whoever runs this."""
    answers = {}
    for name in sysfs.heaps():
        try:
            os.close(os.open(f"/dev/dma_heap/{name}", os.O_RDONLY))
            answers[name] = None
        except OSError as error:
            answers[name] = error.strerror
    return answers


@thing
def full_hd_imports():
    """For each vivid instance and heap: QBUF of a 1920x1080 YUYV frame in one buffer."""
    answers = {}
    for label in ("vivid-000-vid-cap", "vivid-001-vid-cap"):
        with v4l2.opened(node_named(label)) as video:
            (size,) = v4l2.set_format(video, 1920, 1080, "YUYV")
            answers[label] = {"size": size}
            for heap in sysfs.heaps():
                with dmabuf.allocated(heap, size) as buffer:
                    answers[label][heap] = v4l2.offer(video, [(buffer, size)])
    return answers


@thing
def own_buffers():
    """For each vivid instance: what it exports itself, and what the kernel calls that memory."""
    answers = {}
    for number, label in enumerate(("vivid-000-vid-cap", "vivid-001-vid-cap")):
        camera = Exporter(name=label, device=DeviceId(81, number))
        with v4l2.opened(node_named(label)) as video:
            v4l2.set_format(video, 1920, 1080, "NV12")
            queue = V4l2Queue(video, Queue.CAPTURE)
            with export_v4l2_frames(queue, camera, 2) as made:
                frame = made.frames[0]
                (entry,) = frame.objects
                answers[label] = {
                    "exporter": BufferInfo.of(entry.fd).exporter,
                    "size": entry.size,
                    "planes": [[plane.offset, plane.pitch] for plane in frame.planes],
                }
            queue.close()
    return answers


@thing
def bank_imports():
    """For each pair of heaps: QBUF of an NV12M frame, luma from one, chroma from the other."""
    answers = {}
    with v4l2.opened(node_named("vivid-000-vid-cap")) as video:
        luma_size, chroma_size = v4l2.set_format(video, 1280, 720, "NM12", planes=True)
        for luma in sysfs.heaps():
            for chroma in sysfs.heaps():
                with (
                    dmabuf.allocated(luma, luma_size) as y,
                    dmabuf.allocated(chroma, chroma_size) as c,
                ):
                    frame = [(y, luma_size), (c, chroma_size)]
                    answers[f"{luma}+{chroma}"] = v4l2.offer(video, frame, planes=True)
    return {"sizes": [luma_size, chroma_size], "answers": answers}


def settled(read):
    """What `read` returns once it stays the same: the kernel frees some things a while later."""
    answers = [read()]
    deadline = time.monotonic() + 10 * PACE
    while time.monotonic() < deadline and answers[-4:] != [answers[-1]] * 4:
        time.sleep(0.1)
        answers.append(read())
    return answers[-1]


def allocations():
    """Live allocations made by each function of dma-heap.c and of kernfs."""
    # Whoever has walked over sysfs has left inodes, and they hold nodes that have gone.
    Path("/proc/sys/vm/drop_caches").write_text("2")
    counts = {}
    for line in Path("/proc/allocinfo").read_text().splitlines():
        found = re.match(r"\s*\d+\s+(\d+) (\S+?):\d+ .*func:(\S+)", line)
        if found and found[2].startswith(("drivers/dma-buf/dma-heap.c", "fs/kernfs/dir.c")):
            counts[found[3]] = counts.get(found[3], 0) + int(found[1])
    return counts


def bind(driver, device):
    (DRIVERS / driver / "bind").write_text(device)


def unbind(driver, device):
    (DRIVERS / driver / "unbind").write_text(device)


def linked(event):
    return event["ACTION"] == "change" and "DMA_HEAP_LINKS" in event


def short(events):
    """Events of devices that have links or are V4L2 nodes, in brief."""
    return [
        [event["ACTION"], uevents.device(event), event.get("DMA_HEAP_LINKS")]
        for event in events
        if linked(event) or event.get("SUBSYSTEM") == "video4linux"
    ]


def rebound(driver, device):
    """Links and events without the driver and with it, and what many rounds leave over."""
    answer = {"before": heaps()}
    with uevents.Listener() as listener:
        unbind(driver, device)
        answer["unbinding"] = short(listener.drain())
    answer["unbound"] = heaps()
    with uevents.Listener() as listener:
        bind(driver, device)
        answer["binding"] = short(listener.drain())
    answer["bound"] = heaps()
    answer["devices"] = sysfs.class_devices("video4linux")
    answer["allocations"] = settled(allocations)
    for _ in range(REBINDS):
        unbind(driver, device)
        bind(driver, device)
    answer["allocations after rounds"] = settled(allocations)
    return answer


@thing
def rebound_vivid():
    return rebound("vivid", "vivid.0")


@thing
def rebound_vicodec():
    return rebound("vicodec", "vicodec.0")


@contextlib.contextmanager
def plugged(functions):
    """An emulated camera, from when its last function is bound until it is unplugged."""
    last = f":1.{2 * (functions - 1)}"
    with uevents.Listener() as listener:
        process = subprocess.Popen([sys.executable, CAMERA, str(functions)])
        try:
            if not listener.wait_for(
                lambda event: event["ACTION"] == "bind" and event["DEVPATH"].endswith(last)
            ):
                raise SystemExit("uvcvideo has not taken the emulated camera")
            yield short(listener.events)
        finally:
            process.kill()
            process.wait()


@thing
def cameras():
    """Two camera functions of one USB device: their lists, and what unplugging leaves."""
    with plugged(2) as events:
        answer = {"events": events, "heaps": heaps(), "devices": devices()["video4linux"]}
    answer["unplugged"] = settled(heaps)
    return answer


@thing
def camera_frames():
    """Frames of a camera in buffers of each heap, told apart by their numbers."""
    answers = {}
    with plugged(1):
        for heap in sysfs.heaps():
            for name in camera.FORMATS:
                with (
                    v4l2.opened(node_named(camera.NAME)) as video,
                    dmabuf.allocated(heap, camera.FRAME_SIZE) as one,
                    dmabuf.allocated(heap, camera.FRAME_SIZE) as two,
                ):
                    answers[f"{heap} {name}"] = frames_in(video, name, [one, two])
    return answers


def frames_in(video, name, buffers):
    """For each of a few frames: the number it has, and whether all of it is as it was sent."""
    (size,) = v4l2.set_format(video, camera.WIDTH, camera.HEIGHT, name)
    frames = []
    for index in v4l2.capture(video, buffers, size, 4):
        data = dmabuf.contents(buffers[index], size)
        number = int.from_bytes(data[:2], "little")
        frames.append([number, data == camera.frame(number)])
    return frames


@thing
def late_heap():
    """Run the kernel's own tests again: they add a heap that a device waits for."""
    with uevents.Listener() as listener:
        (KUNIT / "run").write_text("again")
        events = listener.drain()
    return {
        "results": (KUNIT / "results").read_text(),
        "events": [
            [event["ACTION"], uevents.device(event), event.get("DMA_HEAP_LINKS")]
            for event in events
            if "kunit" in event["DEVPATH"]
        ],
    }


@thing
def compliance():
    """What `heapwire check` says of the reference compositor here, a line for each case."""
    import compliance as check

    return check.results()


@thing
def complaints():
    """What the kernel complained about since it started."""
    found = []
    log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while record := os.read(log, 8192).decode(errors="replace"):
            text = record.partition(";")[2].splitlines()[0]
            if COMPLAINT.search(text):
                found.append(text)
    os.close(log)
    return found


if __name__ == "__main__":
    print(json.dumps({name: THINGS[name]() for name in sys.argv[1:]}))
