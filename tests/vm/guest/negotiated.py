"""Runs in the guest: plans made for a device beforehand, and what the kernel says of them.

usage: negotiated.py THING    (the name of a function below that is marked); prints JSON
"""

import array
import contextlib
import errno
import itertools
import json
import os
import select
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

import camera
import observe
from kms import Display
from limits import PATIENCE

from heapwire.kernel.discovery import HotPlug, local_platform, machine_discovery
from heapwire.kernel.video.v4l2_queue import V4l2Queue
from heapwire.kernel.video.videodev2 import Queue
from heapwire.protocol import MachineError
from heapwire.protocol.explain import plan_document, solve
from heapwire.protocol.values import (
    BY_NAME,
    REGISTRY,
    BufferCount,
    Constraint,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Provenance,
    Usage,
    parse_fourcc,
)

NM12 = int.from_bytes(b"NM12", "little")  # V4L2's name for NV12 with a buffer for each plane
YUYV = int.from_bytes(b"YUYV", "little")
RGBP = int.from_bytes(b"RGBP", "little")  # V4L2's name for what DRM calls RGB565
RGB565, XRGB8888 = parse_fourcc("RGB565"), parse_fourcc("XRGB8888")
VGA = Extent(640, 480)  # a mode that vkms has
VGA_AREA = VGA.width * VGA.height
FULL_HD = Extent(1920, 1080)
FRAMES = 3
THINGS = {}


def thing(function):
    THINGS[function.__name__] = function
    return function


def open_fds():
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


@contextlib.contextmanager
def queue_of(node, kind):
    """A queue of a node that is opened without blocking, and the node's fd."""
    fd = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        queue = V4l2Queue(fd, kind)
        yield queue, fd
        queue.close()
    finally:
        os.close(fd)


def dequeued(queue, fd):
    """The next buffer that the driver is done with."""
    ready = select.poll()
    ready.register(fd, select.POLLIN)
    if not ready.poll(PATIENCE * 1000):
        raise TimeoutError(f"no frame within {PATIENCE:.0f} seconds")
    return queue.dequeue()


def only(participant, fourcc, *more):
    """A participant with one format, and with more constraints on it; as it is for the rest."""
    pair = FormatModifier(parse_fourcc(fourcc), 0)
    sets = [one for one in participant.sets if pair in one.formats]
    return replace(
        participant,
        sets=tuple(
            replace(one, formats=(pair,), costs=(), constraints=(*one.constraints, *more))
            for one in sets
        ),
    )


def configured(name, value, planes=0):
    return Constraint(
        type=BY_NAME[name].type, value=value, planes=planes, provenance=Provenance.USER
    )


def offered(queue, frame):
    """Queue one frame; None, or what was said against it."""
    queue.request_dmabuf(2)
    try:
        queue.queue_dmabuf(0, [one.fd for one in frame], [one.size for one in frame])
    except MachineError as error:
        return str(error)
    finally:
        queue.request_dmabuf(0)
    return None


@thing
def banks():
    """Luma in one bank, chroma in the other: asked for, planned, allocated, filled, swapped."""
    platform = local_platform()
    vivid = next(one for one in platform.devices if one.driver == "vivid")
    camera = only(
        platform.participant(vivid.name, Usage.CAMERA),
        "NV12",
        configured("permitted-sources", (platform.source("numa0").id,), 0b01),
        configured("permitted-sources", (platform.source("numa1").id,), 0b10),
        configured("different-source", 1, 0b11),
        configured("contiguous", 1),
    )
    problem = platform.problem(
        participants=(camera,),
        goals=(Goal(name="captured"),),
        extents=Extents(coded=VGA),
        counts=BufferCount(minimum=1, queue=0, hold=0),
    )
    plan = solve(problem).plans[0]
    names = {source.id: source.name for source in platform.sources}
    told = {"plan": plan_document(plan, names)}
    before = open_fds()
    with contextlib.ExitStack() as stack:
        frame = []
        for plane in plan.layout.planes:
            entry = plan.layout.objects[plane.object]
            buffer = platform.memory.allocate(entry.source, entry.size)
            frame.append(stack.enter_context(buffer))
        told["from"] = [platform.source_name(platform.memory.identify(one.fd)) for one in frame]
        queue, fd = stack.enter_context(queue_of(vivid.node, Queue.CAPTURE_MPLANE))
        found = queue.set_format(NM12, VGA)
        told["driver"] = {
            "is NM12": found.fourcc == NM12,
            "pitches": found.pitches,
            "sizes": found.sizes,
        }
        # Each is as large as both need, so that the place is all that is wrong with the swap.
        size = max(one.size for one in frame)
        as_large = [
            stack.enter_context(platform.memory.allocate(one.source, size)) for one in frame
        ]
        told["large"] = offered(queue, as_large)
        told["swapped"] = offered(queue, as_large[::-1])
        queue.request_dmabuf(1)
        queue.queue_dmabuf(0, [one.fd for one in frame], [one.size for one in frame])
        queue.stream_on()
        done = dequeued(queue, fd)
        told["captured"] = {"index": done.index, "damaged": done.damaged}
        told["values"] = []
        for one in frame:
            with one.map() as view:
                told["values"].append(len(set(view)))
    told["fds left"] = sorted(open_fds() - before)
    told["bytes left"] = platform.memory.live()
    short = tuple(source for source in platform.sources if source.name != "numa1")
    answer = solve(replace(problem, sources=short))
    told["without a bank"] = {
        "plans": len(answer.plans),
        "reason": answer.reason.name,
        "message": answer.message,
        "conflict": [
            [one.constraint and REGISTRY[one.constraint.type].name, one.planes, one.text]
            for one in answer.conflict
        ],
    }
    return told


def good(platform, device, source):
    """Whether the solver has a plan for a camera and one source alone, for FULL_HD pictures."""
    camera = only(platform.participant(device, Usage.CAMERA), "YUYV")
    answer = solve(
        platform.problem(
            participants=(camera,),
            goals=(Goal(name="captured"),),
            usable=lambda known: known == platform.source(source).id,
            extents=Extents(coded=FULL_HD),
        )
    )
    return bool(answer.plans), answer.message


def refusal(platform, device, source):
    """What the driver says against a buffer of a source for a FULL_HD picture, if anything."""
    with queue_of(device.node, Queue.CAPTURE) as (queue, _):
        size = queue.set_format(YUYV, FULL_HD).sizes[0]
        with platform.memory.allocate(platform.source(source).id, size) as buffer:
            return offered(queue, [buffer])


def without_links():
    """The machine as a kernel shows it that has no links, in either direction."""
    with (
        mock.patch.object(machine_discovery, "links_of", return_value=None),
        mock.patch.object(machine_discovery, "linked_by", return_value=()),
    ):
        return local_platform()


@thing
def contiguity():
    """For each vivid and heap: what the solver says, with links and without, then QBUF."""
    linked = local_platform()
    pairs = [
        (one, source)
        for one in linked.devices
        if one.driver == "vivid"
        for source in ("system", "reserved")
    ]
    with_links = [good(linked, one.name, source) for one, source in pairs]
    alone = without_links()
    by_signs = [good(alone, one.name, source) for one, source in pairs]
    return {
        "links": [len(linked.links), len(alone.links)],
        "pairs": [
            {
                "device": one.name,
                "heap": source,
                "linked": with_links[number],
                "alone": by_signs[number],
                "refusal": refusal(linked, one, source),
            }
            for number, (one, source) in enumerate(pairs)
        ],
    }


def shown(platform, camera, display):
    """What to ask for pictures that a camera makes and a display scans out, as RGB565."""
    return platform.problem(
        participants=(only(platform.participant(camera.name, Usage.CAMERA), "RGB565"),),
        goals=(
            Goal(
                name="scanout",
                participants=(platform.participant(display.name, Usage.SCANOUT),),
                scanout=True,
            ),
        ),
        extents=Extents(coded=VGA),
        counts=BufferCount(minimum=1, queue=1, hold=0),
    )


def by_driver(platform, driver):
    return next(one for one in platform.devices if one.driver == driver and one.sets)


@contextlib.contextmanager
def streaming(platform, camera, plan):
    """A camera that streams into buffers of a plan: its queue, its fd, and the buffers."""
    with contextlib.ExitStack() as stack:
        entry = plan.layout.objects[0]
        buffers = [
            stack.enter_context(platform.memory.allocate(entry.source, entry.size))
            for _ in range(plan.buffer_count)
        ]
        queue, fd = stack.enter_context(queue_of(camera.node, Queue.CAPTURE))
        found = queue.set_format(RGBP, VGA)
        assert (found.fourcc, found.extent) == (RGBP, VGA), found
        assert found.pitches == (plan.layout.planes[0].pitch,), found
        queue.request_dmabuf(len(buffers))
        for index, buffer in enumerate(buffers):
            queue.queue_dmabuf(index, [buffer.fd], [buffer.size])
        queue.stream_on()
        yield queue, fd, buffers


def whole_frames(queue, fd, buffers):
    """The indices of buffers with a frame; each is queued again when the next is asked for."""
    while True:
        done = dequeued(queue, fd)
        if not done.damaged:  # the first frame after the start may have lost its beginning
            yield done.index
        queue.queue_dmabuf(done.index, [buffers[done.index].fd], [buffers[done.index].size])


def widened(data):
    """RGB565 as bytes of blue, green, red and 0: each value scaled to 255 and rounded."""
    five = [(510 * value + 31) // 62 for value in range(32)]
    six = [(510 * value + 63) // 126 for value in range(64)]
    table = [
        five[pixel & 31] | six[pixel >> 5 & 63] << 8 | five[pixel >> 11] << 16
        for pixel in range(1 << 16)
    ]
    return array.array("I", [table[pixel] for pixel in array.array("H", data)]).tobytes()


def colours(view):
    """XRGB8888 without what is in its X, which is nobody's business."""
    rows = bytearray(view)
    rows[3::4] = bytes(len(rows) // 4)
    return bytes(rows)


@thing
def on_screen():
    """Frames of a USB camera in negotiated buffers, on the display, and read back from it."""
    told = {"numbers": [], "whole": [], "written back": []}
    size = camera.FRAME_SIZE
    with observe.plugged(1):
        platform = local_platform()
        source, display = by_driver(platform, "uvcvideo"), by_driver(platform, "vkms")
        plan = solve(shown(platform, source, display)).plans[0]
        told["plan"] = plan_document(plan, {one.id: one.name for one in platform.sources})
        before = open_fds()
        with contextlib.ExitStack() as stack:
            entry = plan.layout.objects[0]
            queue, fd, buffers = stack.enter_context(streaming(platform, source, plan))
            screen = Display(display.node)
            stack.callback(screen.close)
            shots = stack.enter_context(platform.memory.allocate(entry.source, 4 * VGA_AREA))
            picture = (VGA.width, VGA.height, RGB565, plan.layout.planes[0].pitch)
            shot_as = (VGA.width, VGA.height, XRGB8888, 4 * VGA.width)
            on_plane = [
                stack.enter_context(screen.framebuffer(one.fd, *picture)) for one in buffers
            ]
            shot = stack.enter_context(screen.framebuffer(shots.fd, *shot_as))
            for index in itertools.islice(whole_frames(queue, fd, buffers), FRAMES):
                screen.show(on_plane[index], VGA.width, VGA.height, test=True)
                fence = screen.show(on_plane[index], VGA.width, VGA.height, into=shot)
                ready = select.poll()
                ready.register(fence, select.POLLIN)
                assert ready.poll(PATIENCE * 1000)
                os.close(fence)
                with buffers[index].map() as view:
                    data = bytes(view[:size])
                number = int.from_bytes(data[:2], "little")
                told["numbers"].append(number)
                told["whole"].append(data == camera.frame(number))
                with shots.map() as view:
                    told["written back"].append(colours(view[: 4 * VGA_AREA]) == widened(data))
        told["fds left"] = sorted(open_fds() - before)
        told["bytes left"] = platform.memory.live()
    return told


def links_of(platform, driver):
    return [
        [link.source, link.provenance.name]
        for one in platform.devices
        if one.driver == driver
        for link in platform.links_of(one.name)
    ]


def told_of(watch):
    """Whether the watch says within a while that the machine may be another."""
    ready = select.poll()
    ready.register(watch.fileno(), select.POLLIN)
    while ready.poll(PATIENCE * 1000):
        if watch.changed():
            return True
    return False


@thing
def coming_and_going():
    """A camera that is pulled out while it streams, and a device whose links come later."""
    told = {}
    before = open_fds()
    with contextlib.ExitStack() as plug:
        plug.enter_context(observe.plugged(1))
        platform = local_platform()
        source, display = by_driver(platform, "uvcvideo"), by_driver(platform, "vkms")
        plan = solve(shown(platform, source, display)).plans[0]
        try:
            with streaming(platform, source, plan) as (queue, fd, buffers):
                frames = whole_frames(queue, fd, buffers)
                told["streamed"] = next(frames) in range(len(buffers))
                plug.close()
                for _ in frames:
                    pass
        except (OSError, MachineError) as error:  # when giving a buffer, or when waiting for one
            told["unplugged"] = errno.errorcode[(error.__cause__ or error).errno]
    told["bytes left"] = platform.memory.live()
    told["camera left"] = observe.settled(
        lambda: any(one.driver == "uvcvideo" for one in local_platform().devices)
    )
    observe.unbind("vicodec", "vicodec.0")
    told["without"] = links_of(local_platform(), "vicodec")
    with HotPlug() as watch:
        told["quiet"] = not watch.changed()
        observe.bind("vicodec", "vicodec.0")
        told["noticed"] = told_of(watch)
        told["with"] = links_of(local_platform(), "vicodec")
    del watch
    told["fds left"] = sorted(open_fds() - before)
    return told


if __name__ == "__main__":
    print(json.dumps(THINGS[sys.argv[1]]()))
