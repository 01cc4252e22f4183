"""Runs in the guest: looks at some things, prints what it saw as one JSON object.

usage: observe.py THING...    (the names of the functions below that are marked)

Nothing is judged here; the tests on the host do that.
"""

import contextlib
import json
import os
import re
import sys
import time
from pathlib import Path

import dmabuf
import sysfs
import uevents
import v4l2

DRIVERS = Path("/sys/bus/platform/drivers")
KUNIT = Path("/sys/kernel/debug/kunit/dma_heap_links")
REBINDS = 10
COMPLAINT = re.compile(r"WARNING:|BUG:|Oops|Call Trace|refcount_t:|cannot create duplicate")
THINGS = {}


def thing(function):
    THINGS[function.__name__] = function
    return function


def node_named(label):
    """The node of the V4L2 device that calls itself so."""
    for name, device in sysfs.class_devices("video4linux").items():
        if device["label"] == label:
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


def settled(read, seconds=10):
    """What `read` returns once it stays the same: the kernel frees some things a while later."""
    answers = [read()]
    deadline = time.monotonic() + seconds
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
