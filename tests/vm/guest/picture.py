"""Runs in the guest: a picture on a display, from the memory that heapwire chooses for it.

usage: picture.py DRIVER FILE    (FILE has 1024x768 pixels of XRGB8888)

Says so on the guest's fourth port while the picture is on, and takes it off when it is told to.
Prints the plan, the sources of the one that was made before heapwire's trials, what became of each
source then and why, and the driver's answer to the import of the system heap.
"""

import json
import mmap
import os
import sys
from pathlib import Path

import dmabuf
from displays import PICTURE, name_of
from drm_card import Card

from heapwire.kernel.description import DeviceKind
from heapwire.kernel.discovery import TrialStore, local_platform, tried
from heapwire.kernel.memory import PictureShape
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    LINEAR,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Participant,
    Usage,
    parse_fourcc,
)

WIDTH, HEIGHT = PICTURE
XR24 = parse_fourcc("XR24")
ROW = WIDTH * 4


def chosen(platform, display):
    """The answer for a decoder that writes with the CPU, and a picture to be scanned out."""
    asked = ConstraintSet(formats=(FormatModifier(XR24, LINEAR),))
    return solve(
        platform.problem(
            participants=(
                platform.participant("cpu", Usage.CPU_WRITE),
                Participant(name="the picture", usage=Usage(0), sets=(asked,)),
            ),
            goals=(
                Goal(
                    name="scanout",
                    participants=(platform.participant(display, Usage.SCANOUT),),
                    scanout=True,
                ),
            ),
            extents=Extents(coded=Extent(WIDTH, HEIGHT)),
        )
    )


def imports(card, heap):
    """None, or the name of the errno with which the driver refuses a heap's memory."""
    try:
        with (
            dmabuf.scattered(),
            dmabuf.allocated(heap, ROW * HEIGHT) as fd,
            card.imported(fd),
        ):
            return None
    except OSError as error:
        return name_of(error)


def shown(card, platform, plan, rows):
    """Show the picture in a buffer of the plan for as long as whoever looks at it wants."""
    (entry,), (plane,) = plan.layout.objects, plan.layout.planes
    shape = PictureShape.of(plan.fourcc, plan.layout, 0)
    with platform.memory.allocate(entry.source, entry.size, shape=shape) as buffer:
        with buffer.map() as view:
            for number in range(HEIGHT):
                start = plane.offset + number * plane.pitch
                view[start : start + ROW] = rows[number * ROW : (number + 1) * ROW]
        with (
            card.imported(buffer.fd) as handle,
            card.framebuffer(handle, WIDTH, HEIGHT, XR24, [(plane.offset, plane.pitch)]) as one,
        ):
            card.set(one, card.mode(WIDTH, HEIGHT))
            tell_and_wait()
            card.off()


def tell_and_wait():
    """Say that the picture is on; go on when there is an answer."""
    (port,) = Path("/dev").glob("vport*p4")
    fd = os.open(port, os.O_RDWR | os.O_CLOEXEC)
    os.write(fd, b"shown\n")
    os.read(fd, 1)
    os.close(fd)


def card_of(platform, driver):
    """The display with a driver, and its card, open."""
    for device in platform.devices:
        if device.kind is DeviceKind.DISPLAY and device.node:
            card = Card(device.node)
            if card.driver == driver:
                return device, card
            card.close()
    raise SystemExit(f"there is no {driver} here")


def sources_of(platform, answer):
    return [
        platform.source_name(entry.source)
        for plan in answer.plans[:1]
        for entry in plan.layout.objects
    ]


def main():
    driver, file = sys.argv[1:3]
    untried = local_platform()
    platform = tried(untried, TrialStore(None, ""))
    display, card = card_of(platform, driver)
    before, answer = (chosen(one, display.name) for one in (untried, platform))
    told = {
        "display": display.name,
        "untried": sources_of(untried, before),
        "chosen": sources_of(platform, answer),
        "verdicts": {verdict.name: verdict.text for verdict in before.verdicts},
        "message": answer.message,
        "system": imports(card, "system"),
    }
    if answer.plans:
        with Path(file).open("rb") as raw, mmap.mmap(raw.fileno(), 0, prot=mmap.PROT_READ) as rows:
            shown(card, platform, answer.plans[0], rows)
    card.close()
    print(json.dumps(told))


main()
